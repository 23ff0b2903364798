"""What the options of `isoglot distil` and `isoglot plan` do, through the command line."""

import json

import pytest

import command
import tiny

pytestmark = pytest.mark.slow  # whole runs

CHANGES = [
    "student.max_tokens=32", "corpus.clean.max_untranslated=1.0", "train.batch_tokens=512", "evaluate.pool=60",
]  # fmt: skip


def isoglot(*arguments, cwd):
    return command.isoglot(
        *arguments, *(word for change in CHANGES for word in ("--set", change)), cwd=cwd
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "files", "said"),
    [
        (
            ["--kind", "static", "--dims", "12,6", "--paragraphs", "1"],
            {"modules.json": "StaticEmbedding", "isoglot.json": '"truncate_dims"'},
            ["paragraphs", "12-d"],
        ),
        (["--kind", "lstm", "--set", "student.lstm_width=8"], {"modules.json": "LSTM"}, []),
        (["--layers", "1"], {"config.json": '"num_hidden_layers": 1'}, []),
    ],
    ids=["static, dims, paragraphs", "lstm", "layers"],
)
def test_options_of_distil(tiny_folder, tmp_path, options, files, said):
    done = isoglot(
        "distil", "--teacher", tiny_folder / "teacher", "--student", tiny_folder / "student",
        "--corpus", tiny_folder / "pairs.tsv", "--epochs", "1", "--out", "out", *options, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, content in files.items():
        assert content in (tmp_path / "out" / "student" / name).read_text()
    for word in said:
        assert word in done.stderr


def test_plan_prints_counts_and_is_json_on_request(tiny_folder, tmp_path):
    recipe = tiny.write_recipe(
        tmp_path / "r.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    done = isoglot("plan", recipe, "--out", "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    planned = json.loads(done.stdout)
    assert planned["teacher_sentences"] == 300
    assert planned["steps"] > 0
    assert {path.name for path in (tmp_path / "out").iterdir() if path.name[0] != "."} == {"corpus"}
    text = isoglot("plan", recipe, "--out", "out", cwd=tmp_path).stdout
    assert "300 sentences to embed" in text
    assert "GiB of memory" in text
