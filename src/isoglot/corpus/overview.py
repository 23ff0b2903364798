"""What there is to see of a corpus: its counts, examples of what was dropped, and the shares of its languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isoglot.corpus.languages import name
from isoglot.corpus.mixing import draw_translations, language_weights, shares
from isoglot.corpus.store import Corpus
from isoglot.corpus.stream import batches
from isoglot.errors import RequestError

# Groups are in random order, so the first translations are a random sample; it bounds time and memory.
SAMPLE_ROWS = 1 << 20


@dataclass(frozen=True)
class Mixing:
    """How an epoch draws: sampling temperature, and at most so many translations per source sentence."""

    temperature: float
    targets_per_group: int


@dataclass(frozen=True)
class Part:
    """Rows of one corpus, one language or both, and what became of them.

    Attributes:
        corpus: name of the source corpus; empty: all.
        lang: canonical tag; empty: all.
        read: rows read.
        kept: rows kept.
        dropped: reason -> rows.
    """

    corpus: str
    lang: str
    read: int
    kept: int
    dropped: Mapping[str, int]

    @property
    def lost(self) -> int:
        """Rows dropped, whatever the reason."""
        return sum(self.dropped.values())

    @property
    def reasons(self) -> tuple[tuple[str, int], ...]:
        """Reasons with their rows, most rows first."""
        return tuple(sorted(self.dropped.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class Language:
    """One language of the corpus.

    Attributes:
        part: its rows over all corpora.
        name: English display name.
        splits: split -> rows kept.
        share: of the translations that one epoch of training draws, 0..1.
        unchecked: rows whose language the identifier does not know, so that it could not be wrong.
        lengths: kept rows per class of length; see `Overview.edges`.
    """

    part: Part
    name: str
    splits: Mapping[str, int]
    share: float
    unchecked: int
    lengths: tuple[int, ...]


@dataclass(frozen=True)
class Overview:
    """Everything that `corpus show` shows.

    Attributes:
        title: name of the folder.
        total: all rows.
        sources: split -> distinct source sentences.
        languages: by rows kept, most first.
        parts: rows per corpus and language, most dropped first.
        examples: reason, lang, corpus, source and target of dropped rows.
        edges: lower ends of the classes of length, in characters; the last class has no upper end.
        source_lengths: distinct source sentences per class.
        mixing: what the shares of the languages were drawn with.
        notice: terms and attribution of the sources.
    """

    title: str
    total: Part
    sources: Mapping[str, int]
    languages: tuple[Language, ...]
    parts: tuple[Part, ...]
    examples: tuple[Mapping[str, str], ...]
    edges: tuple[int, ...]
    source_lengths: tuple[int, ...]
    mixing: Mixing
    notice: str

    @property
    def corpora(self) -> tuple[Part, ...]:
        """Rows per corpus, over all languages, most read first."""
        names = {part.corpus for part in self.parts}
        found = [_summed([part for part in self.parts if part.corpus == corpus], corpus) for corpus in names]
        return tuple(sorted(found, key=lambda part: (-part.read, part.corpus)))

    @property
    def target_lengths(self) -> tuple[int, ...]:
        """Translations of all languages per class of length."""
        return tuple(map(sum, zip(*(language.lengths for language in self.languages), strict=True)))

    @property
    def unchecked(self) -> int:
        """Rows of all languages that the identifier does not know."""
        return sum(language.unchecked for language in self.languages)

    def examples_of(self, reason: str, most: int) -> list[Mapping[str, str]]:
        """Up to `most` dropped rows of a reason: the first of each language, then the second of each, and so on."""
        rows = [row for row in self.examples if row["reason"] == reason]
        seen: Counter[str] = Counter()
        order = []
        for number, row in enumerate(rows):
            seen[row["lang"]] += 1
            order.append((seen[row["lang"]], row["lang"], number))
        return [rows[number] for _, _, number in sorted(order)[:most]]


def overview(corpus: Corpus, mixing: Mixing) -> Overview:
    """Read what there is to see of a corpus folder.

    Raises:
        RequestError: an older isoglot built the folder and counted less.
        DamagedError: a file is missing or cannot be read.
    """
    counts = corpus.manifest.counts
    if not {"by corpus", "lengths", "unchecked"} <= counts.keys():
        raise RequestError(
            f"{corpus.folder} was built by an older isoglot that counted less.",
            "Build it again with isoglot corpus build.",
        )
    lengths = counts["lengths"]
    found = language_shares(corpus, mixing)
    languages = [
        Language(
            part=Part("", tag, of["read"], of["kept"], of["dropped"]),
            name=name(tag),
            splits=of["splits"],
            share=found.get(tag, 0.0),
            unchecked=counts["unchecked"].get(tag, 0),
            lengths=tuple(lengths["target"].get(tag, [0] * len(lengths["edges"]))),
        )
        for tag, of in counts["languages"].items()
    ]
    parts = [
        Part(of["corpus"], of["lang"], of["read"], of["kept"], of["dropped"]) for of in counts["by corpus"]
    ]
    return Overview(
        title=corpus.folder.resolve().name,
        total=Part("", "", counts["read"], counts["kept"], counts["dropped"]),
        sources=counts["sources"],
        languages=tuple(sorted(languages, key=lambda one: (-one.part.kept, one.part.lang))),
        parts=tuple(sorted(parts, key=lambda part: (-part.lost, part.corpus, part.lang))),
        examples=tuple(corpus.dropped()),
        edges=tuple(lengths["edges"]),
        source_lengths=tuple(lengths["source"]),
        mixing=mixing,
        notice=corpus.notice,
    )


def language_shares(corpus: Corpus, mixing: Mixing) -> dict[str, float]:
    """Share of each language among the translations that an epoch over the train split draws, 0..1.

    Exact for one epoch of up to `SAMPLE_ROWS` translations, and of a sample as large beyond that; another epoch
    differs by chance.
    """
    tags = corpus.languages
    place = {tag: number for number, tag in enumerate(tags)}
    groups, languages, rows = [], [], 0
    for batch in batches(corpus, "targets", "train", ["group", "lang"]):
        codes = batch.column("lang").dictionary_encode()
        numbers = np.array([place[tag] for tag in codes.dictionary.to_pylist()], np.int16)
        groups.append(batch.column("group").to_numpy())
        languages.append(numbers[codes.indices.to_numpy()])
        rows += batch.num_rows
        if rows >= SAMPLE_ROWS:
            break
    if not rows:
        return dict.fromkeys(tags, 0.0)
    counts = corpus.manifest.counts["languages"]
    sizes = np.array([counts[tag]["splits"]["train"] for tag in tags])
    language = np.concatenate(languages)
    weights = language_weights(sizes, mixing.temperature)[language]
    drawn = draw_translations(np.concatenate(groups), weights, mixing.targets_per_group, (0, 0))
    return dict(zip(tags, shares(language, drawn, len(tags)).tolist(), strict=True))


def _summed(parts: list[Part], corpus: str) -> Part:
    dropped: Counter[str] = Counter()
    for part in parts:
        dropped.update(part.dropped)
    return Part(corpus, "", sum(part.read for part in parts), sum(part.kept for part in parts), dropped)
