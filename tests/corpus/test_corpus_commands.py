"""`isoglot corpus` as a user calls it."""

import json

import pytest
from typer.testing import CliRunner

from isoglot.cli.corpus import app

ROWS = (
    "The door is open.\tDie Tür ist offen.\nThe window is shut.\tDas Fenster ist zu.\nBluetooth\tBluetooth\n"
)


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.en-de.tsv").write_text(ROWS)

    def run(*arguments):
        return CliRunner().invoke(app, arguments)

    return run


def test_build_prints_one_json_object(call):
    result = call("build", "x.en-de.tsv", "--out", "out", "--languages", "de,fr", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["folder"], found["read"], found["kept"]) == ("out", 3, 2)
    assert found["languages"]["de"]["dropped"] == {"identical": 1}


def test_show_has_every_reason_and_split(call):
    call("build", "x.en-de.tsv", "--out", "out", "--set", "dev_percent=0", "--set", "test_percent=0")
    result = call("show", "out")
    assert result.exit_code == 0
    header, _, row = [line.split() for line in result.stdout.splitlines()[2:5]]
    assert dict(zip(header, row, strict=True)) == {
        "language": "de", "read": "3", "kept": "2", "train": "2", "dev": "0", "test": "0", "identical": "1",
    }  # fmt: skip


def test_languages_are_listed_with_their_codes(call):
    call("build", "x.en-de.tsv", "--out", "out")
    found = json.loads(call("languages", "out", "--json").stdout)
    assert found == {"languages": [{"tag": "de", "name": "German", "pairs": 2, "codes": ["de"]}]}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("build", "x.en-de.tsv", "--out", "out", "--languages", "german"), 2, "Did you mean de?"),
        (
            ("build", "x.en-de.tsv", "--out", "out", "--set", "clean.max_char=3"),
            2,
            "did you mean clean.max_chars?",
        ),
        (("build", "x.en-de.tsv", "--out", "out", "--languages", "fr"), 1, "No sentence pair was kept"),
        (("build", "no.tsv", "--out", "out"), 2, "There is no file no.tsv"),
        (("show", "out"), 2, "has no manifest.json"),
    ],
)
def test_failures_have_their_exit_code(call, arguments, code, said):
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
