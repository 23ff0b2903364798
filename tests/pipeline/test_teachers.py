"""Every kind of teacher through the commands: embed, distil, evaluate."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import tiny
from command import isoglot
from isoglot.artefact import verify
from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.store import Corpus
from isoglot.progress import SILENT
from isoglot.teacher.store import Store
from teacher.embedding_server import Reply, answer, running, vector_of

GROUPS = 300
KEY = "canary-7f3a9e51c2"


def program(*arguments, cwd, code, environment=None):
    """Run Python code with a command line as its own process."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=240, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
    )  # fmt: skip


def options():
    return {"dev_percent": 10, "test_percent": 10, "clean": {"max_untranslated": 1.0}}


@pytest.fixture(scope="module")
def corpus(tiny_folder, tmp_path_factory):
    """A small corpus folder."""
    folder = tmp_path_factory.mktemp("corpora") / "corpus"
    build(CorpusConfig(sources=(str(tiny_folder / "pairs.tsv"),), **options()), folder, SILENT)
    return folder


def write_index(path, texts, width=8):
    vectors = np.stack([vector_of(text, width) for text in texts])
    np.save(path, vectors)
    path.with_suffix(".txt").write_text("".join(f"{text}\n" for text in texts))
    return path


def files_with(secret, folder):
    return [
        str(path) for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()
    ]


def test_embed_takes_finished_vectors(corpus, tmp_path):
    texts = Corpus.open(corpus).sources()
    index = write_index(tmp_path / "index.npy", texts)
    done = isoglot("embed", corpus, "--teacher", index, "--store", "store", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["rows"], result["dimension"]) == (GROUPS, 8)
    store = Store.open(tmp_path / "store")
    assert np.abs(store.vectors(texts) - np.stack([vector_of(t) for t in texts])).max() < 1e-3


