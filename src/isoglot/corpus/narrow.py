"""A corpus without some of its pairs: what another stage judged is left out, counted and shown like every filter's."""

from __future__ import annotations

import copy
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import Manifest, publish
from isoglot.corpus.arrange import LENGTH_EDGES
from isoglot.corpus.split import SPLITS, Split
from isoglot.corpus.store import DROPPED, KIND, NOTICE, Corpus, ShardWriter, schemas
from isoglot.corpus.stream import batches
from isoglot.errors import IsoglotError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Verdicts:
    """Which pairs stay, and why the others do not.

    Attributes:
        reason: users see it in the counts.
        keep: of each split, bool [pairs], in the order of the split.
        examples: language -> rows (corpus, source, target) to look at.
        judged: options of the judgement, kept in the manifest under the name of the reason.
        judges: name -> digest of what the judgement was made with.
        told: what is worth knowing of it, kept among the counts under the name of the reason.
    """

    reason: str
    keep: Mapping[Split, NDArray[np.bool_]]
    examples: Mapping[str, Sequence[tuple[str, str, str]]]
    judged: Mapping[str, Any]
    judges: Mapping[str, str]
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Found:
    """What was counted while writing."""

    lost: Counter[tuple[str, str]] = field(default_factory=Counter)  # corpus and language
    kept: Counter[tuple[str, Split]] = field(default_factory=Counter)  # language and split
    sources: dict[Split, int] = field(default_factory=dict)
    source_lengths: Counter[int] = field(default_factory=Counter)
    target_lengths: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))


def request(corpus: Corpus, verdicts: Verdicts) -> Manifest:
    """The manifest of the narrower corpus, without counts: it says what was asked for."""
    old = corpus.manifest
    config = {**old.config, verdicts.reason: dict(verdicts.judged)}
    inputs = {**old.inputs, f"corpus {corpus.folder.name}": old.digest, **verdicts.judges}
    return Manifest(KIND, inputs, config, {})


def narrow(corpus: Corpus, verdicts: Verdicts, out: Path) -> Corpus:
    """Write a corpus folder with the pairs that stay; source sentences without any are left out too.

    Splits stay as they are, and sources keep their order, so every prefix of a split is still a random sample.

    Raises:
        RequestError: something else has the name `out`.
        DamagedError: the corpus cannot be read.
        IsoglotError: no pair stays.
    """
    manifest, found = request(corpus, verdicts), _Found()
    if not any(keep.any() for keep in verdicts.keep.values()):
        raise IsoglotError("No pair would be left.", f"Loosen the option ({verdicts.reason}).")
    with publish(out, manifest) as folder:
        for split in SPLITS:
            _write(corpus, folder, split, verdicts.keep[split], found)
        assert isinstance(manifest.counts, dict)  # noqa: S101  made by `request`
        manifest.counts.update(_counts(corpus.manifest.counts, verdicts.reason, found))
        manifest.counts[verdicts.reason] = dict(verdicts.told)
        _write_dropped(corpus, verdicts, folder)
        shutil.copy(corpus.folder / NOTICE, folder / NOTICE)
        if (corpus.folder / "licences").is_dir():
            shutil.copytree(corpus.folder / "licences", folder / "licences")
    return Corpus.open(out)


def _write(corpus: Corpus, folder: Path, split: Split, keep: NDArray[np.bool_], found: _Found) -> None:
    first = sum(found.sources.values())
    numbers = [batch["group"].to_numpy() for batch in batches(corpus, "targets", split, ["group"])]
    staying = np.unique(np.concatenate([np.empty(0, np.int32), *numbers])[keep])
    targets, sources = (ShardWriter(folder, table, split) for table in ("targets", "sources"))
    for batch, own in _with_verdicts(corpus, split, keep):
        lost = batch.filter(~own)
        found.lost.update(zip(lost["corpus"].to_pylist(), lost["lang"].to_pylist(), strict=True))
        kept = batch.filter(own)
        targets.write(_renumbered(kept, staying, first))
        _count(kept, split, found)
    for batch in batches(corpus, "sources", split, schemas()["sources"].names):
        kept = batch.filter(np.isin(batch["group"].to_numpy(), staying))
        sources.write(_renumbered(kept, staying, first))
        found.source_lengths.update(_classes(kept["source"]).tolist())
    for writer in (targets, sources):
        writer.close()
    found.sources[split] = sources.rows


