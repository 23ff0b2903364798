"""LASER through the real command line: vocabulary, training, folder, scores."""

import json
import shutil

import numpy as np
import pytest

import compared
import tiny
from isoglot.artefact import verify
from isoglot.encode.encoder import load_encoder
from isoglot.encode.locate import folder_digest
from isoglot.recipe import load_recipe

SMALL = """
[objective.translation]
targets = ["en", "de"]
vocabulary = 200
embedding = 24
decoder = 48
language = 4
[train]
epochs = 20
learning_rate = 1e-2
batch_tokens = 2048
evaluations = 3
"""
LSTM = ["--set", "student.kind=lstm", "--set", "student.lstm_width=24"]


@pytest.fixture(scope="module")
def run(tiny_folder, tmp_path_factory):
    """A finished run, beside its recipe `r.toml` and what it printed."""
    folder = tmp_path_factory.mktemp("laser")
    recipe = compared.write_recipe(folder / "r.toml", "translation", None, tiny_folder / "pairs.tsv", SMALL)
    said = compared.answer("run", recipe, "--out", folder / "run", *LSTM)
    (folder / "said.json").write_text(json.dumps(said))
    return folder / "run"


def card(run):
    return json.loads((run / "student" / "isoglot.json").read_text())


@pytest.mark.slow
def test_it_learns_to_find_translations_and_says_what_it_is(run):
    found = card(run)
    assert found["shipped"] == "trained" and "teacher" not in found
    assert found["start"] == "random weights (seed 0) over a vocabulary of its own"
    curve = [point["score"]["retrieval"] for point in found["dev"]]
    assert max(curve) > curve[0] + 0.05
    assert found["objective"]["options"]["targets"] == ["en", "de"]
    assert 0 < found["objective"]["written_pieces"] < found["objective"]["vocabulary"] <= 200
    assert found["languages"] == ["de", "fr", "tr"]


@pytest.mark.slow
def test_the_card_shows_translations_of_a_dev_sentence_of_each_language(run):
    shown = card(run)["objective"]["translations"]
    assert [one["language"] for one in shown] == ["de", "fr", "tr"]
    for one in shown:
        assert one["text"] == tiny.translation(one["language"], one["original"])
        assert set(one["written"]) == {"en", "de"}
        assert set(one["written"]["en"].split()) <= set(tiny.WORDS)
        assert one["written"]["en"]


@pytest.mark.slow
def test_the_folder_loads_in_sentence_transformers_and_gives_the_same_vectors(run):
    from sentence_transformers import SentenceTransformer

    texts = [
        *(tiny.sentence(number) for number in range(20)), tiny.translation("tr", tiny.sentence(1)), "",
        "The Red HOUSE, today!", "nothing — it knows", " ".join([tiny.sentence(0)] * 20),
    ]  # fmt: skip
    ours = load_encoder(run / "student").encode(texts)
    theirs = SentenceTransformer(str(run / "student"), device="cpu").encode(texts)
    assert ours.shape == (len(texts), 48)
    assert np.abs(ours - theirs).max() < 1e-5
    assert verify(run / "student") == verify(run / "vocabulary") == []
    assert not list((run / "student").rglob("*decoder*"))


@pytest.mark.slow
def test_evaluate_takes_the_student(run, tmp_path):
    scores = compared.answer("evaluate", run / "student", "--corpus", run / "corpus", "--out", tmp_path / "e")
    assert {one["task"] for one in scores["tasks"]} == {"heldout"}
    assert scores["start"] == card(run)["start"]


@pytest.mark.slow
def test_a_run_whose_student_was_lost_ends_with_the_same_one(run, tmp_path):
    """Vocabulary and checkpoints are taken as they are; the decoder is read from them for the card's examples."""
    again = tmp_path / "run"
    shutil.copytree(run, again)
    shutil.rmtree(again / "student")
    compared.answer("run", run.parent / "r.toml", "--out", again, *LSTM)
    assert folder_digest(again / "student") == folder_digest(run / "student")
    assert card(again)["objective"] == card(run)["objective"]
    assert (again / "vocabulary" / "manifest.json").stat().st_mtime_ns == (
        run / "vocabulary" / "manifest.json"
    ).stat().st_mtime_ns


@pytest.mark.slow
def test_another_encoder_can_be_trained_so_with_its_own_tokenizer(tiny_folder, tmp_path):
    pairs = tiny_folder / "pairs.tsv"
    recipe = compared.write_recipe(tmp_path / "r.toml", "translation", tiny_folder / "student", pairs, SMALL)
    compared.answer("run", recipe, "--out", tmp_path / "run", "--set", "train.epochs=1")
    found = card(tmp_path / "run")
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
    done = compared.isoglot("run", recipe, "--out", tmp_path / "run", *options, check=False)
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
