"""An overview of a made-up corpus: languages of several scripts, every reason, examples, and one hostile text."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from isoglot.corpus.languages import name
from isoglot.corpus.overview import Language, Mixing, Overview, Part

ROWS = {"de": 9000, "ar": 4000, "zh-Hans": 2500, "sr-Latn": 800, "x-eml": 30}
REASONS = ("duplicate", "length ratio", "near-untranslated")
EDGES = (0, 10, 20, 30, 40, 60, 80)


def sample() -> Overview:
    parts = [
        Part(f"{corpus}/eng-{tag}", tag, rows, rows - rows // 5, _dropped(rows // 5))
        for tag, rows in ROWS.items()
        for corpus in ("films", "talks")
    ]
    languages = tuple(_language(tag, [part for part in parts if part.lang == tag]) for tag in ROWS)
    total = _sum("", parts)
    return Overview(
        title="sample",
        total=total,
        sources={"train": 9000, "dev": 500, "test": 500},
        languages=languages,
        parts=tuple(sorted(parts, key=lambda part: (-part.lost, part.corpus))),
        examples=tuple(
            {"reason": reason, "lang": tag, "corpus": f"films/eng-{tag}",
             "source": f"Source {number} of {tag}", "target": f"Ziel {number} für {tag}"}
            for reason in REASONS for tag in sorted(ROWS) for number in range(3)
        ),
        edges=EDGES,
        source_lengths=(10, 400, 3000, 4000, 2000, 500, 90),
        mixing=Mixing(0.5, 3),
        notice="This corpus was made from:\n\n- films (licence: CC-BY-4.0). By the people of films.\n",
    )  # fmt: skip


def hostile(text: str) -> Overview:
    """The sample with `text` in place of every text that a corpus or its files could bring."""
    seen = sample()
    # languages stay apart, so that tables keep their rows
    tags = {tag: f"{text}{number}" for number, tag in enumerate(ROWS)}
    corpora = {part.corpus: f"{text}{number}" for number, part in enumerate(seen.parts)}

    def part(one: Part) -> Part:
        dropped = {f"{text}{number}": rows for number, rows in enumerate(one.dropped.values())}
        return replace(one, corpus=corpora.get(one.corpus, ""), lang=tags.get(one.lang, ""), dropped=dropped)

    reasons = {reason: f"{text}{number}" for number, reason in enumerate(seen.total.dropped)}
    return replace(
        seen,
        title=text,
        total=part(seen.total),
        languages=tuple(replace(one, part=part(one.part), name=text) for one in seen.languages),
        parts=tuple(map(part, seen.parts)),
        examples=tuple(
            {
                "reason": reasons[row["reason"]],
                "lang": tags[row["lang"]],
                "corpus": text,
                "source": text,
                "target": text,
            }
            for row in seen.examples
        ),
        notice=f"{text}\n",
    )


def _language(tag: str, parts: list[Part]) -> Language:
    part = _sum(tag, parts)
    splits = {"train": part.kept - 2 * (part.kept // 20), "dev": part.kept // 20, "test": part.kept // 20}
    lengths = tuple(part.kept // 16 * times for times in (1, 2, 4, 4, 2, 2, 1))
    return Language(part, name(tag), splits, ROWS[tag] / sum(ROWS.values()), 0, lengths)


def _sum(tag: str, parts: list[Part]) -> Part:
    dropped: Counter[str] = Counter()
    for part in parts:
        dropped.update(part.dropped)
    return Part("", tag, sum(part.read for part in parts), sum(part.kept for part in parts), dropped)


def _dropped(rows: int) -> dict[str, int]:
    return {"duplicate": rows - 2 * (rows // 4), "length ratio": rows // 4, "near-untranslated": rows // 4}
