"""The whole job through the command line, on small real models: once as a program, then inside this process."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from tests.evaluate.report_reader import read
from tests.pipeline.evaluation_files import write_search

import tiny
from command import isoglot, program
from isoglot.artefact import verify
from isoglot.corpus.split import key
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import load_encoder
from isoglot.encode.fingerprint import space
from isoglot.pipeline.alone import Wanted, evaluate
from isoglot.pipeline.evaluate_suite import parse_suite


@pytest.fixture(scope="module")
def finished(tiny_folder, tmp_path_factory):
    """A finished run of the small recipe, with the process that made it."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = tiny.write_recipe(
        folder / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    process = program("run", recipe, "--out", folder / "run", "--json", cwd=folder)
    assert process.returncode == 0, process.stderr
    return folder, process


def test_one_json_object_on_stdout_and_a_line_per_stage_on_stderr(finished):
    folder, process = finished
    result = json.loads(process.stdout)
    assert result["student"] == str(folder / "run" / "student")
    stages = ["models", "corpus", "teacher", "warm start", "mixing", "training", "evaluation"]
    names = [line[:11].strip() for line in process.stderr.splitlines()]
    assert [name for name in names if name in stages] == stages


def test_the_share_of_each_language_is_shown_before_training_and_kept_in_the_card(finished):
    folder, process = finished
    shares = json.loads((folder / "run" / "student" / "isoglot.json").read_text())["shares"]
    assert list(shares) == ["de", "fr", "tr"]
    assert sum(shares.values()) == pytest.approx(1)
    line = next(line for line in process.stderr.splitlines() if line.startswith("mixing"))
    for tag, share in shares.items():
        assert f"{tag} {share:.1%}" in line


def test_scores_say_what_they_are(finished):
    scores = json.loads((finished[0] / "run" / "scores.json").read_text())
    assert set(scores["languages"]) == {"de", "fr", "tr"}
    stages = scores["languages"]["de"]
    assert stages["before"]["to_teacher"] is None  # 32 dimensions against the teacher's 24
    assert stages["warm start"]["r2"] > 0
    mean = scores["mean"][scores["shipped"]]["to_teacher"]
    assert 0 <= scores["worst"]["heldout"]["held-out"]["value"] <= mean
    assert scores["macro"]["heldout"]["held-out"]["top-1 to teacher"] == pytest.approx(mean)
    assert any(
        signature.startswith("retrieval top-1|student->teacher, pool 60|")
        for signature in scores["signatures"]
    )
    values = [stages[scores["shipped"]]["to_teacher"] for stages in scores["languages"].values()]
    assert scores["mean"][scores["shipped"]]["to_teacher"] == pytest.approx(np.mean(values))


def test_no_english_sentence_is_in_two_splits(finished):
    corpus = Corpus.open(finished[0] / "run" / "corpus")
    keys = [{key(text) for text in corpus.sources(split)} for split in ("train", "dev", "test")]
    assert all(keys)
    assert not keys[0] & keys[1] | keys[0] & keys[2] | keys[1] & keys[2]


def test_the_student_loads_in_sentence_transformers_and_gives_the_same_vectors(finished, tiny_folder):
    from sentence_transformers import SentenceTransformer

    folder = finished[0] / "run" / "student"
    texts = [tiny.sentence(n) for n in range(30)] + [
        tiny.translation("fr", tiny.sentence(n)) for n in range(30)
    ]
    ours, theirs = (
        load_encoder(folder, precision="fp32").encode(texts),
        SentenceTransformer(str(folder), device="cpu").encode(texts),
    )
    assert ours.shape == (60, 24)
    assert np.abs(ours - theirs).max() < 1e-5
    assert np.linalg.norm(ours, axis=1) == pytest.approx(1.0, abs=1e-5)
    card = json.loads((folder / "isoglot.json").read_text())
    assert (
        card["teacher"]["space"]["fingerprint"] == space(load_encoder(tiny_folder / "teacher"))["fingerprint"]
    )
    assert (folder / "NOTICE").read_text().strip()
    assert verify(folder) == []


