"""Ranking in the loop on a real, small student: it learns every task, and resumes bit for bit with its heads."""

import dataclasses

import numpy as np
import pytest
import torch
from tests.objective.ranking import samples

from isoglot.config import TrainConfig
from isoglot.evaluate.retrieval import top1_accuracy
from isoglot.objective.ranking.batches import epoch
from isoglot.objective.ranking.negatives import mine_negatives
from isoglot.objective.ranking.objective import new_objective
from isoglot.objective_config import RankingConfig
from isoglot.train.loop import Run, train
from isoglot.train.validation import DevScore
from stopping import StoppedError, stopping_at

CONFIG = TrainConfig(epochs=6, batch_tokens=512, learning_rate=1e-3, head_learning_rate=1e-3, evaluations=3)
BLANK = DevScore(0.0, None, None, "de", 0.0, 20.0, 0.1)


def make_run(tiny_folder, folder, config=CONFIG, ranking=None, nli=24, answers=24, hard=0):
    student, texts = samples.material(tiny_folder, nli=nli, answers=answers)
    negatives = mine_negatives(texts, student.encode(texts.texts[:180]), hard) if hard else None
    objective = new_objective(texts, ranking or RankingConfig(), config, 3, student, negatives)
    sources, targets = texts.texts[:60], texts.texts[60:180:2]

    def look(encoder):
        found = top1_accuracy(encoder.encode(targets), encoder.encode(sources), np.arange(60))
        return dataclasses.replace(BLANK, retrieval=found)

    return Run(student, objective, look, config, seed=3, folder=folder, request="r")


def weights(run):
    parts = {"student": run.student.model, "beside": run.objective.beside}
    return {
        f"{part}.{name}": tensor.clone()
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }


