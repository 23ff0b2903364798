"""`isoglot evaluate` on test sets in their published layouts, with models whose every vector is known."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.pipeline.evaluation_files import (
    DIFFERENT,
    SENTENCES,
    WIDTH,
    english,
    write_model,
    write_search,
    write_sts,
    write_tests,
)
from tests.teacher.embedding_server import answer, running
from typer.testing import CliRunner

import isoglot.pipeline.alone as alone
import isoglot.pipeline.evaluate_models as models
import tiny
from isoglot.cli.main import app
from isoglot.config import CleanConfig, CorpusConfig
from isoglot.corpus.build import build
from isoglot.encode.encoder import load_encoder
from isoglot.errors import RequestError
from isoglot.evaluate.results import read_evaluation
from isoglot.pipeline.alone import Wanted, evaluate
from isoglot.pipeline.evaluate_suite import parse_suite
from isoglot.teacher.store import Store


def isoglot(*arguments):
    """Call a command inside this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def command(*arguments):
    return [sys.executable, "-m", "isoglot.cli.main", *map(str, arguments)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Test sets, two models of one space, and an evaluation of the first by a process of its own."""
    folder = tmp_path_factory.mktemp("evaluate")
    write_tests(folder / "tests")
    write_model(folder / "good.parquet", 0.6)
    write_model(folder / "teacher.parquet", 0.0)
    arguments = [
        "evaluate",
        "good.parquet",
        "--data",
        "tests",
        "--teacher",
        "teacher.parquet",
        "--out",
        "good",
    ]
    done = subprocess.run(
        command(*arguments, "--json"), cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def entries(scores, **wanted):
    """Entries of scores.json with these fields."""
    return [entry for entry in scores["tasks"] if all(entry[key] == value for key, value in wanted.items())]


def test_all_tasks_run_that_can_and_the_rest_says_why_not(place):
    scores = json.loads(place[1].stdout)
    assert list(dict.fromkeys(entry["task"] for entry in scores["tasks"])) == [
        "sts",
        "search",
        "mining",
        "bias",
    ]
    reasons = {one["task"]: one["reason"] for one in scores["skipped"]}
    assert set(reasons) == {"heldout", "clustering", "compat"}
    assert "--corpus" in reasons["heldout"]
    assert "labels" in reasons["clustering"]
    assert "--index" in reasons["compat"]
    assert scores["health"]["rows"][0]["r2"] > 0.5
    rank = scores["health"]["rows"][0]["teacher"]["effective_rank"]
    assert f">{rank:.1f}<" in (place[0] / "good" / "report.html").read_text()
    assert scores == json.loads((place[0] / "good" / "scores.json").read_text())


def test_numbers_are_those_of_the_known_vectors(place):
    scores = json.loads(place[1].stdout)
    [spearman] = entries(scores, task="sts", languages=["en", "en"], metric="Spearman")
    assert spearman["value"] > 0.95
    assert spearman["low"] < spearman["value"] < spearman["high"]
    assert spearman["n"] == 80
    translations = entries(scores, task="search", test_set="tatoeba-v1")
    assert translations
    assert all(entry["value"] > 0.9 for entry in translations)
    assert {entry["signature"]["index"] for entry in translations} == {"", scores["teacher_fingerprint"]}
    for task, sets in scores["macro"].items():
        for test_set, means in sets.items():
            for metric, mean in means.items():
                values = [e["value"] for e in entries(scores, task=task, test_set=test_set, metric=metric)]
                assert mean == pytest.approx(np.mean(values))
    lowest = min(e["value"] for e in entries(scores, task="search", main=True))
    assert scores["worst"]["search"]["tatoeba-v1"]["value"] == lowest


def test_progress_has_a_rate_and_each_text_was_encoded_once(place):
    folder, done = place
    lines = [line for line in done.stderr.splitlines() if line.startswith("vectors of good.parquet")]
    store = next(
        store
        for path in (folder / "good" / "vectors").iterdir()
        if (store := Store.open(path)).space["fingerprint"] == json.loads(done.stdout)["fingerprint"]
    )
    assert len(np.unique(store.sorted_keys()[0], axis=0)) == store.rows
    assert f"{store.rows} of {store.rows} sentences".replace(",", " ") in lines[-1].replace(" ", " ").replace(
        f"{store.rows:,}".replace(",", " "), str(store.rows)
    )
    assert "/s" in lines[-1]
    assert store.header.store_precision == "fp32"


def test_items_and_page_are_there(place):
    folder, _ = place
    evaluation = read_evaluation(folder / "good")
    items = evaluation.items()
    for key, result in evaluation.results.items():
        if result.statistic == "mean":
            assert items[key].mean() == pytest.approx(result.value, abs=1e-6)
    page = (folder / "good" / "report.html").read_text()
    assert "Content-Security-Policy" in page
    assert "stsb-dev" in page and "tatoeba-v1" in page
    assert "no corpus was named with --corpus" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_table_per_task_for_people(place, monkeypatch):
    monkeypatch.chdir(place[0])
    done = isoglot(
        "evaluate", "good.parquet", "--data", "tests/tatoeba", "--suite", "search", "--out", "shown"
    )
    assert done.exit_code == 0, done.stderr
    scores = json.loads((place[0] / "shown" / "scores.json").read_text())
    head = done.stdout.splitlines()[0]
    assert head.startswith("search")
    assert "mean of 2" in done.stdout and "German - English" in done.stdout
    [value] = [e["value"] for e in entries(scores, languages=["de", "en"], main=True)]
    assert f"{value:.3f}" in done.stdout
    assert "skipped  scores against the teacher: no teacher is known; name it with --teacher" in done.stdout


def test_the_suite_and_the_languages_choose(place, tmp_path):
    folder, _ = place
    wanted = Wanted(str(folder / "good.parquet"), parse_suite("sts,search"), (folder / "tests",), ("de",))
    scores = evaluate(wanted, tmp_path / "out")
    assert {entry["task"] for entry in scores["tasks"]} == {"sts", "search"}
    assert {tag for entry in scores["tasks"] for tag in entry["languages"]} == {"de", "en"}
    assert not entries(scores, languages=["en", "en"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["good.parquet", "--suite", "serch"], "Did you mean search?"),
        (["good.parquet", "--suite", ","], "names no task"),
        (["good.parquet", "--data", "tests", "--languages", "tlh"], "is in Klingon (tlh)"),
        (["good.parquet", "--data", "tests", "--languages", "german"], "german"),
        (["good.parquet"], "Nothing can be measured"),
        (["good.parquet", "--data", "nowhere"], "nowhere does not exist"),
        (["nowhere.parquet", "--data", "tests"], "nowhere.parquet"),
        (["good.parquet", "--data", "tests", "--teacher", "wide.parquet"], "gives vectors of 16 numbers"),
        (["good.parquet", "--compare", "good", "good"], "no model"),
        ([], "no model to evaluate"),
        (["lacking.parquet", "--data", "tests"], "has no vector for 1 of"),
    ],
)
def test_a_wrong_request_is_exit_code_2(place, monkeypatch, arguments, said):
    folder, _ = place
    monkeypatch.chdir(folder)
    if not (folder / "lacking.parquet").exists():
        write_model(folder / "lacking.parquet", 0.6, lacking=(english(3),))
        write_wide(folder / "wide.parquet", folder / "good.parquet")
    done = isoglot("evaluate", *arguments, "--out", "refused")
    assert done.exit_code == 2, done.output
    assert said in done.stderr.replace("\n", " ")


def write_wide(path, model):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(model)
    vectors = [[*vector, 1.0] for vector in table["vector"].to_pylist()]
    pq.write_table(pa.table({"text": table["text"], "vector": vectors}), path)


def test_a_teacher_that_lacks_texts_is_used_where_it_can_be(place, tmp_path):
    folder, _ = place
    write_model(tmp_path / "partial.parquet", 0.0, lacking=(english(SENTENCES - 1),))
    write_search(tmp_path / "short" / "whole", SENTENCES - 2)
    wanted = Wanted(
        str(folder / "good.parquet"),
        parse_suite("search"),
        (folder / "tests",),
        (),
        str(tmp_path / "partial.parquet"),
    )
    scores = evaluate(wanted, tmp_path / "out")
    assert [one["task"] for one in scores["skipped"]] == ["search tatoeba-v1 against the teacher"]
    assert {entry["signature"]["index"] for entry in scores["tasks"]} == {""}
    whole = evaluate(
        Wanted(wanted.model, wanted.suite, (tmp_path / "short",), (), wanted.teacher), tmp_path / "other"
    )
    assert whole["skipped"] == []
    assert any(entry["signature"]["index"] for entry in whole["tasks"])


def test_another_suite_encodes_only_what_is_new(place, tmp_path, monkeypatch):
    folder, _ = place
    asked = []
    whole = models.embed
    monkeypatch.setattr(models, "embed", lambda texts, *rest: asked.append(set(texts)) or whole(texts, *rest))
    model, tests, out = str(folder / "good.parquet"), folder / "tests", tmp_path / "out"
    evaluate(Wanted(model, parse_suite("search"), (tests,)), out)
    [store] = (out / "vectors").iterdir()
    before = {path.name for path in (store / "shards").iterdir()}
    evaluate(Wanted(model, parse_suite("search"), (tests / "tatoeba",)), out)
    assert {path.name for path in (store / "shards").iterdir()} == before
    evaluate(Wanted(model, parse_suite("search,mining"), (tests,)), out)
    assert Store.open(store).rows == len(asked[0] | asked[2]) > len(asked[0])


def test_a_repeated_evaluation_of_a_folder_loads_no_model(place, tmp_path, monkeypatch):
    folder, _ = place
    model = write_static(tmp_path / "static")
    wanted = Wanted(str(model), parse_suite("sts,search"), (folder / "tests",))
    first = evaluate(wanted, tmp_path / "out")
    monkeypatch.setattr(models, "open_teacher", None)
    assert evaluate(wanted, tmp_path / "out") == first
    (tmp_path / "out" / "report.html").unlink()
    with pytest.raises(TypeError):  # the model is wanted again
        evaluate(wanted, tmp_path / "out")


def test_what_needs_no_torch_does_not_wait_for_it():
    said = (
        "import sys, isoglot.pipeline.alone, isoglot.pipeline.evaluate_compare; print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "False\n"


def write_static(folder):
    """A static encoder that knows English and German words, so that French has zero vectors."""
    folder.mkdir()
    tiny.write_tokenizer(folder)
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer

    size = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    table = np.random.default_rng(0).standard_normal((size, WIDTH)).astype(np.float32)
    save_file({"embedding.weight": table}, folder / "model.safetensors")
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


def test_a_zero_vector_is_measured_as_one(tmp_path):
    class Zero:
        dimension, normalise = 3, True

        def space(self):
            return {"fingerprint": "zero" * 16, "dimension": 3}

        def missing(self, texts):
            return np.zeros(len(texts), bool)

        def encode(self, texts):
            return np.array([[0, 0, 0] if text == "?" else [0, 1, 0] for text in texts], np.float32)

    model = models.Remembering(Zero(), tmp_path, "zero", alone.SILENT)
    assert model.encode(["?", "a", "?"]).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert model.encode(["b", "?"]).tolist() == [
        [0, 1, 0],
        [0, 0, 0],
    ]  # the store's own check of its model passes


def test_a_killed_evaluation_goes_on_where_it_was(tmp_path):
    """An endpoint is asked slowly for many chunks of sentences; SIGKILL comes when the first is in the store."""
    write_sts(tmp_path / "stsb")
    count = 3000
    (tmp_path / "tatoeba").mkdir()
    for code in ("deu", "eng"):
        lines = [f"{code} {number}" for number in range(count)]
        (tmp_path / "tatoeba" / f"tatoeba.deu-eng.{code}").write_text("\n".join(lines) + "\n")
    slow = threading.Event()

    def behave(request):
        if slow.is_set():
            time.sleep(0.05)
        return answer(request.question)

    slow.set()
    with running(behave) as server:
        arguments = command(
            "evaluate", server.url, "--data", ".", "--suite", "search,sts", "--out", "out", "--json"
        )
        process = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + 120
        while (
            len(list((tmp_path / "out").glob("vectors/*/shards/*.safetensors"))) < 2
        ):  # the first is committed
            assert time.monotonic() < until and process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "out" / "scores.json").exists()
        before = sum(len(request.question["input"]) for request in server.requests)
        [store] = (tmp_path / "out" / "vectors").iterdir()
        stored = Store.open(store).rows
        slow.clear()
        server.requests.clear()
        done = subprocess.run(
            arguments, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
        )
        again = sum(len(request.question["input"]) for request in server.requests)
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)
    assert {entry["task"] for entry in scores["tasks"]} == {"sts", "search"}
    distinct = Store.open(store).rows
    assert 1024 <= stored < distinct
    assert again <= distinct - stored + 5  # and the questions who answers there
    assert before < distinct


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    pairs = tiny.write_pairs(folder / "pairs.tsv", DIFFERENT, ("de", "fr"))
    clean = CleanConfig(max_untranslated=1.0)
    build(CorpusConfig(sources=(str(pairs),), dev_percent=0, test_percent=20, clean=clean), folder / "corpus")
    return folder / "corpus"


def test_any_encoder_is_measured_on_held_out_sentences(place, corpus, tmp_path, monkeypatch):
    folder, _ = place
    monkeypatch.chdir(folder)
    arguments = ["evaluate", "good.parquet", "--corpus", corpus, "--suite", "heldout", "--json"]
    small = ["--pool", 50, "--queries", 7, "--languages", "de", "--teacher", "teacher.parquet"]
    done = isoglot(*arguments, *small, "--out", tmp_path / "small")
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)
    assert {(*entry["languages"], entry["n"]) for entry in scores["tasks"]} == {("de", "en", 7)}
    assert {entry["signature"]["protocol"].split(", ")[1] for entry in scores["tasks"]} == {"pool 50"}
    [main] = entries(scores, main=True)
    assert main["metric"] == "top-1 to teacher" and main["value"] == 1.0
    assert 0 < entries(scores, metric="MSE")[0]["value"] < 0.05
    assert scores["skipped"] == []
    done = isoglot(*arguments, "--out", tmp_path / "alone")
    scores = json.loads(done.stdout)
    assert {(entry["languages"][0], entry["metric"], entry["main"]) for entry in scores["tasks"]} == {
        ("de", "top-1 to student", True), ("fr", "top-1 to student", True),
    }  # fmt: skip
    assert [one["task"] for one in scores["skipped"]] == ["scores against the teacher"]
    refused = isoglot(*arguments, "--languages", "tr", "--out", tmp_path / "refused")
    assert refused.exit_code == 2 and "empty in these languages" in refused.stderr


def test_an_index_is_checked_first_and_a_wrong_one_ends_it(place, tmp_path, monkeypatch):
    folder, _ = place
    monkeypatch.chdir(folder)
    arguments = [
        "evaluate",
        "good.parquet",
        "--data",
        "tests",
        "--teacher",
        "teacher.parquet",
        "--suite",
        "sts,compat",
    ]
    done = isoglot(*arguments, "--index", "teacher.parquet", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)
    assert scores["compat"]["index"]["documents"] == 3 * DIFFERENT
    assert scores["compat"]["proof"]["median"] > 0.99
    assert scores["skipped"] == []
    assert "does not work" in (page := (tmp_path / "out" / "report.html").read_text()) or "no verdict" in page
    rows = pq.read_table("teacher.parquet").to_pydict()
    np.save(tmp_path / "index.npy", np.array(rows["vector"], np.float32))
    (tmp_path / "elsewhere.txt").write_text("\n".join(rows["text"]) + "\n")
    bare = [*arguments, "--index", tmp_path / "index.npy", "--out", tmp_path / "bare"]
    assert isoglot(*bare).exit_code == 2  # nothing says which text a row is of
    done = isoglot(*bare, "--index-texts", tmp_path / "elsewhere.txt", "--json")
    assert json.loads(done.stdout)["compat"]["proof"]["median"] > 0.99
    write_model(tmp_path / "other.parquet", 30.0)
    done = isoglot(*arguments, "--index", tmp_path / "other.parquet", "--out", tmp_path / "wrong")
    assert done.exit_code == 2, done.output
    assert not (tmp_path / "wrong" / "vectors").exists()


def test_the_page_shows_the_worst_of_each_language(place):
    """Found first is no example of the worst, so a model that finds all has none."""
    folder, _ = place
    write_model(folder / "poor.parquet", 4.0)
    wanted = Wanted(
        str(folder / "poor.parquet"),
        parse_suite("search,health"),
        (folder / "tests",),
        (),
        str(folder / "teacher.parquet"),
    )
    evaluate(wanted, folder / "poor")
    assert "right answer in place" in (folder / "poor" / "report.html").read_text()


def test_an_endpoint_that_dies_leaves_no_scores(tmp_path):
    write_sts(tmp_path / "stsb")
    done = isoglot(
        "evaluate", "http://127.0.0.1:9/v1#gone", "--data", tmp_path / "stsb", "--out", tmp_path / "out"
    )
    assert done.exit_code == 1
    assert not (tmp_path / "out" / "scores.json").exists()


def test_mteb_that_cannot_run_is_skipped_with_its_reason(place, tmp_path, monkeypatch):
    folder, _ = place
    monkeypatch.setitem(sys.modules, "mteb", None)  # as if the extra were not installed
    wanted = Wanted(str(folder / "good.parquet"), parse_suite("sts,mteb:STS17,Tatoeba"), (folder / "tests",))
    scores = evaluate(wanted, tmp_path / "out")
    assert {one["task"] for one in scores["skipped"]} == {"mteb:STS17", "mteb:Tatoeba"}
    assert "isoglot[mteb]" in scores["skipped"][0]["reason"]
    with pytest.raises(RequestError, match="Nothing can be measured"):
        evaluate(Wanted(wanted.model, parse_suite("mteb:STS17"), wanted.data), tmp_path / "none")


def test_an_evaluation_goes_on_where_the_arithmetic_is_another(tiny_folder, tmp_path):
    """As on a machine with bf16 after one without; each has a store of its own."""
    encoder = load_encoder(tiny_folder / "teacher")
    found = {}
    for encoder.precision in ("fp32", "bf16"):
        model = models.Remembering(encoder, tmp_path, "tiny", alone.SILENT)
        found[encoder.precision] = model.encode(["the red house sings"])
        assert np.array_equal(found[encoder.precision], encoder.encode(["the red house sings"]))
    assert not np.array_equal(found["fp32"], found["bf16"])
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_evaluation_says_the_arithmetic(tiny_folder, tmp_path, monkeypatch, precision):
    monkeypatch.setattr("isoglot.encode.precision.choose", lambda *_asked: precision)
    write_sts(tmp_path / "stsb")
    scores = evaluate(Wanted(str(tiny_folder / "teacher"), parse_suite("sts"), (tmp_path,)), tmp_path / "out")
    assert scores["arithmetic"] == precision
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert f'arithmetic</dt><dd dir="auto"><code>{precision}</code>' in page
