"""LASER through the command line: with another encoder, with wrong requests, and the recipe as published."""

import json

import pytest

import compared
from command import isoglot
from isoglot.recipe import load_recipe

SMALL = """
[objective.translation]
targets = ["en", "de"]
vocabulary = 200
embedding = 24
decoder = 48
language = 4
[train]
epochs = 1
learning_rate = 1e-2
batch_tokens = 2048
evaluations = 3
"""


@pytest.mark.slow
def test_another_encoder_can_be_trained_so_with_its_own_tokenizer(tiny_folder, tmp_path):
    pairs = tiny_folder / "pairs.tsv"
    options = SMALL.replace("vocabulary = 200\n", "")
    recipe = compared.write_recipe(
        tmp_path / "r.toml", "translation", tiny_folder / "student", pairs, options
    )
    compared.answer("run", recipe, "--out", tmp_path / "run")
    found = json.loads((tmp_path / "run" / "student" / "isoglot.json").read_text())
    assert found["steps"] > 0 and "vocabulary of its own" not in found["start"]
    assert not (tmp_path / "run" / "vocabulary").exists()
    assert (tmp_path / "run" / "student" / "tokenizer.json").read_bytes() == (
        tiny_folder / "student" / "tokenizer.json"
    ).read_bytes()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["student.kind=transformer"], "A transformer student cannot begin with nothing"),
        (
            ["student.kind=lstm", "objective.translation.targets=['en','es']"],
            "names es, and no training text is in it",
        ),
        (["student.kind=lstm", "objective.translation.targets=['en','en']"], "name a language twice"),
        (["student.kind=lstm", "objective.translation.targets=['en']"], "at least 2 items"),
    ],
    ids=["no lstm", "no such target", "twice", "one"],
)
@pytest.mark.slow
def test_what_cannot_be_is_refused(tiny_folder, tmp_path, settings, said):
    recipe = compared.write_recipe(tmp_path / "r.toml", "translation", None, tiny_folder / "pairs.tsv", SMALL)
    options = [part for setting in settings for part in ("--set", setting)]
    done = isoglot("run", recipe, "--out", tmp_path / "run", *options)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_the_recipe_is_as_published():
    recipe = load_recipe("laser")
    of, train = recipe.objective.translation, recipe.train
    assert (of.targets, of.vocabulary, of.embedding, of.decoder, of.language, of.dropout) == (
        ("en", "es"), 50_000, 320, 2048, 32, 0.1,
    )  # fmt: skip
    assert (recipe.student.kind, recipe.student.lstm_layers, recipe.student.lstm_width) == ("lstm", 5, 512)
    assert recipe.student.pooling == ("max",)
    assert (train.epochs, train.learning_rate, train.warmup) == (17, 1e-3, 0)
    assert abs(train.batch_tokens * train.accumulate / 128_000 - 1) < 0.05
