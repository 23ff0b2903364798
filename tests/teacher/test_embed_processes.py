"""`isoglot embed` with worker processes and in parts, and `isoglot store`: the real program on a small real teacher."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import crashing
import tiny
from isoglot.artefact import digest_file
from isoglot.cli.main import app
from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.store import Corpus
from isoglot.teacher.store import Store

pytestmark = pytest.mark.slow


def isoglot(*arguments, code=0):
    """Run the program in this process, which has torch already; worker processes are real."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.stderr
    return done


@pytest.fixture(scope="module")
def embedded(tiny_folder, tmp_path_factory):
    """A corpus, its store as one process makes it, and the arguments that made it."""
    folder = tmp_path_factory.mktemp("embedded")
    clean = {"max_untranslated": 1.0}
    build(CorpusConfig(sources=(str(tiny_folder / "pairs.tsv"),), clean=clean), folder / "corpus")
    arguments = ["embed", folder / "corpus", "--teacher", tiny_folder / "teacher", "--set", "chunk_rows=32"]
    isoglot(*arguments, "--store", folder / "store")
    return folder, arguments


def digests(store):
    return {path.name: digest_file(path) for path in (store / "shards").iterdir()}


def test_worker_processes_see_a_reduced_space_as_one_process_does(embedded, tmp_path):
    _, arguments = embedded
    for workers in ("1", "2"):
        store = tmp_path / f"store{workers}"
        isoglot(*arguments, "--set", "dimension=8", "--store", store, "--workers", workers)
    assert digests(tmp_path / "store1") == digests(tmp_path / "store2")


def test_parts_are_embedded_apart_and_merged(embedded, tmp_path):
    folder, arguments = embedded
    parts = [tmp_path / "part1", tmp_path / "part2"]
    for number, part in enumerate(parts, 1):
        isoglot(*arguments, "--store", part, "--shard", f"{number}/2")
        assert len(digests(part)) == 5
    done = isoglot("store", "merge", *parts, "--store", tmp_path / "merged", "--json")
    assert json.loads(done.stdout)["rows"] == 300
    assert digests(tmp_path / "merged") == digests(folder / "store")
    assert isoglot("verify", tmp_path / "merged").stdout.startswith("whole")
    assert "no part of a whole" in isoglot(*arguments, "--store", tmp_path, "--shard", "3/2", code=2).stderr


def test_a_part_leaves_out_what_a_known_store_holds(embedded, tmp_path):
    folder, arguments = embedded
    isoglot(*arguments, "--store", tmp_path / "half", "--shard", "1/2")
    done = isoglot(*arguments, "--store", tmp_path / "rest", "--known", tmp_path / "half", "--json")
    assert json.loads(done.stdout)["rows"] == 300 - Store.open(tmp_path / "half").rows
    merged = isoglot("store", "merge", tmp_path / "rest", "--store", tmp_path / "half", "--json")
    assert json.loads(merged.stdout)["rows"] == 300
    texts = Corpus.open(folder / "corpus").sources()
    difference = Store.open(tmp_path / "half").vectors(texts) - Store.open(folder / "store").vectors(texts)
    assert np.abs(difference).max() < 1e-3  # chunks of other sentences round otherwise


def test_a_store_is_exported_with_the_texts_of_its_corpus(embedded, tmp_path):
    folder, _ = embedded
    done = isoglot(
        "store", "export", folder / "store", "--to", "parquet", "--out", tmp_path / "out",
        "--corpus", folder / "corpus", "--json",
    )  # fmt: skip
    assert json.loads(done.stdout) == {"out": str(tmp_path / "out"), "rows": 300, "texts": True, "dropped": 0}
    texts = Corpus.open(folder / "corpus").sources()
    table = pq.read_table(tmp_path / "out" / "vectors.parquet")
    assert table["text"].to_pylist() == texts
    vectors = np.array(table["vector"].to_pylist(), np.float32)
    assert np.array_equal(vectors, Store.open(folder / "store").vectors(texts))
    isoglot("store", "export", folder / "store", "--to", "npy")
    assert np.load(folder / "store-npy" / "vectors.npy").shape == vectors.shape


def test_sentences_that_a_store_lacks_are_refused_or_left_out_of_an_export(embedded, tmp_path):
    folder, arguments = embedded
    isoglot(*arguments, "--store", tmp_path / "half", "--shard", "1/2")
    call = ["store", "export", tmp_path / "half", "--to", "npy", "--corpus", folder / "corpus"]
    assert "missing = drop" in isoglot(*call, code=2).stderr
    done = isoglot(*call, "--missing", "drop", "--json")
    held = Store.open(tmp_path / "half").rows
    expected = {"out": str(tmp_path / "half-npy"), "rows": held, "texts": True, "dropped": 300 - held}
    assert json.loads(done.stdout) == expected
    assert f"{300 - held} sentences of" in isoglot(*call, "--missing", "drop").stdout


def test_an_exported_file_is_a_teacher_of_the_same_vectors(embedded, tmp_path):
    folder, arguments = embedded
    corpus = ["--corpus", folder / "corpus"]
    isoglot("store", "export", folder / "store", "--to", "parquet", "--out", tmp_path / "out", *corpus)
    file = tmp_path / "out" / "vectors.parquet"
    isoglot(*arguments[:2], "--teacher", file, "--store", tmp_path / "store", "--set", "chunk_rows=32")
    texts = tiny.sentence(0), tiny.sentence(7)
    found, wanted = (Store.open(one).vectors(texts) for one in (tmp_path / "store", folder / "store"))
    assert np.array_equal(found, wanted)


def test_workers_that_die_are_named_and_those_of_the_next_run_write_the_same_bytes_in_the_same_order(
    embedded, tmp_path, monkeypatch
):
    """That it is said within half a minute, `faults` measures from the moment of the death on."""
    folder, arguments = embedded
    words = [*arguments, "--store", tmp_path / "store", "--workers", "2"]
    monkeypatch.setattr("isoglot.scale.pool._serve", crashing.starve)
    done = isoglot(*words, code=1)
    assert "Worker process" in done.stderr
    assert "run the same command again, with fewer --workers" in done.stderr
    monkeypatch.undo()
    isoglot(*words)
    assert len(digests(folder / "store")) == 10
    assert digests(tmp_path / "store") == digests(folder / "store")
    assert Store.open(tmp_path / "store").entries == Store.open(folder / "store").entries
