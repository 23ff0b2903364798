"""Runs without a teacher through the command line: mean pooling without training."""

import json
import shutil

import numpy as np
import pytest

import compared
import tiny
from command import isoglot
from isoglot.artefact import verify
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import load_encoder
from isoglot.errors import RequestError
from isoglot.evaluate.heldout import hold_out
from isoglot.evaluate.retrieval import top1_accuracy
from isoglot.pipeline.further import further_recipe


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """Folder with a recipe and two finished runs of it: `given` weights, and `drawn` ones."""
    folder = tmp_path_factory.mktemp("compared")
    recipe = compared.write_recipe(
        folder / "r.toml", "none", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    (folder / "given.json").write_text(json.dumps(compared.answer("run", recipe, "--out", folder / "given")))
    compared.answer(
        "run", recipe, "--out", folder / "drawn", "--set", "student.random=true", "--set", "seed=3"
    )
    return folder


def card(run):
    return json.loads((run / "student" / "isoglot.json").read_text())


def test_the_student_is_the_start_with_mean_pooling(runs, tiny_folder):
    texts = [tiny.sentence(number) for number in range(20)]
    ours = load_encoder(runs / "given" / "student").encode(texts)
    assert np.array_equal(ours, load_encoder(tiny_folder / "student", max_tokens=32).encode(texts))
    assert verify(runs / "given" / "student") == []


@pytest.mark.slow
def test_random_weights_are_drawn_from_the_seed(runs, tiny_folder, tmp_path):
    texts = [tiny.sentence(number) for number in range(20)]
    drawn = load_encoder(runs / "drawn" / "student").encode(texts)
    assert not np.allclose(drawn, load_encoder(runs / "given" / "student").encode(texts), atol=0.1)
    for seed, same in ((3, True), (4, False)):
        out = tmp_path / str(seed)
        settings = ["--set", "student.random=true", "--set", f"seed={seed}"]
        compared.answer("run", runs / "r.toml", "--out", out, *settings)
        assert np.array_equal(load_encoder(out / "student").encode(texts), drawn) == same


def test_the_card_says_what_it_is_and_has_no_teacher(runs, tiny_folder):
    given, drawn = card(runs / "given"), card(runs / "drawn")
    assert given["objective"] == {"kind": "none", "options": {}}
    assert "teacher" not in given and given["dev"] == [] and given["steps"] == 0
    assert given["start"].startswith(str(tiny_folder / "student"))
    assert "do not say whether it was trained for sentences" in given["start"]
    assert drawn["start"].endswith("its architecture with random weights (seed 3)")
    assert given["languages"] == ["de", "fr", "tr"]
    assert given["corpus"] == Corpus.open(runs / "given" / "corpus").manifest.digest


def test_held_out_scores_are_student_to_student_over_the_pool_of_distillation(runs):
    scores = json.loads((runs / "given" / "scores.json").read_text())
    corpus = Corpus.open(runs / "given" / "corpus")
    held = hold_out(corpus.groups("test"), corpus.sources("train"), 60, 20)
    student = load_encoder(runs / "given" / "student")
    queries, pool = student.encode(held.queries), student.encode(held.pool)
    found = {one["languages"][0]: one for one in scores["tasks"] if one["task"] == "heldout"}
    assert set(found) == set(held.languages)
    for number, tag in enumerate(held.languages):
        rows = held.rows_of(number)
        assert found[tag]["value"] == pytest.approx(top1_accuracy(queries[rows], pool, held.gold[rows]))
        assert found[tag]["main"] and found[tag]["metric"] == "top-1 to student"
    assert scores["teacher"] is None and "student->student, pool 60" in scores["signatures"][0]
    assert scores["start"] == card(runs / "given")["start"] and scores["objective"]["kind"] == "none"


def test_the_page_shows_start_and_held_out_scores(runs):
    page = (runs / "given" / "report.html").read_text()
    assert "do not say whether it was trained for sentences" in page
    assert "Held-out sentences" in page and "distillation report" not in page
    assert "of held-out sentences find their original in first place" in page
    assert "Nothing was trained" in page and "Learning curve" not in page


@pytest.mark.slow
def test_a_second_run_does_nothing_again(runs, tmp_path):
    shutil.copytree(runs / "given", tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.is_file()}
    compared.answer("run", runs / "r.toml", "--out", tmp_path / "run")
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.is_file()}
    changed = {path.name for path in before if before[path] != after[path]}
    assert changed <= {"recipe.json", ".lock"} and set(before) == set(after)


@pytest.mark.slow
def test_languages_and_options_change_it(runs, tmp_path):
    settings = ["--languages", "de", "--set", "student.pooling=['cls']"]
    compared.answer("run", runs / "r.toml", "--out", tmp_path / "run", *settings)
    assert card(tmp_path / "run")["languages"] == ["de"]
    vectors = load_encoder(tmp_path / "run" / "student").encode([tiny.sentence(0)])
    assert not np.allclose(vectors, load_encoder(runs / "given" / "student").encode([tiny.sentence(0)]))


@pytest.mark.slow
def test_where_nothing_is_trained_nothing_leaks(runs, tmp_path):
    (tmp_path / "sts").mkdir()
    pairs = [f"{score}.0\t{tiny.sentence(7 * score)}\tred {score}" for score in range(5)]
    (tmp_path / "sts" / "en-en.tsv").write_text("\n".join(["score\tsentence1\tsentence2", *pairs]) + "\n")
    named = ["--benchmarks", tmp_path / "sts", "--keep-leaks"]
    compared.answer("run", runs / "r.toml", "--out", tmp_path / "run", *named)
    assert card(tmp_path / "run")["leaks"] == {}
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert {one["contaminated"] for one in scores["tasks"] if one["test_set"] == "sts"} == {None}


def test_there_is_no_plan_of_it(runs):
    done = isoglot("plan", runs / "r.toml")
    assert done.returncode == 2 and "Only isoglot run takes such a recipe" in done.stderr


def test_minutes_are_refused_where_nothing_is_trained(runs, tmp_path):
    done = isoglot("run", runs / "r.toml", "--out", tmp_path / "run", "--minutes", "1")
    assert done.returncode == 2 and "nothing is trained" in done.stderr


@pytest.mark.slow
def test_evaluate_takes_the_student(runs, tmp_path):
    scores = compared.answer(
        "evaluate", runs / "given" / "student", "--corpus", runs / "given" / "corpus", "--out", tmp_path / "e"
    )
    assert scores["start"] == card(runs / "given")["start"]
    assert {one["task"] for one in scores["tasks"]} == {"heldout"}
    again = compared.answer(
        "evaluate", runs / "given" / "student", "--corpus", runs / "given" / "corpus", "--out", tmp_path / "e"
    )
    assert again == scores


def test_what_needs_a_teacher_says_that_there_was_none(runs):
    with pytest.raises(RequestError, match=r"was trained without a teacher, with the objective none"):
        further_recipe(runs / "given" / "student", ["x"], {})


@pytest.mark.slow
def test_sentence_transformers_loads_the_folder(runs):
    from sentence_transformers import SentenceTransformer

    texts = [tiny.sentence(number) for number in range(5)]
    theirs = SentenceTransformer(str(runs / "given" / "student"), device="cpu").encode(texts)
    np.testing.assert_allclose(
        theirs, load_encoder(runs / "given" / "student", precision="fp32").encode(texts), rtol=1e-4, atol=1e-5
    )
