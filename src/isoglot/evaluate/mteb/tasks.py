"""MTEB's tasks by name, with their data: local rows, or what the hub has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from isoglot.corpus.benchmarks.record import Benchmark
from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.mteb.data import KNOWN, Rows, local_data, revision_of
from isoglot.evaluate.mteb.subsets import in_languages, tags_of

if TYPE_CHECKING:
    from mteb import AbsTask

_MINING = "nearest neighbour of gold sentences, no margin mining"


@dataclass(frozen=True)
class MtebTask:
    """A task that MTEB has in languages that are wanted.

    Attributes:
        name: MTEB's.
        protocol: MTEB's type of task; of bitext mining it says that it is another protocol than ours.
        metric: MTEB's main score.
        subsets: MTEB's names of the wanted subsets -> tags of their languages.
        rows: split -> subset -> local rows; empty: the hub is asked.
        revision: of the data set on the hub, or of the local files.
    """

    name: str
    protocol: str
    metric: str
    subsets: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, Mapping[str, Rows]]
    revision: str

    @classmethod
    def of(cls, name: str, languages: Collection[str], benchmarks: Sequence[Benchmark]) -> MtebTask:
        """Find a task.

        Args:
            name: MTEB's.
            languages: wanted tags; empty: all.
            benchmarks: local test sets.

        Raises:
            RequestError: MTEB has no such task, not in these languages, or it is nothing for an encoder of texts.
            DamagedError: a local test set is broken.
        """
        metadata = _find(name).metadata
        subsets = {subset: tags_of(codes) for subset, codes in metadata.hf_subsets_to_langscripts.items()}
        chosen = {subset: subsets[subset] for subset in in_languages(subsets, languages)}
        if not chosen:
            there = ", ".join(sorted({tag for tags in subsets.values() for tag in tags}))
            raise RequestError(
                f"MTEB has {name} in none of the languages {', '.join(languages)}.", f"It has {there}."
            )
        rows = local_data(name, chosen, benchmarks)
        mining = metadata.type == "BitextMining"
        return cls(
            name=name,
            protocol=f"{metadata.type}: {_MINING}" if mining else str(metadata.type),
            metric=str(metadata.main_score),
            subsets=chosen,
            rows=rows,
            revision=revision_of(name, benchmarks) if rows else str(metadata.revision),
        )

    @property
    def lacking(self) -> list[str]:
        """Subsets without local rows while others have some."""
        held = {subset for subsets in self.rows.values() for subset in subsets}
        return [subset for subset in self.subsets if self.rows and subset not in held]

    def parts(self) -> Iterator[AbsTask]:
        """Give MTEB's own tasks, local ones with their data: one per split, since not all have all languages."""
        import mteb

        if not self.rows:
            yield mteb.get_task(self.name, hf_subsets=list(self.subsets))
        for split, subsets in self.rows.items():
            task = mteb.get_task(self.name, eval_splits=[split], hf_subsets=list(subsets))
            dataset = {**task.metadata.dataset, "revision": self.revision}
            task.metadata = task.metadata.model_copy(update={"dataset": dataset})
            task.dataset = {subset: {split: _held(rows)} for subset, rows in subsets.items()}
            task.data_loaded = True
            yield task


def download(task: AbsTask) -> None:
    """Fetch the data of a task from the hub.

    Raises:
        IsoglotError: they cannot be fetched.
    """
    import httpx
    from datasets.exceptions import DatasetsError

    try:
        task.load_data()
    except (OSError, ValueError, RuntimeError, httpx.HTTPError, DatasetsError) as error:
        name = str(task.metadata.name)
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        local = f"Give {' or '.join(KNOWN[name].names)} with --data, or go" if name in KNOWN else "Go"
        raise IsoglotError(
            f"The data of MTEB's {name} are not among the local ones and cannot be fetched ({reason}).",
            f"{local} online without HF_HUB_OFFLINE.",
        ) from error


def _find(name: str) -> AbsTask:
    import mteb
    from mteb.abstasks.aggregated_task import AbsTaskAggregate

    try:
        task = mteb.get_task(name)
    except KeyError as error:
        near = re.search(r"Did you mean: '(.+?)'", str(error))
        hint = f"Did you mean {near[1]}?" if near else "mteb.get_tasks() lists them."
        raise RequestError(f"MTEB {version('mteb')} has no task {name}.", hint) from error
    if isinstance(task, AbsTaskAggregate):
        parts = ",".join(part.metadata.name for part in task.metadata.tasks)
        raise RequestError(f"{name} of MTEB is made of other tasks.", f"Name them: mteb:{parts}.")
    if list(task.metadata.modalities) != ["text"]:
        raise RequestError(f"{name} of MTEB is not about text alone.", "Choose a task of texts.")
    return task


def _held(rows: Rows) -> object:
    """Rows as MTEB holds them; those of BUCC, whose columns differ in length, in a dict."""
    from datasets import Dataset

    return dict(rows) if "gold" in rows else Dataset.from_dict(dict(rows))
