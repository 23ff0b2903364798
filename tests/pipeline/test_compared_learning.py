"""Ranking and translation through the command line: they learn, go on after a kill, and can be evaluated."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import compared
import tiny
from command import isoglot
from isoglot.artefact import digest_file, verify
from isoglot.encode.encoder import load_encoder
from isoglot.encode.locate import folder_digest

pytestmark = pytest.mark.slow
# a table of token vectors learns which words mean the same within seconds; the transformer of `tiny` does not
RANKING = """
[objective.ranking]
hard_negatives = 2
[train]
epochs = 10
batch_tokens = 1024
learning_rate = 1e-2
evaluations = 6
"""
TRANSLATION = """
[objective.translation]
targets = ["en", "de"]
vocabulary = 200
embedding = 24
decoder = 48
language = 4
[train]
epochs = 16
batch_tokens = 1024
learning_rate = 1e-2
evaluations = 6
"""
STUDENTS = {"ranking": 'kind = "static"', "translation": 'kind = "lstm"\nlstm_width = 24'}


def recipe_of(kind, folder, tiny_folder):
    student = tiny_folder / "student" if kind == "ranking" else None
    extra = RANKING if kind == "ranking" else TRANSLATION
    path = compared.write_recipe(folder / f"{kind}.toml", kind, student, tiny_folder / "pairs.tsv", extra)
    path.write_text(path.read_text().replace("[student]\n", f"[student]\n{STUDENTS[kind]}\n"))
    return path


@pytest.fixture(scope="module", params=["ranking", "translation"])
def learned(request, tiny_folder, tmp_path_factory):
    """Kind, recipe and folder of a finished run."""
    folder = tmp_path_factory.mktemp(request.param)
    recipe = recipe_of(request.param, folder, tiny_folder)
    compared.answer("run", recipe, "--out", folder / "run")
    return request.param, recipe, folder / "run"


def card(run):
    return json.loads((run / "student" / "isoglot.json").read_text())


def test_the_student_learns(learned):
    kind, _, run = learned
    about = card(run)
    curve = [point["score"]["retrieval"] for point in about["dev"]]
    assert about["shipped"] == "trained" and max(curve) > curve[0] + 0.05, curve
    assert all(point["score"]["spearman"] is None for point in about["dev"])
    assert about["objective"]["kind"] == kind and "teacher" not in about
    losses = [point["loss"] for point in about["dev"][1:]]
    assert losses[-1] < losses[0]


def test_the_folder_is_a_plain_one(learned):
    from sentence_transformers import SentenceTransformer

    kind, _, run = learned
    assert verify(run / "student") == []
    texts = [
        *(tiny.sentence(number) for number in range(20)), tiny.translation("tr", tiny.sentence(1)), "",
        "The Red HOUSE, today!", "nothing — it knows", " ".join([tiny.sentence(0)] * 20),
    ]  # fmt: skip
    ours = load_encoder(run / "student", precision="fp32").encode(texts)
    theirs = SentenceTransformer(str(run / "student"), device="cpu").encode(texts)
    assert ours.shape == (len(texts), {"ranking": 32, "translation": 48}[kind])
    np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-5)
    assert not list((run / "student").rglob("*decoder*"))


def test_the_page_shows_the_curve(learned):
    kind, _, run = learned
    page = (run / "report.html").read_text()
    assert "Learning curve" in page and f"<dd>{kind}</dd>" in page
    assert "Retrieval, top-1: from" in page and "Spearman: from" not in page


def test_held_out_scores_and_evaluate_agree(learned, tmp_path):
    _, _, run = learned
    own = json.loads((run / "scores.json").read_text())
    settings = [
        "--corpus",
        run / "corpus",
        "--suite",
        "heldout",
        "--pool",
        60,
        "--queries",
        20,
        "--out",
        tmp_path,
    ]
    again = compared.answer("evaluate", run / "student", *settings)
    values = {tuple(one["languages"]): one["value"] for one in own["tasks"] if one["task"] == "heldout"}
    assert set(values) == {(tag, "en") for tag in tiny.LANGUAGES}
    other = {tuple(one["languages"]): one["value"] for one in again["tasks"]}
    assert values == other and own["objective"] == again["objective"]
    assert again["start"] == card(run)["start"]


def test_a_killed_run_goes_on_and_gives_the_same_student(learned, tmp_path):
    _, recipe, run = learned
    command = [sys.executable, "-m", "isoglot.cli.main", "run", str(recipe), "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not _is_under_way(tmp_path / "run" / "training"):
        time.sleep(0.01)
    assert process.poll() is None, "it was over before it was killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "run" / "student").exists()
    compared.answer("run", recipe, "--out", tmp_path / "run")
    for file in sorted((run / "student").rglob("*.safetensors")):
        name = file.relative_to(run / "student")
        assert digest_file(tmp_path / "run" / "student" / name) == digest_file(file), name


def test_a_second_run_trains_nothing(learned):
    _, recipe, run = learned
    before = (run / "training" / "log.jsonl").stat().st_mtime_ns
    done = isoglot("run", recipe, "--out", run)
    assert (run / "training" / "log.jsonl").stat().st_mtime_ns == before
    assert card(run)["why"] in done.stdout


of_translation = pytest.mark.parametrize("learned", ["translation"], indirect=True)


@of_translation
def test_the_card_says_where_laser_began_and_what_it_writes(learned):
    _, _, run = learned
    found = card(run)
    assert found["start"] == "random weights (seed 0) over a vocabulary of its own"
    assert found["objective"]["options"]["targets"] == ["en", "de"]
    assert 0 < found["objective"]["written_pieces"] < found["objective"]["vocabulary"] <= 200
    assert found["languages"] == ["de", "fr", "tr"]
    assert verify(run / "vocabulary") == []


@of_translation
def test_the_card_shows_translations_of_a_dev_sentence_of_each_language(learned):
    _, _, run = learned
    shown = card(run)["objective"]["translations"]
    assert [one["language"] for one in shown] == ["de", "fr", "tr"]
    for one in shown:
        assert one["text"] == tiny.translation(one["language"], one["original"])
        assert set(one["written"]) == {"en", "de"}
        assert set(one["written"]["en"].split()) <= set(tiny.WORDS)
        assert one["written"]["en"]


@of_translation
def test_a_run_whose_student_was_lost_ends_with_the_same_one(learned, tmp_path):
    """Vocabulary and checkpoints are taken as they are; the decoder is read from them for the card's examples."""
    _, recipe, run = learned
    again = tmp_path / "run"
    shutil.copytree(run, again)
    shutil.rmtree(again / "student")
    compared.answer("run", recipe, "--out", again)
    assert folder_digest(again / "student") == folder_digest(run / "student")
    assert card(again)["objective"] == card(run)["objective"]
    stamps = [(each / "vocabulary" / "manifest.json").stat().st_mtime_ns for each in (run, again)]
    assert stamps[0] == stamps[1]


def _is_under_way(training):
    steps = [int(path.name.removeprefix("step-")) for path in training.glob("step-*")]
    return any(step > 0 for step in steps)
