"""A run that is told its test sets does not train on them, says so, and stays resumable."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import command
import tiny
from isoglot.artefact import read_manifest
from isoglot.cli.main import app
from isoglot.config import CleanConfig, CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.store import Corpus
from isoglot.pipeline.run import run as run_recipe
from isoglot.recipe import load_recipe

PLANTED = 6


def isoglot(*arguments):
    """Call a command inside this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write_tests(folder, corpus):
    """Test sets with sentences of the train split: an STS set of sources, a Tatoeba of one French translation."""
    train = corpus.groups("train")
    sources = train.sources[:PLANTED]
    rows = "".join(f"3.0\t{text.upper()}!\tnothing like it\n" for text in sources)
    (folder / "stsb").mkdir(parents=True)
    (folder / "stsb" / "en-test.tsv").write_text("score\tsentence1\tsentence2\n" + rows)
    (folder / "stsb" / "en-train.tsv").write_text(f"score\tsentence1\tsentence2\n1\t{train.sources[50]}\tx\n")
    row = next(
        row
        for row, number in enumerate(train.language)
        if train.languages[number] == "fr" and train.group[row] >= PLANTED
    )
    (folder / "tatoeba").mkdir()
    (folder / "tatoeba" / "deu.tsv").write_text(f"source\ttarget\n{train.targets[row]}\tsomething else\n")
    (folder / "clean").mkdir()
    (folder / "clean" / "fra.tsv").write_text("source\ttarget\nrien\tnothing at all\n")
    return folder


