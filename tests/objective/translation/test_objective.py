"""LASER in the loop: it learns, what it is told matters, and a run that stops goes on with the same bits."""

import dataclasses

import numpy as np
import pytest
import torch

import tiny
from isoglot.config import TrainConfig
from isoglot.objective.translation.objective import translate
from isoglot.train.loop import Run, train
from isoglot.train.step import new_optimiser, take
from isoglot.train.validation import DevScore
from stopping import StoppedError, StopsAt

FLAT = DevScore(0.5, None, None, "de", 0.5, 10.0, 0.1)


def run_of(laser, folder, config, seed=0):
    return Run(laser.student, laser.objective, lambda encoder: FLAT, config, seed, folder, "request")


def steps(laser, folder, config, count):
    """Losses of some steps at the peak rate."""
    run = run_of(laser, folder, config)
    optimiser = new_optimiser(run)
    done, number = [], 0
    while len(done) < count:
        for batch in laser.objective.epoch(number):
            done.append(take(run, optimiser, [batch], 1.0, len(done)))
        number += 1
    return done


FAST = {"learning_rate": 1e-2, "head_learning_rate": 1e-2, "weight_decay": 0.0, "batch_tokens": 2048}


def test_the_loss_falls(laser, tmp_path):
    losses = steps(laser, tmp_path, TrainConfig(**{**FAST, "batch_tokens": 512}), 40)
    assert losses[0] == pytest.approx(np.log(len(laser.texts.alphabet) + 1), abs=0.3)
    assert np.mean(losses[-5:]) < 0.6 * losses[0]


@pytest.mark.slow
def test_greedy_decoding_copies_a_corpus_of_100_pairs(make_laser, make_groups, small, tmp_path):
    model = small["model"].model_copy(update={"embedding": 64, "decoder": 160, "language": 8})
    student = small["student"].model_copy(update={"lstm_width": 64})
    options = TrainConfig(**{**FAST, "learning_rate": 4e-3, "head_learning_rate": 4e-3}, epochs=1)
    laser = make_laser(make_groups({"de": 100}), tmp_path / "v", student, model, options)
    german, english = laser.groups.targets, laser.groups.sources
    assert len(german) == len(set(english)) == 100
    steps(laser, tmp_path, options, 400)
    assert translate(laser.objective, laser.student, german, "en") == english
    assert translate(laser.objective, laser.student, english, "de") == german


def test_the_loss_depends_on_the_language_to_write(laser):
    """The same texts, said to be in the other target language, cost something else: the id is not ignored."""
    objective = laser.objective
    batch = next(objective.epoch(0))
    swapped = dataclasses.replace(
        objective, pairs=dataclasses.replace(laser.texts, target=1 - laser.texts.target)
    )
    with torch.no_grad():
        losses = [each.loss(laser.student, batch).item() for each in (objective, swapped)]
    assert abs(losses[0] - losses[1]) > 1e-5


def test_what_is_written_ends_where_the_student_has_no_limit(laser):
    """A decoder that never writes the boundary, as one that has learned little; static students read without limit."""
    laser.student.tokenizer.max_tokens = 5000
    decoder = laser.objective.decoder
    decoder.output.bias.data[decoder.boundary] = -1e9
    [text] = translate(laser.objective, laser.student, laser.groups.sources[:1], "de")
    longest = int(laser.texts.pieces.lengths.max())
    assert 0 < len(text) <= longest * max(map(len, laser.vocabulary.get_vocab()))


@pytest.mark.slow
def test_the_language_decides_what_is_written(make_laser, make_groups, small, tmp_path):
    """French is learned into two languages at once; which one comes is for the id alone to say."""
    options = TrainConfig(**{**FAST, "learning_rate": 2e-2, "head_learning_rate": 2e-2})
    laser = make_laser(make_groups({"de": 12, "fr": 12}), tmp_path / "v", train=options)
    steps(laser, tmp_path, options, 120)
    french = [
        text for text, code in zip(laser.groups.targets, laser.groups.language, strict=True) if code == 1
    ]
    english, german = (
        set(" ".join(translate(laser.objective, laser.student, french, tag)).split()) for tag in ("en", "de")
    )
    assert english <= set(tiny.WORDS)
    assert german <= {tiny.word_in("de", word) for word in tiny.WORDS}


def test_a_batch_is_the_mean_of_its_parts(laser):
    """By their weights, however the parts are padded: what accumulation of several batches relies on."""
    objective = laser.objective
    batch = next(objective.epoch(0))
    parts = [
        dataclasses.replace(
            batch, read=batch.read[[place]], origin=np.zeros((batch.origin == place).sum(), np.int64),
            written=batch.written[batch.origin == place], weights=batch.weights[batch.origin == place],
        )
        for place in range(len(batch.read))
    ]  # fmt: skip
    with torch.no_grad():
        mean = sum(objective.loss(laser.student, part).item() * objective.weight(part) for part in parts)
        whole = objective.loss(laser.student, batch).item()
    assert whole == pytest.approx(mean / objective.weight(batch), abs=1e-5)


def test_a_batch_says_what_it_holds(laser):
    batch = next(laser.objective.epoch(0))
    assert laser.objective.rows(batch).tolist() == [*batch.read, *batch.written]
    assert laser.objective.texts(batch)[-1] == laser.texts.read.texts[batch.written[-1]]
    assert laser.objective.tokens(batch) == laser.texts.read.tokens.lengths[batch.read].sum()


def test_a_stopped_run_goes_on_with_the_same_bits_the_decoder_included(
    make_laser, make_groups, small, tmp_path
):
    config = TrainConfig(**{**FAST, "batch_tokens": 128}, epochs=4, evaluations=4, accumulate=2)
    model = small["model"].model_copy(update={"dropout": 0.3})  # what a step drops must be the same again

    def fresh(folder):
        return run_of(
            make_laser(make_groups({"de": 30, "fr": 9}), tmp_path / "v", model=model, train=config),
            folder,
            config,
        )

    total = train(fresh(tmp_path / "whole")).progressed.step
    assert total > 8
    with pytest.raises(StoppedError):
        train(fresh(tmp_path / "parts"), StopsAt(total * 2 // 3))
    assert list((tmp_path / "parts").glob("step-*"))
    train(fresh(tmp_path / "parts"))
    newest = [max((tmp_path / name).glob("step-*")) for name in ("whole", "parts")]
    assert newest[0].name == newest[1].name == f"step-{total:07d}"
    for name in ("model.safetensors", "optimiser.safetensors", "beside.safetensors"):
        assert (newest[0] / name).read_bytes() == (newest[1] / name).read_bytes(), name


def test_equal_seeds_give_equal_weights_and_others_do_not(make_laser, make_groups, tmp_path):
    lasers = [make_laser(make_groups({"de": 8}), tmp_path / "v", seed=seed) for seed in (0, 0, 1)]
    states = [{**one.student.model.state_dict(), **one.objective.beside.state_dict()} for one in lasers]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not any(torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_the_encoder_is_as_large_as_asked_for(make_laser, make_groups, small, tmp_path):
    student = small["student"].model_copy(update={"lstm_width": 9, "lstm_layers": 3})
    laser = make_laser(make_groups({"de": 8}), tmp_path / "v", student, small["model"])
    backbone = laser.student.model.backbone
    assert backbone.embedding.weight.shape == (laser.vocabulary.get_vocab_size(), 16)
    assert (backbone.encoder.num_layers, laser.student.dimension) == (3, 18)
    assert laser.student.model.shape.pooling == ("max",)
    assert abs(float(backbone.embedding.weight.detach().std()) - 16**-0.5) < 0.02
