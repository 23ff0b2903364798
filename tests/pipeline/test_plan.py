"""A plan says what the run then does: counts exactly, time and memory nearly."""

import json
import time

import pytest

import tiny
from isoglot.pipeline.plan import plan
from isoglot.pipeline.run import run
from isoglot.recipe import load_recipe
from isoglot.teacher.store import Store


@pytest.fixture
def recipe(tiny_folder, tmp_path):
    return tiny.write_recipe(
        tmp_path / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )


def test_a_plan_counts_what_the_run_then_does(recipe, tmp_path):
    loaded = load_recipe(str(recipe), ["train.epochs=3", "train.paragraphs=0.5"])
    planned = plan(loaded, tmp_path / "run")
    assert not (tmp_path / "run" / "store").exists()
    began = time.monotonic()
    finished = run(loaded, tmp_path / "run")
    minutes = (time.monotonic() - began) / 60
    rows = json.loads((finished.folder.start / "manifest.json").read_text())["counts"]["sentences"]
    assert planned.steps == finished.card["steps"]
    assert planned.start_sentences == rows
    assert planned.teacher_sentences == Store.open(finished.folder.store).rows
    assert 0.1 < planned.minutes / minutes < 10


def test_what_is_embedded_already_costs_nothing(recipe, tmp_path):
    loaded = load_recipe(str(recipe), ["train.epochs=0"])
    run(loaded, tmp_path / "run", evaluate=False)
    planned = plan(loaded, tmp_path / "run")
    assert (planned.teacher_sentences, planned.teacher_minutes, planned.steps) == (0, 0, 0)


def test_tokens_are_those_of_all_batches(recipe, tmp_path):
    one, two, four = (
        plan(load_recipe(str(recipe), changes), tmp_path / "run")
        for changes in (["train.epochs=1"], ["train.epochs=2"], ["train.epochs=2", "train.accumulate=4"])
    )
    assert two.tokens == 2 * one.tokens
    assert four.steps == pytest.approx(two.steps / 4, abs=1)
    assert four.tokens == pytest.approx(two.tokens, rel=0.25)
    assert one.tokens > 240 * 4 * 5  # train sentences, their three translations, five words


def test_minutes_are_those_asked_for(recipe, tmp_path):
    text = recipe.read_text().replace("epochs = 2\n", "minutes = 0.5\n")
    recipe.write_text(text)
    planned = plan(load_recipe(str(recipe)), tmp_path / "run")
    assert planned.training_minutes == 0.5
    assert planned.minutes > 0.5
    assert planned.steps > 1
    assert planned.memory_bytes > 10**8
