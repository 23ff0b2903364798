"""What a test set is: one record type per kind, and the benchmark that yields them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from isoglot.artefact import digest_json
from isoglot.corpus.benchmarks.entry import Entry
from isoglot.errors import RequestError

Kind = Literal["search", "sts", "mining", "nli", "clustering"]
R = TypeVar("R")


class Translation(NamedTuple):
    """Similarity search: a sentence and its translation, both among as many others as there are rows."""

    source: str
    target: str


class Similarity(NamedTuple):
    """Semantic textual similarity: two sentences and the human score of their likeness, 0 to 5, or 0 to 1."""

    sentence1: str
    sentence2: str
    score: float


class Line(NamedTuple):
    """Bitext mining: one sentence of one side; `side` 0 is in the first language of the benchmark, 1 in the second."""

    identifier: str
    text: str
    side: int


class Inference(NamedTuple):
    """Natural language inference: `label` is one of `LABELS`, or something else where people disagreed."""

    premise: str
    hypothesis: str
    label: str


LABELS = ("contradiction", "entailment", "neutral")  # of an inference, in the order of class numbers


class Labelled(NamedTuple):
    """Clustering: a sentence, and the class that it belongs to."""

    label: str
    sentence: str


Record = Translation | Similarity | Line | Inference | Labelled


@dataclass(frozen=True)
class Benchmark:
    """One test set in one language, or between two.

    Attributes:
        name: the test set, such as `tatoeba-v1` or `stsb`.
        kind: which record type `read` yields.
        languages: canonical tags of first and second text of a record; equal in a monolingual set.
        split: `train`, `dev`, `test`, ...; empty when the test set has only one.
        files: everything that is read.
        read: opens the files and yields their records in order.
        gold: bitext mining: yields the pairs of identifiers that are translations, first language first; None when
            the set does not tell them.
    """

    name: str
    kind: Kind
    languages: tuple[str, str]
    split: str
    files: tuple[Entry, ...]
    read: Callable[[], Iterator[Record]]
    gold: Callable[[], Iterator[tuple[str, str]]] | None = None

    @property
    def test_set(self) -> str:
        """Name and split: all languages of one test set that are reported together, such as `stsb-test`."""
        return f"{self.name}-{self.split}" if self.split else self.name

    @property
    def digest(self) -> str:
        """sha256 of what the benchmark is and of its unpacked files, so packing a file changes nothing."""
        return digest_json(
            [self.test_set, self.kind, self.languages, [entry.digest() for entry in self.files]]
        )

    def records(self, kind: type[R]) -> Iterator[R]:
        """Yield the records of a benchmark that is expected to be of one kind.

        Raises:
            RequestError: it is of another kind.
        """
        for record in self.read():
            if not isinstance(record, kind):
                raise RequestError(
                    f"{self.test_set} holds {type(record).__name__} records, not {kind.__name__}.",
                    "Give a test set of the task's kind.",
                )
            yield record

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Yield every sentence with the tag of its language: (tag, text)."""
        first, second = self.languages
        for record in self.read():
            if isinstance(record, Line):
                yield self.languages[record.side], record.text
            elif isinstance(record, Labelled):
                yield first, record.sentence
            else:
                yield first, record[0]
                yield second, record[1]
