"""NLI and graded pairs to learn from, without those of test sets that will be reported."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from isoglot.corpus.audit.index import Index, build_index
from isoglot.corpus.benchmarks import hub
from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.benchmarks.record import Benchmark, Inference, Kind, Similarity
from isoglot.corpus.sources.hf import open_dataset
from isoglot.corpus.split import keys
from isoglot.errors import RequestError

HUB = "hf:"
_NOT_FOR_TRAINING = ("dev", "test")
P = TypeVar("P", Inference, Similarity)


@dataclass(frozen=True)
class Graded:
    """Graded pairs to train on, and others to look at meanwhile, which may be none."""

    train: list[Similarity]
    dev: list[Similarity]


def digest_of_hub(text: str) -> str:
    """Digest of what `hf:ORG/NAME/CONFIG` names at this moment."""
    return open_dataset(text.removeprefix(HUB)).sha256


def read_nli(text: str, language: str | None) -> list[Inference]:
    """Read NLI pairs to train on: `hf:ORG/NAME/CONFIG`, or a folder, zip or file; its splits dev and test stay unread.

    Args:
        text: where they are.
        language: of the one set that there must be, a canonical tag; None: of all languages that there are.

    Returns:
        The pairs in order; those that nobody could label too, which have another label than the three.

    Raises:
        RequestError: there are none.
        DamagedError: a file is damaged.
    """
    if text.startswith(HUB):
        return list(hub.inferences(open_dataset(text.removeprefix(HUB))))
    found = [one for one in _of(text, "nli", language) if one.split not in _NOT_FOR_TRAINING]
    chosen = found if found and language is None else [_only(found, text, "nli", language)]
    return [pair for one in chosen for pair in one.records(Inference)]


def read_graded(text: str, language: str) -> Graded:
    """Read graded pairs: `hf:ORG/NAME`, or a folder, zip or file; splits `train` and, where there is one, `dev`.

    Raises:
        RequestError: there are none in this language.
        DamagedError: a file is damaged.
    """
    if text.startswith(HUB):
        dataset = open_dataset(text.removeprefix(HUB))
        pairs = hub.similarities(dataset, "train")
        try:
            return Graded(pairs, hub.similarities(dataset, "validation"))
        except RequestError:  # the dataset was read just now, so it has no such split
            return Graded(pairs, [])
    found = _of(text, "sts", language)
    train = [one for one in found if one.split not in _NOT_FOR_TRAINING]
    dev = [pair for one in found if one.split == "dev" for pair in one.records(Similarity)]
    return Graded(list(_only(train, text, "sts", language).records(Similarity)), dev)


def notice_of(data: Mapping[str, str | None]) -> str:
    """Name data whose terms nobody has told, for a NOTICE: what it is -> where it was read, None for nowhere."""
    return "\n".join(
        f"{what}: {text if text.startswith(HUB) else Path(text).name} (its licence is that of its origin)"
        for what, text in data.items()
        if text
    )


def drawn(records: Sequence[P], most: int | None, seed: int) -> Sequence[P]:
    """Draw a random sample of so many records, in their order; all, when there are no more."""
    if most is None or most >= len(records):
        return records
    chosen = random.Random(seed).sample(range(len(records)), most)  # noqa: S311  a sample, no secret
    return [records[number] for number in sorted(chosen)]


def without_leaks(
    records: Sequence[P], benchmarks: Sequence[Benchmark], language: str
) -> tuple[Sequence[P], dict[str, int]]:
    """Leave out pairs with a sentence that is in a test set.

    Returns:
        The others, and test set -> pairs with a sentence of it.
    """
    if not benchmarks:
        return records, {}
    index = build_index(benchmarks, language, with_ngrams=False)
    found = _leaking(records, index)
    counts = {name: len(rows) for name, rows in found.items()}
    leaking = set[int]().union(*found.values())
    return [record for number, record in enumerate(records) if number not in leaking], counts


def _leaking(records: Sequence[P], index: Index) -> dict[str, set[int]]:
    """Test set -> numbers of the records with a sentence of it."""
    found: dict[str, set[int]] = {name: set() for name in index.test_sets}
    for side in (0, 1):
        for match in index.source.exact(list(keys([str(record[side]) for record in records]))):
            found[match.mark.test_set].add(match.row)
    return found


def _of(text: str, kind: Kind, language: str | None) -> list[Benchmark]:
    """Sets of a kind in a language, or in any."""
    found = [one for one in open_benchmarks([Path(text).expanduser()]) if one.kind == kind]
    return [one for one in found if language is None or one.languages == (language, language)]


def _only(found: Sequence[Benchmark], text: str, kind: Kind, language: str | None) -> Benchmark:
    if len(found) != 1:
        named = ", ".join(str(one.files[0]) for one in found) or "none"
        what = {"nli": "NLI", "sts": "graded pairs"}[kind]
        raise RequestError(
            f"{text} holds {named} for training on {what} in {language or 'any language'}, and there must be one.",
            "Name one file with the split train, or with none; objective.siamese.language chooses among languages.",
        )
    return found[0]