def test_training_brought_the_student_nearer_to_the_teacher(finished):
    card = json.loads((finished[0] / "run" / "student" / "isoglot.json").read_text())
    assert card["shipped"] == "trained"
    best = next(point for point in card["dev"] if point["step"] == card["shipped_step"])
    assert best["score"]["spearman"] > card["dev"][0]["score"]["spearman"]
    assert best["score"]["retrieval"] >= card["dev"][0]["score"]["retrieval"]


def test_the_report_is_one_page_with_the_scores(finished):
    page = (finished[0] / "run" / "report.html").read_text()
    assert "Content-Security-Policy" in page
    assert "Turkish" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def facts(page):
    rows = read(page.read_text("utf-8")).one("section", "hero").one("dl").all("div")
    return {row.one("dt").text: row.one("dd").text for row in rows}


def test_the_page_names_the_student_what_it_was_made_from_and_who_taught_it(finished, tiny_folder, tmp_path):
    student = finished[0] / "run" / "student"
    origin = f"made from {tiny_folder / 'student'}, taught by {tiny_folder / 'teacher'}"
    assert facts(finished[0] / "run" / "report.html")["Student"] == f"{student}, {origin}"
    tests = write_search(tmp_path / "tatoeba", 20)
    evaluate(Wanted(str(student), parse_suite("search"), (tests,)), tmp_path / "out")
    assert facts(tmp_path / "out" / "report.html")["Model"] == f"{student}, {origin}"
    evaluate(Wanted(str(tiny_folder / "teacher"), parse_suite("search"), (tests,)), tmp_path / "other")
    assert facts(tmp_path / "other" / "report.html")["Model"] == str(tiny_folder / "teacher")


def test_a_second_run_changes_nothing(finished):
    folder, _ = finished
    run = folder / "run"
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != ".lock"}
    process = isoglot("run", folder / "tiny.toml", "--out", run, cwd=folder)
    assert process.returncode == 0, process.stderr
    assert "0 newly embedded" in process.stderr
    changed = [str(path) for path, data in before.items() if path.read_bytes() != data]
    assert not [path for path in changed if not path.endswith(("-shm", "-wal", "manifest.sqlite"))]
    assert isoglot("verify", run, cwd=folder).returncode == 0


@pytest.mark.parametrize("damage", ["delete", "flip"])
def test_a_damaged_student_is_made_again_from_its_weights(finished, tmp_path, damage):
    folder, _ = finished
    run = shutil.copytree(folder / "run", tmp_path / "run")
    weights = run / "student" / "model.safetensors"
    whole = weights.read_bytes()
    weights.unlink()
    if damage == "flip":
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    process = isoglot("run", folder / "tiny.toml", "--out", run, cwd=folder)
    assert process.returncode == 0, process.stderr
    assert weights.read_bytes() == whole
    assert verify(run / "student") == []


