"""A teacher with one prompt for queries and another for documents: translations are searched among documents."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import tiny
from isoglot.cli.main import app
from isoglot.config import TeacherConfig
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import load_encoder
from isoglot.errors import RequestError
from isoglot.evaluate.heldout import hold_out
from isoglot.pipeline.run import run
from isoglot.recipe import load_recipe
from isoglot.teacher.kinds import open_teacher

PROMPT = "the old big green house waits "
SETTINGS = ["train.epochs=0", "warm_start.sentences=100"]


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """Two runs of one recipe, the second with a prompt for documents."""
    folder = tmp_path_factory.mktemp("documents")
    path = tiny.write_recipe(
        folder / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    plain = run(load_recipe(str(path), SETTINGS), folder / "plain")
    named = [*SETTINGS, f'teacher.document_prompt="{PROMPT}"']
    return plain, run(load_recipe(str(path), named), folder / "named")


def of_metric(finished, metric):
    return {
        one["languages"][0]: (one["value"], one["signature"]["index"])
        for one in finished.scores["tasks"]
        if one["task"] == "heldout" and one["metric"] == metric
    }


def test_queries_land_where_they_did_and_search_the_documents(runs, tiny_folder):
    plain, named = runs
    assert of_metric(named, "MSE") == of_metric(plain, "MSE")
    documents, _ = open_teacher(TeacherConfig(model=str(tiny_folder / "teacher"), prompt=PROMPT))
    corpus = Corpus.open(named.folder.corpus)
    test = hold_out(corpus.groups("test"), corpus.groups("train").sources, 60, 20)
    vectors = load_encoder(named.folder.student).encode(test.queries)
    hits = (vectors @ documents.encode(test.pool).T).argmax(axis=1) == test.gold
    found = of_metric(named, "top-1 to teacher")
    for number, tag in enumerate(test.languages):
        assert found[tag] == (
            pytest.approx(hits[test.rows_of(number)].mean()),
            documents.space()["fingerprint"],
        )
    assert found != of_metric(plain, "top-1 to teacher")


def test_every_stage_and_every_look_searches_the_documents(runs):
    plain, named = runs
    for stage in ("warm start", "trained"):
        rows = [finished.scores["languages"]["de"].get(stage) for finished in runs]
        if rows[0] is not None:
            assert rows[0]["to_teacher"] != rows[1]["to_teacher"]
            assert rows[0]["mse"] == rows[1]["mse"]
    looks = [finished.card["dev"][0]["score"] for finished in (plain, named)]
    assert looks[0]["retrieval"] != looks[1]["retrieval"]
    assert looks[0]["spearman"] == looks[1]["spearman"]
    assert looks[0]["r2"] == looks[1]["r2"]


def test_another_document_prompt_is_another_space(runs):
    _, named = runs
    path = named.folder.root.parent / "tiny.toml"
    other = [*SETTINGS, 'teacher.document_prompt="a small red "']
    with pytest.raises(RequestError, match=r"documents.*prompt"):
        run(load_recipe(str(path), other), named.folder.root)
    again = run(load_recipe(str(path), other), named.folder.root.parent / "other")
    assert again.card["dev"][0]["score"]["retrieval"] != named.card["dev"][0]["score"]["retrieval"]


def test_evaluating_the_student_alone_searches_them_too(runs, tmp_path):
    _, named = runs
    arguments = ["evaluate", named.folder.student, "--corpus", named.folder.corpus, "--suite", "heldout"]
    place = ["--pool", 60, "--queries", 20, "--out", tmp_path / "out", "--json"]
    done = CliRunner().invoke(app, [str(one) for one in [*arguments, *place]])
    assert done.exit_code == 0, done.output
    alone = {
        one["languages"][0]: (one["value"], one["signature"]["index"])
        for one in json.loads(done.stdout.splitlines()[-1])["tasks"]
        if one["metric"] == "top-1 to teacher"
    }
    assert alone == of_metric(named, "top-1 to teacher")


def test_compat_takes_the_prompt_from_the_card(runs, tiny_folder, tmp_path):
    _, named = runs
    documents, _ = open_teacher(TeacherConfig(model=str(tiny_folder / "teacher"), prompt=PROMPT))
    texts = [tiny.sentence(number * 7) for number in range(64)]
    np.save(tmp_path / "i.npy", documents.encode(texts))
    (tmp_path / "i.txt").write_text("\n".join(texts) + "\n")
    arguments = ["compat", str(named.folder.student), "--index", str(tmp_path / "i.npy"), "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["proof"]["lowest"] > 0.9999
    refused = CliRunner().invoke(app, [*arguments, "--document-prompt", "a small red "])
    assert refused.exit_code == 2


def test_finished_vectors_have_no_prompt(tmp_path):
    np.save(tmp_path / "v.npy", np.eye(4, dtype=np.float32))
    (tmp_path / "v.txt").write_text("a\nb\nc\nd\n")
    with pytest.raises(RequestError, match=r"teacher\.document_prompt has no effect"):
        open_teacher(TeacherConfig(model=str(tmp_path / "v.npy"), document_prompt="x"))
