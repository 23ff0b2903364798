"""`isoglot corpus` as a user calls it."""

import json

import pytest
from typer.testing import CliRunner

from isoglot.artefact import Manifest, publish
from isoglot.cli.corpus import app

ROWS = (
    "The door is open.\tDie Tür ist offen.\nThe window is shut.\tDas Fenster ist zu.\nBluetooth\tBluetooth\n"
)
CORPUS = "x.en-de"


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
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


def build(call, *more):
    assert call("build", "x.en-de.tsv", "--out", "out", "--set", "dev_percent=0", *more).exit_code == 0


def cells(text, first):
    """The cells of the table row that begins with a word."""
    line = next(line for line in text.splitlines() if line.split()[:1] == [first])
    return [cell for cell in line.replace("\u2588", " ").split("  ") if cell.strip()]


def test_show_counts_reasons_languages_and_lengths(call):
    build(call, "--set", "test_percent=0")
    result = call("show", "out", "--examples", "1")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "2 pairs kept of 3 rows, 2 distinct source sentences (train 2, dev 0, test 0)"
    )
    row = [cell.strip() for cell in cells(result.stdout, "identical")]
    assert row == ["identical", "1", "33.3 %", f"most in {CORPUS}, de: 1"]
    row = [cell.strip() for cell in cells(result.stdout, "de")]
    assert row == ["de", "German", "2", "100.00 %", "2", "0", "0", "3", "1", "identical 33.3 %"]
    assert [cell.strip() for cell in cells(result.stdout, "10-19")][:2] == ["10-19", "2"]
    assert f"identical\n  de       {CORPUS}\n    Bluetooth\n    Bluetooth\n" in result.stdout


def test_show_without_examples_shows_none(call):
    build(call)
    assert "Examples" in call("show", "out").stdout
    assert "Examples" not in call("show", "out", "--examples", "0").stdout


def test_show_json_has_everything(call):
    build(call, "--set", "test_percent=0")
    found = json.loads(
        call("show", "out", "--json", "--temperature", "0.3", "--targets-per-group", "2").stdout
    )
    assert found["by corpus"] == [
        {"corpus": CORPUS, "lang": "de", "read": 3, "kept": 2, "dropped": {"identical": 1}}
    ]
    assert (found["temperature"], found["targets per group"], found["shares"]) == (0.3, 2, {"de": 1.0})
    assert found["examples"] == [
        {"reason": "identical", "lang": "de", "corpus": CORPUS, "source": "Bluetooth", "target": "Bluetooth"}
    ]
    assert sum(found["lengths"]["source"]) == 2
    assert "This corpus was made from" in found["notice"]


def test_temperature_and_translations_per_sentence_change_the_shares(call, tmp_path):
    """Every sentence is in German, every tenth in French too: one drawn, or two, evenly or by size."""
    text = "".join(f"Lamp {n} is on.\tLampe {n} ist an.\n" for n in range(300))
    (tmp_path / "y.en-de.tsv").write_text(text)
    text = "".join(f"Lamp {n} is on.\tLampe {n} allumée.\n" for n in range(0, 300, 10))
    (tmp_path / "y.en-fr.tsv").write_text(text)
    even = ("--set", "test_percent=0", "--set", "dev_percent=0")
    assert call("build", "y.en-de.tsv", "y.en-fr.tsv", "--out", "both", *even).exit_code == 0

    def french(*options):
        return json.loads(call("show", "both", "--json", *options).stdout)["shares"]["fr"]

    assert french("--targets-per-group", "2") == pytest.approx(30 / 330)
    by_size = french("--targets-per-group", "1", "--temperature", "1")
    equal = french("--targets-per-group", "1", "--temperature", "0")
    assert by_size < 22 / 300 < equal <= 30 / 300


def test_show_lists_twenty_languages_unless_all_are_asked_for(call, tmp_path):
    tags = ["de", "fr", "es", "it", "nl", "sv", "da", "fi", "et", "lv", "lt", "pl", "cs", "sk", "sl", "hr", "hu",
            "ro", "bg", "el", "tr", "ar"]  # fmt: skip
    for tag in tags:
        (tmp_path / f"z.en-{tag}.tsv").write_text(f"The door is open.\tDie Tür {tag}.\n")
    assert call("build", *(f"z.en-{tag}.tsv" for tag in tags), "--out", "many").exit_code == 0
    short, long = call("show", "many").stdout, call("show", "many", "--all").stdout
    assert "20 of 22 languages" in short
    assert "--all" not in long
    assert [tag for tag in tags if f"\n{tag} " not in long] == []
    assert len([tag for tag in tags if f"\n{tag} " in short]) == 20


def test_show_counts_what_the_identifier_could_not_judge(call, tmp_path):
    (tmp_path / "y.en-ber.tsv").write_text("The door of the house is open.\tTawwurt n wexxam teldi.\n")
    assert call("build", "x.en-de.tsv", "y.en-ber.tsv", "--out", "out").exit_code == 0
    assert "1 rows are in languages that the identifier does not know" in call("show", "out").stdout


def test_show_says_so_when_an_older_isoglot_counted_less(call, tmp_path):
    counts = {"kept": 1, "read": 1, "languages": {}, "sources": {}}
    with publish(tmp_path / "old", Manifest("corpus", counts=counts)):
        pass
    result = call("show", "old")
    assert result.exit_code == 2
    assert "old was built by an older isoglot" in result.stderr


def test_show_writes_the_page(call, tmp_path):
    build(call)
    assert call("show", "out", "--html", "page.html").exit_code == 0
    page = (tmp_path / "page.html").read_text()
    assert "<title>out · isoglot corpus</title>" in page
    assert "Bluetooth" in page


def test_languages_are_listed_with_name_script_pairs_and_codes(call, tmp_path):
    (tmp_path / "y.eng-cmn_Hant.tsv").write_text("The door is open.\t門是開著的。\n")
    assert call("build", "x.en-de.tsv", "y.eng-cmn_Hant.tsv", "--out", "out").exit_code == 0
    found = json.loads(call("languages", "out", "--json").stdout)["languages"]
    chinese = next(one for one in found if one["tag"] != "de")
    assert [one for one in found if one["tag"] == "de"] == [
        {"tag": "de", "name": "German", "script": "Latn", "pairs": 2, "codes": ["de"]}
    ]
    assert (chinese["script"], chinese["pairs"], chinese["codes"]) == ("Hant", 1, ["cmn_Hant"])
    lines = call("languages", "out").stdout.splitlines()
    assert [line.split() for line in lines if "German" in line] == [["de", "German", "Latn", "2", "de"]]


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


def test_a_narrow_terminal_shows_where_a_line_was_cut(call, monkeypatch):
    build(call)
    monkeypatch.setenv("COLUMNS", "70")
    lines = call("show", "out", "--examples", "0").stdout.splitlines()
    row = next(line for line in lines if line.startswith("identical"))
    assert len(row) <= 70
    assert row.endswith("…")