@pytest.fixture(scope="module")
def place(tiny_folder, tmp_path_factory):
    """A built corpus, a recipe that uses it, and test sets that it leaks."""
    folder = tmp_path_factory.mktemp("leaks")
    recipe = tiny.write_recipe(
        folder / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    clean = CleanConfig(max_untranslated=1.0)
    sources = (str(tiny_folder / "pairs.tsv"),)
    config = CorpusConfig(sources=sources, dev_percent=10, test_percent=10, clean=clean)
    build(config, folder / "corpus")
    write_tests(folder / "tests", Corpus.open(folder / "corpus"))
    text = recipe.read_text().replace(
        f'sources = ["{tiny_folder / "pairs.tsv"}"]', f'sources = ["{folder / "corpus"}"]'
    )
    recipe.write_text(text.replace("epochs = 2", "epochs = 1"))
    return folder


@pytest.fixture(scope="module")
def dropped(place):
    """A run that was told the test sets."""
    process = command.isoglot(
        "run", "tiny.toml", "--out", "dropped", "--benchmarks", "tests", "--json", cwd=place
    )
    assert process.returncode == 0, process.stderr
    return process


def leaking(place):
    """Translations of the planted source sentences, and the one that is planted itself."""
    return int((Corpus.open(place / "corpus").groups("train").group < PLANTED).sum()) + 1


def card(folder):
    return json.loads((folder / "student" / "isoglot.json").read_text())


def test_leaks_are_dropped_counted_and_named(place, dropped):
    leaks = card(place / "dropped")["leaks"]
    assert leaks["kept"] is False
    assert leaks["pairs"] == leaking(place)
    assert leaks["test_sets"] == {
        "clean": {"sources": 0, "translations": 0, "contaminated": False},
        "stsb-test": {"sources": PLANTED, "translations": 0, "contaminated": False},
        "tatoeba": {"sources": 0, "translations": 1, "contaminated": False},
    }
    assert f"{leaking(place)} training pairs are in stsb-test, tatoeba: dropped" in dropped.stderr
    assert json.loads(dropped.stdout)["scores"]["test_sets"] == leaks["test_sets"]
    page = (place / "dropped" / "report.html").read_text()
    assert "dropped before training" in page
    assert "contaminated" not in page.partition("<main")[2]


def test_the_student_is_fitted_without_them(place, dropped):
    train = Corpus.open(place / "corpus").groups("train")
    left = len(train.targets) + len(train.sources) - leaking(place) - PLANTED
    line = next(line for line in dropped.stderr.splitlines() if line.startswith("warm start"))
    assert f"sentences of {left} " in line


def test_a_second_run_finds_everything_done(place, dropped, monkeypatch):
    monkeypatch.chdir(place)
    before = {
        path: path.read_bytes() for path in (place / "dropped" / "student").rglob("*") if path.is_file()
    }
    again = isoglot("run", "tiny.toml", "--out", "dropped", "--data", "tests")
    assert again.exit_code == 0, again.output
    assert "0 newly embedded" in again.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_kept_leaks_contaminate_their_scores(place, dropped, monkeypatch):
    monkeypatch.chdir(place)
    shutil.copytree(place / "dropped", place / "kept")
    result = isoglot("run", "tiny.toml", "--out", "kept", "--benchmarks", "tests", "--keep-leaks", "--json")
    assert result.exit_code == 0, result.output
    train = Corpus.open(place / "corpus").groups("train")
    assert f"sentences of {len(train.sources) + len(train.targets)} " in result.stderr
    assert "0 newly embedded" in result.stderr
    test_sets = json.loads(result.stdout)["scores"]["test_sets"]
    assert {name: of["contaminated"] for name, of in test_sets.items()} == {
        "clean": False, "stsb-test": True, "tatoeba": True,
    }  # fmt: skip
    entries = json.loads(result.stdout)["scores"]["tasks"]  # beside every score of the test set
    assert {entry["test_set"]: entry["contaminated"] for entry in entries} == {
        "held-out": None, "clean": False, "stsb-test": True, "tatoeba": True,
    }  # fmt: skip
    assert card(place / "kept")["leaks"]["kept"] is True
    assert "every score of this test set is contaminated" in (place / "kept" / "report.html").read_text()


def test_other_test_sets_make_the_start_and_the_student_anew_but_no_vectors(
    place, dropped, tmp_path, monkeypatch
):
    monkeypatch.chdir(place)
    shutil.copytree(place / "dropped", tmp_path / "run")
    first = read_manifest(tmp_path / "run" / "warm_start")
    (tmp_path / "tests").mkdir()
    shutil.copytree(place / "tests" / "clean", tmp_path / "tests" / "clean")
    recipe = load_recipe("tiny.toml", [f"evaluate.benchmarks=['{tmp_path / 'tests'}']", "train.epochs=0"])
    finished = run_recipe(recipe, tmp_path / "run", evaluate=False)
    second = read_manifest(tmp_path / "run" / "warm_start")
    assert first.inputs["benchmarks"] != second.inputs["benchmarks"]
    assert {**first.inputs, "benchmarks": ""} == {**second.inputs, "benchmarks": ""}
    assert finished.card["leaks"]["test_sets"] == {
        "clean": {"sources": 0, "translations": 0, "contaminated": False}
    }
    # where the folder lies does not matter, only what it holds
    moved = tmp_path / "moved"
    shutil.copytree(tmp_path / "tests", moved)
    again = load_recipe("tiny.toml", [f"evaluate.benchmarks=['{moved}']", "train.epochs=0"])
    run_recipe(again, tmp_path / "run", evaluate=False)
    assert read_manifest(tmp_path / "run" / "warm_start") == second


def test_distil_takes_the_options_too(place, tiny_folder, monkeypatch):
    monkeypatch.chdir(place)
    options = [
        "--teacher",
        tiny_folder / "teacher",
        "--student",
        tiny_folder / "student",
        "--corpus",
        "corpus",
    ]
    result = isoglot(
        "distil", *options, "--out", "distilled", "--align-only", "--benchmarks", "tests/stsb",
        "--benchmarks", "tests/tatoeba", "--set", "evaluate.pool=60",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert card(place / "distilled")["leaks"]["pairs"] == leaking(place)
    assert list(card(place / "distilled")["leaks"]["test_sets"]) == ["stsb-test", "tatoeba"]


@pytest.mark.parametrize(
    ("inner", "said"), [("nowhere", "does not exist"), ("stsb/en-train.tsv", "holds only training splits")]
)
def test_what_cannot_be_reported_is_refused_at_once(place, monkeypatch, inner, said):
    monkeypatch.chdir(place)
    result = isoglot("run", "tiny.toml", "--out", "refused", "--benchmarks", Path("tests") / inner)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (place / "refused" / "store").exists()


def test_keeping_leaks_of_nothing_is_refused(place, monkeypatch):
    monkeypatch.chdir(place)
    result = isoglot("run", "tiny.toml", "--out", "refused", "--keep-leaks")
    assert (result.exit_code, "name the test sets" in result.stderr) == (2, True)