@pytest.mark.parametrize("hard", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_training_raises_retrieval(tiny_folder, tmp_path, hard):
    config = CONFIG.model_copy(update={"epochs": 12.0, "batch_tokens": 256})
    outcome = train(make_run(tiny_folder, tmp_path, config, nli=0, answers=0, hard=hard)).progressed
    assert outcome.start.retrieval < 0.3
    assert outcome.best.retrieval > outcome.start.retrieval + 0.4


def losses(run):
    """Mean loss of each task over an epoch."""
    found = {}
    with torch.no_grad():
        for batch in run.objective.epoch(0):
            found.setdefault(batch.task, []).append(float(run.objective.loss(run.student, batch)))
    return {task: float(np.mean(values)) for task, values in found.items()}


@pytest.mark.slow
def test_every_task_is_learned(tiny_folder, tmp_path):
    config = CONFIG.model_copy(update={"epochs": 12.0})
    run = make_run(tiny_folder, tmp_path, config, RankingConfig(batches={"translation": 1}))
    before = losses(run)
    train(run)
    after = losses(run)
    assert before.keys() == after.keys() == {"translation", "nli", "responses"}
    for task, loss in after.items():
        assert loss < 0.8 * before[task], task


@pytest.mark.slow
@pytest.mark.parametrize("look", [2, pytest.param(3, marks=pytest.mark.faults)])
def test_a_resumed_run_ends_with_the_same_bits_heads_included(tiny_folder, tmp_path, look):
    whole = make_run(tiny_folder, tmp_path / "whole", hard=2)
    untouched = weights(whole)
    train(whole)
    first = make_run(tiny_folder, tmp_path / "parts", hard=2)
    with pytest.raises(StoppedError):
        train(dataclasses.replace(first, validate=stopping_at(look, first.validate)))
    second = make_run(tiny_folder, tmp_path / "parts", hard=2)
    train(second)
    ours, theirs = weights(second), weights(whole)
    assert any(name.startswith("beside.nli") for name in ours)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not all(torch.equal(ours[name], untouched[name]) for name in ours if name.startswith("beside."))


def test_heads_are_drawn_from_the_seed_alone(tiny_folder, tmp_path):
    one = make_run(tiny_folder, tmp_path).objective.beside.state_dict()
    torch.manual_seed(99)
    state = torch.get_rng_state()
    other = make_run(tiny_folder, tmp_path).objective.beside.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_heads_there_are_follow_the_data_and_the_option(tiny_folder, tmp_path):
    assert list(make_run(tiny_folder, tmp_path, nli=0, answers=0).objective.beside) == []
    assert list(make_run(tiny_folder, tmp_path, answers=0).objective.beside) == ["nli"]
    without = RankingConfig(batches={"nli": 0})
    assert list(make_run(tiny_folder, tmp_path, ranking=without).objective.beside) == ["responses"]
    for product, parts in ((True, 4), (False, 3)):
        run = make_run(tiny_folder, tmp_path, ranking=RankingConfig(nli_product=product))
        assert run.objective.beside["nli"].linear.in_features == parts * 32


def test_each_distinct_text_passes_through_the_student_once(tiny_folder, tmp_path):
    run = make_run(tiny_folder, tmp_path, hard=3)
    batch = next(batch for batch in run.objective.epoch(0) if batch.task == "translation")
    distinct = sorted(set(batch.rows.tolist()))
    assert len(distinct) < len(batch.rows)
    lengths = run.objective.pairs.tokens.lengths
    assert run.objective.tokens(batch) == int(lengths[distinct].sum())
    with torch.no_grad():
        vectors = run.objective._vectors(run.student, batch.rows)
    assert np.allclose(vectors.numpy(), run.student.encode(run.objective.texts(batch)), atol=1e-5)
    assert run.objective.texts(batch) == [run.objective.pairs.texts[row] for row in run.objective.rows(batch)]


def loss_with(tiny_folder, tmp_path, task, **options):
    run = make_run(tiny_folder, tmp_path, ranking=RankingConfig(**options), hard=2)
    batch = next(batch for batch in run.objective.epoch(0) if batch.task == task)
    with torch.no_grad():
        return float(run.objective.loss(run.student, batch))


def test_the_options_of_the_loss_have_their_effect(tiny_folder, tmp_path):
    plain = loss_with(tiny_folder, tmp_path, "translation", margin=0.0)
    assert loss_with(tiny_folder, tmp_path, "translation", margin=0.3) > plain + 0.3
    assert loss_with(tiny_folder, tmp_path, "translation", margin=0.0, scale=1.0) != plain
    assert loss_with(tiny_folder, tmp_path, "translation", margin=0.0, bidirectional=False) != plain
    answers = [loss_with(tiny_folder, tmp_path, "responses", margin=margin) for margin in (0.0, 0.3)]
    assert answers[0] == answers[1]
    assert loss_with(tiny_folder, tmp_path, "responses", scale=1.0) != answers[0]


def test_translations_of_one_source_are_not_pushed_apart(tiny_folder, tmp_path):
    """Every text of such a batch is right for every other: nothing is left to be told apart."""
    run = make_run(tiny_folder, tmp_path, nli=0, answers=0)
    some = next(iter(epoch(run.objective.pairs, CONFIG, (0, 0), {})))
    own = np.array([62, 63])  # the translations of source 1
    batch = dataclasses.replace(
        some, first=np.array([1, 1]), second=own, negatives=own[:0], labels=own * 0,
        weights=np.ones(2, np.float32),
    )  # fmt: skip
    assert float(run.objective.loss(run.student, batch).detach()) == pytest.approx(0, abs=1e-7)
    other = dataclasses.replace(batch, first=np.array([1, 2]), second=np.array([62, 64]))
    assert float(run.objective.loss(run.student, other).detach()) > 0


def test_a_weight_counts_in_the_mean_and_among_batches(tiny_folder):
    student, texts = samples.material(tiny_folder, weight=np.linspace(0.1, 3, 120).astype(np.float32))
    objective = new_objective(texts, RankingConfig(), CONFIG, 0, student)
    batch = next(iter(objective.epoch(0)))
    assert objective.weight(batch) == pytest.approx(float(texts.weight[batch.second - 60].sum()))
    even = dataclasses.replace(batch, weights=np.ones_like(batch.weights))
    with torch.no_grad():
        assert float(objective.loss(student, batch)) != float(objective.loss(student, even))