def _with_verdicts(
    corpus: Corpus, split: Split, keep: NDArray[np.bool_]
) -> Iterator[tuple[pa.RecordBatch, NDArray[np.bool_]]]:
    start = 0
    for batch in batches(corpus, "targets", split, schemas()["targets"].names):
        yield batch, keep[start : start + batch.num_rows]
        start += batch.num_rows


def _renumbered(batch: pa.RecordBatch, staying: NDArray[np.int32], first: int) -> pa.RecordBatch:
    """Number the groups that stay from `first` on."""
    import pyarrow as pa

    numbers = pa.array((np.searchsorted(staying, batch["group"].to_numpy()) + first).astype(np.int32))
    return batch.set_column(batch.schema.get_field_index("group"), "group", numbers)


def _count(kept: pa.RecordBatch, split: Split, found: _Found) -> None:
    languages = np.array(kept["lang"].to_pylist(), object)
    classes = _classes(kept["target"])
    for tag in set(languages.tolist()):
        own = languages == tag
        found.kept[tag, split] += int(own.sum())
        found.target_lengths[tag].update(classes[own].tolist())


def _classes(texts: pa.Array) -> NDArray[np.intp]:
    """Class of each text by its length in characters."""
    import pyarrow.compute as pc

    lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    classes: NDArray[np.intp] = np.searchsorted(LENGTH_EDGES, lengths, side="right") - 1
    return classes


def _counts(old: Mapping[str, Any], reason: str, found: _Found) -> dict[str, Any]:
    """The counts of the corpus before, with what was lost taken from the kept rows and given to the reason."""
    counts = copy.deepcopy(dict(old))
    by_language: Counter[str] = Counter()
    for cell in counts["by corpus"]:
        lost = found.lost[cell["corpus"], cell["lang"]]
        by_language[cell["lang"]] += lost
        _move(cell, reason, lost)
    for tag, of in counts["languages"].items():
        _move(of, reason, by_language[tag])
        of["splits"] = {split: found.kept[tag, split] for split in SPLITS}
    _move(counts, reason, by_language.total())
    for name in list(counts["corpora"]):
        counts["corpora"][name] = sum(cell["kept"] for cell in counts["by corpus"] if cell["corpus"] == name)
    counts["corpora"] = {name: kept for name, kept in counts["corpora"].items() if kept}
    counts["sources"] = found.sources
    lengths = {tag: _by_class(lengths) for tag, lengths in sorted(found.target_lengths.items())}
    counts["lengths"] = {**counts["lengths"], "source": _by_class(found.source_lengths), "target": lengths}
    return counts


def _move(of: dict[str, Any], reason: str, lost: int) -> None:
    if lost:
        of["kept"] -= lost
        of["dropped"] = dict(sorted({**of["dropped"], reason: of["dropped"].get(reason, 0) + lost}.items()))


def _by_class(found: Counter[int]) -> list[int]:
    return [found[number] for number in range(len(LENGTH_EDGES))]


def _write_dropped(corpus: Corpus, verdicts: Verdicts, folder: Path) -> None:
    """Write the examples of the corpus before, and those of this reason."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = schemas()["dropped"].names
    rows = [tuple(row[name] for name in names) for row in corpus.dropped()]
    rows += [(verdicts.reason, tag, *row) for tag, some in verdicts.examples.items() for row in some]
    columns = list(zip(*sorted(set(rows)), strict=True)) or [()] * len(names)
    arrays = [list(column) for column in columns]
    pq.write_table(pa.table(arrays, schema=schemas()["dropped"]), folder / DROPPED, compression="zstd")