def test_sentences_without_a_vector_are_counted_or_left_out(corpus, tmp_path):
    texts = Corpus.open(corpus).sources()
    index = write_index(tmp_path / "index.npy", texts[20:])
    arguments = ["embed", corpus, "--teacher", index, "--store", "store", "--json"]
    done = isoglot(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    said = json.loads(done.stdout)["error"]
    assert f"no vector for 20 of {GROUPS} source sentences, such as {texts[0]!r}" in said["problem"]
    assert "missing = drop" in said["next_step"]
    assert not (tmp_path / "store").exists()
    done = isoglot(*arguments, "--set", "missing=drop", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == GROUPS - 20
    assert "20 source sentences left out" in done.stderr
    write_index(tmp_path / "index.npy", ["something else"])
    done = isoglot(*arguments, "--set", "missing=drop", cwd=tmp_path)
    assert done.returncode == 2 and f"no vector for {GROUPS} of {GROUPS}" in done.stdout


def test_embed_asks_an_endpoint_and_goes_on_after_it_failed(corpus, tmp_path):
    def behave(request):
        return answer(request.question) if request.number < 3 else Reply(b"", 503)

    settings = ["endpoint.batch=50", "chunk_rows=100", "endpoint.retries=0", "endpoint.concurrency=1"]
    changes = [word for setting in settings for word in ("--set", setting)]
    with running(behave) as server:
        arguments = ["embed", corpus, "--teacher", server.url, "--store", "store", "--json", *changes]
        failed = isoglot(*arguments, cwd=tmp_path)
        assert failed.returncode == 1
        assert "status 503" in failed.stderr and "Finished chunks are kept" in failed.stderr
        assert Store.open(tmp_path / "store").rows == 100
        server.behave = lambda request: answer(request.question)
        asked = len(server.requests)
        done = isoglot(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["rows"] == GROUPS
        # a probe, one sentence that is there already, and four batches
        assert len(server.requests) - asked == 1 + 1 + 4
    texts = Corpus.open(corpus).sources()
    found = Store.open(tmp_path / "store").vectors(texts)
    assert np.abs(found - np.stack([vector_of(t) for t in texts])).max() < 1e-3


def test_a_teacher_without_torch_does_not_load_it(corpus, tmp_path):
    index = write_index(tmp_path / "index.npy", Corpus.open(corpus).sources())
    code = (
        "import sys\nfrom isoglot.cli.main import app\n"
        "try:\n    app()\nfinally:\n    print('torch loaded:', 'torch' in sys.modules)"
    )
    arguments = ["embed", corpus, "--teacher", index, "--store", "store"]
    done = program(*arguments, cwd=tmp_path, code=code)
    assert "torch loaded: False" in done.stdout, done.stderr
    assert Store.open(tmp_path / "store").rows == GROUPS


# S5: what the key must not get into, on the good path and on every bad one.
CRASH = (
    "import isoglot.teacher.answers as answers, isoglot.teacher.call as call\n"
    "import logging\nlogging.basicConfig(level=logging.DEBUG)\n"
    "def broken(*_):\n    raise ZeroDivisionError('a bug')\n"
    "call.read_vectors = broken\n"
    "from isoglot.cli.main import main\nmain()"
)
PLAIN = "from isoglot.cli.main import main\nmain()"
LOUD = "import logging\nlogging.basicConfig(level=logging.DEBUG)\nfrom isoglot.cli.main import main\nmain()"


def echo(request):
    """A server that repeats everything it was sent in its complaint."""
    words = json.dumps({"error": {"message": f"bad request: {request.headers}"}})
    return Reply(words.encode(), 400)


@pytest.mark.parametrize(
    ("name", "behave", "python", "code"),
    [
        ("good", lambda request: answer(request.question), LOUD, 0),
        ("crash", lambda request: answer(request.question), CRASH, 1),
        ("refused", lambda request: Reply(str(request.headers).encode(), 401), LOUD, 2),
        ("echoed", echo, LOUD, 2),
        ("failing", lambda request: Reply(str(request.headers).encode(), 500), LOUD, 1),
        ("garbled", lambda request: Reply(str(request.headers).encode()), LOUD, 1),
        ("redirected", lambda request: Reply(b"", 302, {"Location": f"http://127.0.0.1:9/{KEY}"}), PLAIN, 2),
    ],
    ids=["good", "crash", "refused", "echoed", "failing", "garbled", "redirected"],
)
def test_the_key_is_nowhere_but_in_the_request(corpus, tmp_path, name, behave, python, code):
    with running(behave) as server:
        done = program(
            "embed", corpus, "--teacher", server.url, "--store", "store", "--json",
            "--set", "endpoint.key_env=TEACHER_KEY", "--set", "endpoint.retries=1",
            "--set", "endpoint.backoff_seconds=0.01",
            cwd=tmp_path, environment={"TEACHER_KEY": KEY}, code=python,
        )  # fmt: skip
        assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert done.returncode == code, done.stderr
    assert KEY not in done.stdout + done.stderr
    assert files_with(KEY, tmp_path) == []
    assert ("ZeroDivisionError" in done.stderr) == (name == "crash")


def test_a_key_that_is_not_there_or_not_a_name_is_not_repeated(corpus, tmp_path):
    arguments = ["embed", corpus, "--teacher", "http://127.0.0.1:9/v1#m", "--store", "store", "--json"]
    cases = [
        ("TEACHER_KEY", {}, "TEACHER_KEY, which endpoint.key_env names, is not set"),
        ("TEACHER_KEY", {"TEACHER_KEY": f"{KEY}\nX-Evil: 1"}, "does not hold a key that HTTP can carry"),
        (KEY, {}, "endpoint.key_env"),
    ]
    for value, environment, message in cases:
        changes = ["--set", f"endpoint.key_env={value}"]
        done = isoglot(*arguments, *changes, cwd=tmp_path, environment=environment)
        assert done.returncode == 2
        assert message in done.stdout
        assert KEY not in done.stdout + done.stderr
    with_user = [*arguments[:3], f"http://user:{KEY}@127.0.0.1:9/v1#m", *arguments[4:]]
    done = isoglot(*with_user, cwd=tmp_path)
    assert done.returncode == 2 and KEY not in done.stdout + done.stderr


TRAINING = [
    "--epochs", "1", "--set", "evaluate.pool=60", "--set", "train.batch_tokens=512", "--set", "student.max_tokens=32",
    "--set", "evaluate.dev_queries=20", "--set", "train.evaluations=2",
]  # fmt: skip


@pytest.mark.slow
def test_distil_from_vectors_gives_the_student_of_the_teacher_that_made_them(tiny_folder, corpus, tmp_path):
    from isoglot.encode.encoder import load_encoder

    texts = Corpus.open(corpus).sources()
    index = tmp_path / "index.npy"
    students = []
    for teacher, out in ((tiny_folder / "teacher", "first"), (index, "second")):
        done = isoglot(
            "distil", "--teacher", teacher, "--student", tiny_folder / "student", "--corpus", corpus, "--out", out,
            *TRAINING, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        students.append(load_encoder(tmp_path / out / "student").encode(texts[:50]))
        np.save(index, Store.open(tmp_path / out / "store").vectors(texts))
        index.with_suffix(".txt").write_text("".join(f"{text}\n" for text in texts))
    assert np.array_equal(*students)
    card = json.loads((tmp_path / "second" / "student" / "isoglot.json").read_text())
    assert card["teacher"]["space"]["weights"].startswith("vectors ")


@pytest.mark.slow
def test_distil_from_an_endpoint_leaves_no_key(tiny_folder, corpus, tmp_path):
    with running() as server:
        done = isoglot(
            "distil", "--teacher", server.url, "--student", tiny_folder / "student", "--corpus", corpus,
            "--out", "run", *TRAINING, "--set", "teacher.endpoint.key_env=TEACHER_KEY", "--json",
            cwd=tmp_path, environment={"TEACHER_KEY": KEY},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        scored = isoglot(
            "evaluate", "run/student", "--corpus", corpus, "--pool", "50",
            cwd=tmp_path, environment={"TEACHER_KEY": KEY},
        )  # fmt: skip
        assert scored.returncode == 0, scored.stderr
    assert KEY not in done.stdout + done.stderr + scored.stdout + scored.stderr
    assert files_with(KEY, tmp_path) == []
    options = json.loads((tmp_path / "run" / "student" / "isoglot.json").read_text())["teacher"]["options"]
    assert options["endpoint"]["key_env"] == "TEACHER_KEY"


@pytest.mark.slow
def test_distil_from_two_teachers_along_few_axes(tiny_folder, corpus, tmp_path):
    texts = Corpus.open(corpus).sources()
    index = write_index(tmp_path / "index.npy", texts[5:])
    done = isoglot(
        "distil", "--teacher", tiny_folder / "teacher", "--teacher", index, "--student", tiny_folder / "student",
        "--corpus", corpus, "--out", "run", *TRAINING, "--json", "--set", "teacher.dimension=10",
        "--set", "teacher.pca_sentences=200", "--set", "teacher.weights=[1.0, 0.5]", "--set", "teacher.missing=drop",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "10 of 32 dimensions keep" in done.stderr
    assert "5 left out without a vector" in done.stderr
    student = tmp_path / "run" / "student"
    space = json.loads((student / "isoglot.json").read_text())["teacher"]["space"]
    assert space["dimension"] == 10 and space["pca_sentences"] == 200
    assert space["weights of the parts"] == [1.0, 0.5]
    assert verify(student) == []
    # The axes travel with the student, so what it is compared with can be made anywhere.
    scored = isoglot("evaluate", student, "--corpus", corpus, "--pool", "50", "--json", cwd=tmp_path)
    assert scored.returncode == 0, scored.stderr
    from isoglot.encode.encoder import load_encoder

    assert load_encoder(student).dimension == 10


def test_prompt_by_name_and_pooling_reach_the_teacher(tiny_folder, corpus, tmp_path):
    folder = tiny.write_teacher(tmp_path / "teacher")
    prompts = {"prompts": {"query": "the old "}, "default_prompt_name": None}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    from isoglot.encode.encoder import load_encoder

    texts = Corpus.open(corpus).sources()
    done = isoglot(
        "embed", corpus, "--teacher", folder, "--store", "store", "--json",
        "--set", "prompt=query", "--set", 'pooling=["cls"]', "--set", "normalise=false", "--set", "max_tokens=6",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    space = json.loads(done.stdout)["space"]
    assert (space["prompt"], space["pooling"], space["normalise"], space["max_tokens"]) == (
        "the old ", ["cls"], False, 6,
    )  # fmt: skip
    expected = load_encoder(
        folder, prompt="the old ", pooling=("cls",), normalise=False, max_tokens=6
    ).encode(texts)
    found = Store.open(tmp_path / "store").vectors(texts)
    assert np.abs(found - expected).max() < 5e-3
