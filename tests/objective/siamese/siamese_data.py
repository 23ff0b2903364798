"""A small NLI set and a small graded set, made in code: a sentence entails one that says less."""

from __future__ import annotations

import gzip
from pathlib import Path

import tiny

NOUNS = tiny.WORDS[9:15]


def inferences(count: int = 240) -> list[tuple[str, str, str]]:
    """Premise, hypothesis and label, as the data spells them; every premise has one of each label."""
    rows = []
    for number in range(count // 3):
        premise = tiny.sentence(number * 11)
        article, colour, noun, verb, when = premise.split()
        other = NOUNS[(NOUNS.index(noun) + 1) % len(NOUNS)]
        rows += [
            (premise, f"{article} {noun} {verb}", "entailment"),
            (premise, f"{article} {other} {verb}", "contradictory"),
            (premise, f"{article} {colour} {noun} never {when}", "neutral"),
        ]
    return rows


def similarities(count: int = 200, start: int = 0) -> list[tuple[float, str, str]]:
    """Score and two sentences: 3.5 for the same noun and 1.5 for the same verb; what else they share says nothing."""
    rows = []
    for number in range(start, start + count):
        first = tiny.sentence(number * 13)
        second = tiny.sentence(number * 13 + [0, 2, 14, 28, 98, 501, 1207][number % 7])
        one, other = first.split(), second.split()
        rows.append((3.5 * (one[2] == other[2]) + 1.5 * (one[3] == other[3]), first, second))
    return rows


def write_nli(folder: Path, rows: list[tuple[str, str, str]] | None = None) -> Path:
    """Write `nli/eng.tsv.gz` below a folder."""
    path = folder / "nli" / "eng.tsv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["premise\thypothesis\tlabel", *("\t".join(row) for row in rows or inferences())]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return path


def write_sts(folder: Path) -> Path:
    """Write `stsb/en-train.tsv` and `stsb/en-dev.tsv` below a folder."""
    target = folder / "stsb"
    target.mkdir(parents=True, exist_ok=True)
    for split, rows in (("train", similarities()), ("dev", similarities(100, 1000))):
        lines = ["score\tsentence1\tsentence2", *(f"{score}\t{a}\t{b}" for score, a, b in rows)]
        (target / f"en-{split}.tsv").write_text("\n".join(lines) + "\n")
    return target