@pytest.mark.slow
def test_the_separate_commands_do_the_same(finished, tiny_folder, tmp_path):
    folder, _ = finished
    pairs, teacher = tiny_folder / "pairs.tsv", tiny_folder / "teacher"
    changes = ["--set", "dev_percent=10", "--set", "test_percent=10", "--set", "clean.max_untranslated=1.0"]
    built = isoglot("corpus", "build", pairs, "--out", "corpus", *changes, cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    assert verify(tmp_path / "corpus") == []
    assert Corpus.open(tmp_path / "corpus").sources() == Corpus.open(folder / "run" / "corpus").sources()
    embedded = isoglot("embed", "corpus", "--teacher", teacher, "--store", "store", "--json", cwd=tmp_path)
    assert json.loads(embedded.stdout)["rows"] == 300
    options = [
        "--teacher",
        teacher,
        "--student",
        tiny_folder / "student",
        "--corpus",
        "corpus",
        "--store",
        "store",
    ]
    distilled = isoglot(
        "distil", *options, "--out", "run", "--epochs", "1", "--set", "evaluate.pool=60",
        "--set", "train.batch_tokens=512", "--set", "student.max_tokens=32", cwd=tmp_path,
    )  # fmt: skip
    assert distilled.returncode == 0, distilled.stderr
    assert "0 newly embedded" in distilled.stderr
    scored = isoglot("evaluate", "run/student", "--corpus", "corpus", "--pool", "60", "--json", cwd=tmp_path)
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["languages"].keys() == {"de", "fr", "tr"}
    assert json.loads(scored.stdout)["pool"] == 60
    assert (tmp_path / "run" / "student-evaluation" / "report.html").is_file()


def test_from_python(tiny_folder, tmp_path):
    import isoglot

    student = isoglot.distil(
        teacher=tiny_folder / "teacher", student=tiny_folder / "student", corpus=[tiny_folder / "pairs.tsv"],
        out=tmp_path / "x", epochs=0, settings=["corpus.clean.max_untranslated=1.0"],
    )  # fmt: skip
    assert student.encode(["xder neerg"]).shape == (1, 24)
    assert json.loads((tmp_path / "x" / "student" / "isoglot.json").read_text())["shipped"] == "warm start"


def test_evaluating_with_another_teacher_is_refused(finished, tiny_folder, tmp_path):
    other = tiny.write_teacher(tmp_path / "other", seed=8)
    run = finished[0] / "run"
    process = isoglot(
        "evaluate", run / "student", "--corpus", run / "corpus", "--teacher", other, cwd=tmp_path
    )
    assert process.returncode == 2
    assert "lives in the space" in process.stderr


BAD = {
    "empty": ("", "bad.tsv is empty", 2),
    "one column": ("only\none\ncolumn\n", "bad.tsv has one column", 2),
    "nothing left": ("source_lang\ttarget_lang\tsource\ttarget\nen\tde\tsame\tsame\n", "identical", 1),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_text_gives_one_paragraph_and_no_half_folder(kind, tiny_folder, tmp_path):
    content, said, code = BAD[kind]
    (tmp_path / "bad.tsv").write_text(content)
    options = ["--teacher", tiny_folder / "teacher", "--student", tiny_folder / "student", "--out", "run"]
    process = isoglot("distil", *options, "--corpus", "bad.tsv", cwd=tmp_path)
    assert process.returncode == code
    errors = [line for line in process.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert said in errors[0]
    assert not (tmp_path / "run" / "corpus").exists()


def test_an_unknown_language_is_asked_back(tiny_folder, tmp_path):
    options = ["--teacher", tiny_folder / "teacher", "--student", tiny_folder / "student", "--out", "run"]
    process = isoglot(
        "distil", *options, "--corpus", tiny_folder / "pairs.tsv", "--languages", "german", cwd=tmp_path
    )
    assert process.returncode == 2
    assert "german" in process.stderr


@pytest.mark.slow
def test_a_full_disk_is_explained_and_the_next_run_goes_on(tiny_folder, tmp_path):
    """RLIMIT_FSIZE stands in for a full disk: no file may grow beyond 60 kB, which the student's weights do."""
    recipe = tiny.write_recipe(
        tmp_path / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    limited = (
        "import resource, signal, sys, isoglot.cli.main as m; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000)); sys.argv[0] = 'isoglot'; m.main()"
    )
    command = [sys.executable, "-c", limited, "run", str(recipe), "--out", "run"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert process.returncode == 1, process.stderr
    assert "Traceback" not in process.stderr
    assert "free there" in process.stderr
    assert not list((tmp_path / "run").rglob("*.partial"))
    again = isoglot("run", recipe, "--out", "run", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "0 newly embedded" in again.stderr


def test_two_runs_in_one_folder_are_refused(tiny_folder, tmp_path):
    import isoglot as package
    from isoglot.lock import exclusive

    with exclusive(tmp_path / "run"):
        process = isoglot(
            "distil", "--teacher", tiny_folder / "teacher", "--student", tiny_folder / "student",
            "--corpus", tiny_folder / "pairs.tsv", "--out", "run", cwd=tmp_path,
        )  # fmt: skip
    assert process.returncode == 1
    assert f"process {os.getpid()}" in process.stderr
    assert package.__version__
    shutil.rmtree(tmp_path / "run")
