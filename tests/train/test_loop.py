"""The loop on a real, small student: it learns, resumes bit for bit, and refuses to ruin anything."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from isoglot.config import TrainConfig
from isoglot.errors import IsoglotError
from isoglot.train import checkpoint
from isoglot.train.loop import train
from isoglot.train.schedule import plan, steps_in
from isoglot.train.validation import DevScore, beats, collapse
from small_loop import CONFIG, FLAT, make_run, same, weights
from stopping import StoppedError, stopping_at


def test_it_learns_and_the_student_holds_the_best_weights(trained):
    run, outcome = trained
    curve = outcome.progressed.curve
    assert curve[-1].score.r2 > curve[0].score.r2 + 0.05
    best = max(curve, key=lambda point: point.score.selection)
    assert outcome.progressed.best_step == best.step
    assert run.validate(run.student).selection == pytest.approx(best.score.selection, abs=1e-6)
    steps = [json.loads(line)["step"] for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert steps == list(range(1, outcome.progressed.schedule.steps + 1))


@pytest.fixture(scope="module")
def trained(tiny_folder, tmp_path_factory):
    """A finished run: its student holds the best weights, its folder the last two checkpoints."""
    run = make_run(tiny_folder, tmp_path_factory.mktemp("trained"))
    return run, train(run)


@pytest.mark.parametrize(
    "look", [pytest.param(2, marks=pytest.mark.faults), 3, pytest.param(4, marks=pytest.mark.faults)]
)
def test_a_resumed_run_ends_with_the_same_bits(tiny_folder, tmp_path, trained, look):
    first = make_run(tiny_folder, tmp_path / "parts")
    with pytest.raises(StoppedError):
        train(dataclasses.replace(first, validate=stopping_at(look, first.validate)))
    second = make_run(tiny_folder, tmp_path / "parts")
    outcome = train(second)
    assert same(weights(second), weights(trained[0]))
    assert len(outcome.progressed.curve) == 5


def test_a_finished_run_is_not_done_again(tiny_folder, tmp_path, trained):
    def never(encoder):
        raise AssertionError("nothing is left to look at")

    second = make_run(tiny_folder, shutil.copytree(trained[0].folder, tmp_path / "run"), never)
    train(second)
    assert same(weights(trained[0]), weights(second))


@pytest.mark.parametrize("damage", ["flip", "cut", "delete"])
@pytest.mark.parametrize("file", ["model.safetensors", "optimiser.safetensors", "progress.json"])
def test_a_damaged_checkpoint_is_passed_over(trained, tmp_path, damage, file):
    folder = shutil.copytree(trained[0].folder, tmp_path / "run")
    newest, older = sorted(folder.glob("step-*"), reverse=True)
    path = newest / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data[:-3] if damage == "cut" else data)
    if damage == "delete":
        path.unlink()
    found = checkpoint.newest(folder, "r")
    assert found is not None
    assert found[0] == older


def test_a_checkpoint_of_another_request_is_not_resumed(trained):
    assert checkpoint.newest(trained[0].folder, "r") is not None
    assert checkpoint.newest(trained[0].folder, "another") is None


def test_the_start_ships_when_training_does_not_beat_it(tiny_folder, tmp_path):
    scores = iter([FLAT] + [dataclasses.replace(FLAT, retrieval=0.9, spearman=0.49)] * 9)
    run = make_run(tiny_folder, tmp_path, lambda encoder: next(scores))
    before = weights(run)
    assert train(run).progressed.best_step == 0
    assert same(weights(run), before)


def test_a_loss_that_is_not_finite_is_never_stepped_on(tiny_folder, tmp_path):
    run = make_run(tiny_folder, tmp_path)
    run.objective.examples.vectors[5] = np.nan
    before = weights(run)
    outcome = train(run)
    assert "not finite at step" in outcome.remark
    dumped = json.loads((tmp_path / "not_finite.json").read_text())
    assert dumped["step"] == outcome.progressed.step + 1
    assert run.objective.examples.texts[5] in dumped["texts"]
    assert 5 in run.objective.examples.group[dumped["rows"]]
    assert all(torch.isfinite(tensor).all() for tensor in weights(run).values())
    assert outcome.progressed.step < outcome.progressed.schedule.steps
    assert before.keys() == weights(run).keys()


def collapsing(tiny_folder, folder, rewinds):
    """A run whose learning rate pulls every sentence together, seen by what the vectors really are."""
    from isoglot.evaluate.closeness import effective_rank, mean_cosine, r_squared

    config = TrainConfig(
        epochs=20, batch_tokens=256, learning_rate=0.1, head_learning_rate=0.1, contrast=0.0, evaluations=20,
        clip=1e6, warmup=0.0, rewinds=rewinds,
    )  # fmt: skip
    run = make_run(tiny_folder, folder, config=config)
    centred = run.objective.examples.vectors - run.objective.examples.vectors.mean(axis=0)
    run.objective.examples.vectors[:] = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    rows = np.arange(120)

    def look(encoder):
        vectors = encoder.encode([run.objective.examples.texts[row] for row in rows])
        targets = run.objective.examples.vectors[run.objective.examples.group[rows]]
        closeness = 1 - float(np.square(vectors - targets).mean())
        return DevScore(
            closeness,
            closeness,
            r_squared(vectors, targets),
            "de",
            0.0,
            effective_rank(vectors),
            mean_cosine(vectors),
        )

    return dataclasses.replace(run, validate=look)


def test_a_collapse_stops_the_run_when_it_may_not_rewind(tiny_folder, tmp_path):
    run = collapsing(tiny_folder, tmp_path, rewinds=0)
    before = weights(run)
    outcome = train(run)
    assert "stopped at step 5: effective rank fell from" in outcome.remark
    assert outcome.progressed.step == 5 < outcome.progressed.schedule.steps
    assert same(weights(run), before)


@pytest.fixture(scope="module")
def rewound(tiny_folder, tmp_path_factory):
    """A finished run that was rewound, and its outcome."""
    run = collapsing(tiny_folder, tmp_path_factory.mktemp("rewound"), rewinds=4)
    return run, train(run)


def test_a_collapse_is_rewound_and_the_run_goes_on_more_slowly(rewound):
    run, outcome = rewound
    done = outcome.progressed
    assert done.step == done.schedule.steps
    assert 1 <= len(done.rewound) <= 4
    assert done.best.r2 > 0.5
    assert outcome.remark.startswith("at step 5 effective rank fell from")
    log = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    after = next(entry for entry in log if entry["step"] == done.rewound[0] + 1)
    assert after["rate"] == pytest.approx(done.schedule.factor(done.rewound[0]) / 2)


def test_a_run_that_was_rewound_resumes_with_the_same_bits(tiny_folder, tmp_path, rewound):
    whole, outcome = rewound
    first = collapsing(tiny_folder, tmp_path / "parts", rewinds=4)
    with pytest.raises(StoppedError):
        train(dataclasses.replace(first, validate=stopping_at(4, first.validate)))
    second = collapsing(tiny_folder, tmp_path / "parts", rewinds=4)
    assert train(second).remark == outcome.remark
    assert same(weights(second), weights(whole))


def test_patience_ends_a_run_that_gets_no_better_and_a_second_call_agrees(tiny_folder, tmp_path):
    config = TrainConfig(**{**CONFIG.model_dump(), "evaluations": 8, "patience": 3})
    for _ in range(2):
        outcome = train(make_run(tiny_folder, tmp_path, lambda encoder: FLAT, config))
        assert "3 looks in a row were no better than step 0" in outcome.remark
        assert [point.step for point in outcome.progressed.curve] == [
            0, *(outcome.progressed.schedule.evaluate_every * look for look in (1, 2, 3))
        ]  # fmt: skip
    assert outcome.progressed.step < outcome.progressed.schedule.steps


def test_accumulated_batches_make_the_step_of_one_large_batch(tiny_folder, tmp_path):
    """Without contrast, which compares within a batch, the gradients are those of all rows together."""
    from isoglot.objective.distillation.batches import Batch
    from isoglot.train.step import new_optimiser, take

    one, many = (make_run(tiny_folder, tmp_path / name) for name in ("one", "many"))
    rows = np.arange(40, dtype=np.int64)
    own = np.linspace(0.5, 2, 40).astype(np.float32)
    losses = [
        take(one, new_optimiser(one), [Batch(rows, own)], 1.0, 0),
        take(
            many,
            new_optimiser(many),
            [Batch(rows[n : n + 10], own[n : n + 10]) for n in range(0, 40, 10)],
            1.0,
            0,
        ),
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    a, b = weights(one), weights(many)
    assert max(float((a[name] - b[name]).abs().max()) for name in a) < 1e-4


def test_accumulating_takes_fewer_steps(tiny_folder, tmp_path):
    steps = []
    for accumulate in (1, 4):
        config = TrainConfig(**{**CONFIG.model_dump(), "accumulate": accumulate})
        steps.append(
            train(make_run(tiny_folder, tmp_path / str(accumulate), config=config)).progressed.schedule.steps
        )
    assert steps[1] == pytest.approx(steps[0] / 4, abs=1)


def test_measuring_the_speed_changes_no_weight(tiny_folder, tmp_path):
    """With one step of time nothing but the measurement happens before it; the start must be kept bit for bit."""
    run = make_run(tiny_folder, tmp_path, lambda encoder: FLAT, TrainConfig(minutes=1e-6, batch_tokens=256))
    before = weights(run)
    outcome = train(run)
    assert outcome.progressed.schedule.steps == 1
    assert outcome.progressed.best_step == 0
    assert same(weights(run), before)


def test_minutes_fix_the_number_of_steps(tiny_folder, tmp_path):
    config = TrainConfig(minutes=0.05, batch_tokens=256, evaluations=2)
    outcome = train(make_run(tiny_folder, tmp_path, config=config))
    assert outcome.progressed.step == outcome.progressed.schedule.steps
    assert 1.0 < outcome.progressed.seconds < 12.0


def test_contrast_keeps_sentences_apart(tiny_folder, tmp_path):
    """With the squared distance alone the vectors draw together; the contrast term holds them apart."""
    from isoglot.evaluate.closeness import mean_cosine

    cosines = []
    for weight in (0.0, 30.0):
        config = TrainConfig(**{**CONFIG.model_dump(), "contrast": weight})
        run = make_run(tiny_folder, tmp_path / str(weight), config=config)
        train(run)
        cosines.append(mean_cosine(run.student.encode(run.objective.examples.texts[60:])))
    assert cosines[1] < cosines[0] - 0.02


def test_what_weighs_more_is_learned_at_the_price_of_the_rest(tiny_folder, tmp_path):
    errors = []
    for weight in (1.0, 20.0):
        rising = (
            dataclasses.replace(FLAT, retrieval=0.5 + n / 100, spearman=0.5 + n / 100) for n in range(99)
        )
        run = make_run(tiny_folder, tmp_path / str(weight), lambda encoder, scores=rising: next(scores))
        german = run.objective.examples.language[60:] == 0
        weights = np.where(german, weight, 1.0).astype(np.float32)
        examples = dataclasses.replace(run.objective.examples, weight=weights)
        run = dataclasses.replace(run, objective=dataclasses.replace(run.objective, examples=examples))
        train(run)
        rows = np.arange(60, 180)
        vectors = run.student.encode([run.objective.examples.texts[row] for row in rows])
        squared = np.square(vectors - run.objective.examples.vectors[run.objective.examples.group[rows]]).sum(
            axis=1
        )
        errors.append((squared[german].mean(), squared[~german].mean()))
    assert errors[1][0] < errors[0][0]
    assert errors[1][1] > errors[0][1]


ONE_EPOCH = {**CONFIG.model_dump(), "epochs": 1, "evaluations": 1}


@pytest.fixture(scope="module")
def one_epoch(tiny_folder, tmp_path_factory):
    run = make_run(tiny_folder, tmp_path_factory.mktemp("plain"), config=TrainConfig(**ONE_EPOCH))
    train(run)
    return run


@pytest.mark.parametrize(
    "change",
    [
        {"clip": 1e-3}, {"weight_decay": 5.0}, {"warmup": 0.9}, {"learning_rate": 1e-4},
        {"head_learning_rate": 1e-5}, {"batch_tokens": 128}, {"targets_per_group": 1}, {"source_term": False},
        {"cosine": 5.0}, {"dropout": True}, {"accumulate": 2},
    ],
    ids=str,
)  # fmt: skip
def test_every_option_of_the_loop_changes_the_student(tiny_folder, tmp_path, one_epoch, change):
    changed = make_run(tiny_folder, tmp_path, config=TrainConfig(**{**ONE_EPOCH, **change}))
    train(changed)
    assert not same(weights(one_epoch), weights(changed))


def test_no_epochs_leave_the_start(tiny_folder, tmp_path):
    run = make_run(tiny_folder, tmp_path, config=TrainConfig(epochs=0))
    before = weights(run)
    assert train(run).progressed.schedule.steps == 0
    assert same(weights(run), before)


def test_schedule_rises_and_falls_linearly():
    schedule = plan(100, 0.1, 5)
    factors = [schedule.factor(step) for step in range(100)]
    assert factors[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert max(factors) == 1.0
    assert factors[-1] == pytest.approx(1 / 90)
    assert [step for step in range(1, 101) if schedule.evaluates_after(step)] == [20, 40, 60, 80, 100]
    assert plan(7, 0.0, 3).evaluates_after(7)


def test_steps_leave_time_for_the_looks():
    assert steps_in(240, 2.0, 5.0, 6) == 105
    assert steps_in(1, 2.0, 5.0, 6) == 1


def test_better_needs_both_measures():
    start = FLAT
    better = dataclasses.replace(FLAT, retrieval=0.6, spearman=0.55)
    assert beats(better, start, start)
    assert not beats(dataclasses.replace(better, spearman=0.49), start, start)
    assert not beats(dataclasses.replace(better, retrieval=0.49, spearman=0.9), start, start)
    assert not beats(dataclasses.replace(better, retrieval=0.55), better, start)


def test_a_student_that_explains_more_is_as_narrow_as_its_teacher():
    near = dataclasses.replace(FLAT, mean_cosine=0.97, effective_rank=3.0, r2=0.6)
    assert collapse(near, FLAT) is None
    assert collapse(dataclasses.replace(near, r2=0.05), dataclasses.replace(FLAT, r2=-1.0)) is not None


def test_collapse_is_named():
    assert collapse(FLAT, FLAT) is None
    assert "effective rank fell from 20 to 3" in collapse(dataclasses.replace(FLAT, effective_rank=3.0), FLAT)
    assert "mean cosine" in collapse(dataclasses.replace(FLAT, mean_cosine=0.97), FLAT)


def test_weights_that_harm_a_protected_language_are_never_shipped(tiny_folder, tmp_path):
    start = dataclasses.replace(FLAT, languages={"de": 0.5, "fr": 0.5})
    looks = [
        dataclasses.replace(FLAT, retrieval=0.7, spearman=0.7, languages={"de": 0.48, "fr": 0.9}),
        dataclasses.replace(FLAT, retrieval=0.6, spearman=0.6, languages={"de": 0.495, "fr": 0.7}),
    ]
    for protect, margin, best in (
        ((), 0.01, 1),
        (("de",), 0.01, 2),
        (("de", "it"), 0.01, 2),
        (("de",), 0.03, 1),
    ):
        scores = iter([start, *looks, *[FLAT] * 9])
        config = TrainConfig(**{**CONFIG.model_dump(), "protect": protect, "protect_margin": margin})
        folder = tmp_path / "-".join((str(margin), *protect))
        run = make_run(tiny_folder, folder, lambda _, s=scores: next(s), config)
        progressed = train(run).progressed
        assert progressed.best_step == best * progressed.schedule.evaluate_every


def test_a_full_memory_is_explained(tiny_folder, tmp_path):
    """R15: the allocator's real error, from a look at the dev split that asks for a petabyte."""
    looks = iter([FLAT])

    def look(encoder):
        return next(looks, None) or torch.empty(1 << 50)

    with pytest.raises(IsoglotError, match=r"Memory ran out in training.*allocate") as refused:
        train(make_run(tiny_folder, tmp_path, look))
    assert "smaller train.batch_tokens than 256" in str(refused.value)

    def broken(encoder):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        train(make_run(tiny_folder, tmp_path, broken))


def test_a_full_memory_names_the_option_that_sets_the_batch(tiny_folder, tmp_path):
    looks = iter([FLAT])

    def look(encoder):
        return next(looks, None) or torch.empty(1 << 50)

    config = TrainConfig(**{**CONFIG.model_dump(), "batch_sentences": 64})
    with pytest.raises(IsoglotError, match=r"smaller train\.batch_sentences than 64"):
        train(make_run(tiny_folder, tmp_path, look, config))
