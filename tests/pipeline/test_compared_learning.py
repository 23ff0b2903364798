"""Ranking and translation through the real command line: they learn, go on after a kill, and can be evaluated."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import compared
import tiny
from isoglot.artefact import digest_file, verify
from isoglot.encode.encoder import load_encoder

pytestmark = pytest.mark.slow
# a table of token vectors learns which words mean the same within seconds; the transformer of `tiny` does not
RANKING = """
[objective.ranking]
hard_negatives = 2
[train]
epochs = 16
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
epochs = 30
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

    _, _, run = learned
    assert verify(run / "student") == []
    texts = [tiny.sentence(number) for number in range(8)]
    theirs = SentenceTransformer(str(run / "student"), device="cpu").encode(texts)
    np.testing.assert_allclose(theirs, load_encoder(run / "student").encode(texts), rtol=1e-4, atol=1e-4)


def test_the_page_shows_the_curve(learned):
    kind, _, run = learned
    page = (run / "report.html").read_text()
    assert "Learning curve" in page and f"<dd>{kind}</dd>" in page
    assert "Retrieval, top-1: from" in page and "Spearman: from" not in page


def test_held_out_scores_and_evaluate_agree(learned, tmp_path):
    _, _, run = learned
    own = json.loads((run / "scores.json").read_text())
    settings = ["--corpus", run / "corpus", "--suite", "heldout", "--out", tmp_path]
    again = compared.answer("evaluate", run / "student", *settings)
    values = {tuple(one["languages"]): one["value"] for one in own["tasks"] if one["task"] == "heldout"}
    assert set(values) == {(tag, "en") for tag in tiny.LANGUAGES}
    other = {tuple(one["languages"]): one["value"] for one in again["tasks"]}
    assert values.keys() == other.keys() and own["objective"] == again["objective"]


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
    done = compared.isoglot("run", recipe, "--out", run)
    assert (run / "training" / "log.jsonl").stat().st_mtime_ns == before
    assert card(run)["why"] in done.stdout


def _is_under_way(training):
    steps = [int(path.name.removeprefix("step-")) for path in training.glob("step-*")]
    return any(step > 0 for step in steps)
