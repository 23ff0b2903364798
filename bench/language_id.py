"""Language identification: our speed beside py3langid's own, and what the filter drops on real text.

    python bench/language_id.py speed --data DIR [--json]
    python bench/language_id.py rates --data DIR [--sets tatoeba xnli] [--rows 3000] [--json]

DIR holds `<set>/eng-<language>.tsv.gz` with a header and the columns source_lang, target_lang, source and target.
`speed` gives both sides the same sentences of 40 to 60 characters in turns, in one process, and compares the medians
of the processor time. `rates` counts, for each file whose language is checked, the rows that the filter calls wrong:
as they are, with the English side in place of the target, and with targets of other files of the set.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from isoglot.config import CleanConfig
from isoglot.corpus.clean import identify
from isoglot.corpus.clean.chain import batch_of
from isoglot.corpus.clean.column import Column
from isoglot.corpus.clean.language import accepted, is_checked, is_other, wrong_language
from isoglot.corpus.languages import parse
from isoglot.corpus.pair import Pair

SENTENCES, ROUNDS = 12_000, 5
TAKEN_FROM = ("tatoeba", "xnli")
KINDS = ("as it is", "English", "another")  # what stands in the place of the target
T = TypeVar("T")


class Sample(NamedTuple):
    """Some rows of one file."""

    set: str
    tag: str
    english: list[str]
    target: list[str]


def main() -> None:
    """Print one measurement, as lines or as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("speed", "rates"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=TAKEN_FROM, help="folders of DIR")
    parser.add_argument("--rows", type=int, default=3_000, help="rows taken from each file")
    parser.add_argument("--probability", type=float, default=CleanConfig().language_probability)
    parser.add_argument("--min-chars", type=int, default=CleanConfig().language_min_chars)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    samples = read(options.data, options.sets, options.rows)
    if options.what == "speed":
        result = speed(samples)
        print(json.dumps(result) if options.json else "\n".join(f"{k}: {v}" for k, v in result.items()))
    else:
        table = rates(samples, options.probability, options.min_chars)
        print(json.dumps(table) if options.json else shown(table))


def read(data: Path, sets: Sequence[str], rows: int) -> list[Sample]:
    """Read a random sample of each file whose language is checked."""
    samples = []
    for path in sorted(path for name in sets for path in (data / name).glob("eng-*.tsv.gz")):
        tag = parse(path.name[len("eng-") : -len(".tsv.gz")])
        if is_checked(tag):
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
                pairs = [line.rstrip("\n").split("\t")[2:] for line in lines][1:]
            chosen = random.Random(0).sample(pairs, min(rows, len(pairs)))
            samples.append(Sample(path.parent.name, tag, [s for s, _ in chosen], [t for _, t in chosen]))
    return samples


def speed(samples: Sequence[Sample]) -> dict[str, object]:
    """Sentences per second of processor time, both sides in turns, with the same answers or an error."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    texts = [text for sample in samples if sample.set in TAKEN_FROM for text in sample.target]
    texts = [text for text in texts if 40 <= len(text) <= 60]
    texts = random.Random(0).sample(texts, min(SENTENCES, len(texts)))
    library = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    theirs, ours = [], []
    identify.probabilities(texts[:100])  # the model is loaded once
    for _ in range(ROUNDS):
        seconds, answers = timed(lambda: [library.classify(text) for text in texts])
        theirs.append(seconds)
        seconds, found = timed(lambda: identify.probabilities(texts))
        ours.append(seconds)
    labels = [identify.model().labels[place] for place in found.argmax(axis=1)]
    differences = np.abs(found.max(axis=1) - np.array([probability for _, probability in answers]))
    seconds_a_pair = filter_seconds(samples)
    return {
        "sentences": len(texts),
        "characters each": round(statistics.mean(map(len, texts)), 1),
        "bytes each": round(statistics.mean(len(text.encode()) for text in texts), 1),
        "py3langid sentences/s": round(len(texts) / statistics.median(theirs)),
        "isoglot sentences/s": round(len(texts) / statistics.median(ours)),
        "ratio": round(statistics.median(theirs) / statistics.median(ours), 1),
        "other labels": sum(ours != theirs for ours, (theirs, _) in zip(labels, answers, strict=True)),
        "largest difference of a probability": float(f"{differences.max():.1e}"),
        "filter, both sides, pairs/s": round(1 / seconds_a_pair),
    }


def filter_seconds(samples: Sequence[Sample]) -> float:
    """Processor time of the filter with its defaults, per pair of the tatoeba files, in batches of one file."""
    config, total, pairs = CleanConfig(), 0.0, 0
    for sample in samples:
        if sample.set == TAKEN_FROM[0]:
            rows = zip(sample.english, sample.target, strict=True)
            batch = batch_of([Pair(s, t, "en", sample.tag, sample.set) for s, t in rows], "en", config)
            alive = np.ones(len(batch), np.bool_)
            total += timed(functools.partial(wrong_language, batch, config, alive))[0]
            pairs += len(batch)
    return total / pairs


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Run something; return its seconds of processor time and its answer."""
    start = time.process_time()
    answer = work()
    return time.process_time() - start, answer


def rates(samples: Sequence[Sample], probability: float, min_chars: int) -> list[dict[str, Any]]:
    """Measure one row per file: the shares of rows that the filter calls wrong."""
    table = []
    for sample in samples:
        row: dict[str, Any] = {"set": sample.set, "language": sample.tag, "rows": len(sample.target)}
        for kind, texts in zip(KINDS, (sample.target, sample.english, swapped(sample, samples)), strict=True):
            long = Column.of(texts).weighted_lengths >= min_chars
            checked = [text for text, enough in zip(texts, long, strict=True) if enough]
            wrong = is_other(checked, [sample.tag], np.zeros(len(checked), np.int64), probability)
            row[kind] = {
                "checked": len(checked) / max(len(texts), 1),
                "wrong": float(wrong.sum()) / max(len(checked), 1),
            }
        table.append(row)
    return table


def swapped(sample: Sample, samples: Sequence[Sample]) -> list[str]:
    """Draw as many targets from the set's other files, each of a language that is no relative."""
    own = (accepted(sample.tag) or frozenset()) - {"zxx"}
    others = [s for s in samples if s.set == sample.set and own.isdisjoint(accepted(s.tag) or ())]
    draw = random.Random(0)
    return [draw.choice(draw.choice(others).target) for _ in sample.target]


def shown(table: Sequence[dict[str, Any]]) -> str:
    """Lay the table out: one line per file, then the means of each set."""
    means = []
    for name in dict.fromkeys(row["set"] for row in table):
        rows = [row for row in table if row["set"] == name]
        mean: dict[str, Any] = {
            "set": name,
            "language": f"mean of {len(rows)}",
            "rows": sum(r["rows"] for r in rows),
        }
        for kind in KINDS:
            mean[kind] = {
                key: statistics.mean(row[kind][key] for row in rows) for key in ("checked", "wrong")
            }
        means.append(mean)
    heads = ("set", "language", "rows", "checked", *(f"{kind}: wrong" for kind in KINDS))
    lines = [" | ".join(heads)]
    for row in (*sorted(table, key=lambda row: -row["as it is"]["wrong"]), *means):
        cells = [row["set"], row["language"], str(row["rows"]), f"{row['as it is']['checked']:.0%}"]
        lines.append(" | ".join([*cells, *(f"{row[kind]['wrong']:.2%}" for kind in KINDS)]))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
