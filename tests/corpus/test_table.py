"""TSV and CSV: what is written comes back, and sides never shift."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from isoglot.cli import main
from isoglot.corpus.formats.table import read_table
from isoglot.corpus.languages import Border
from isoglot.errors import DamagedError, RequestError
from isoglot.recipe import parse_corpus

CELL = st.text(st.characters(exclude_characters="\t\n", exclude_categories=["Cs"]))
HEADER = "source_lang\ttarget_lang\tsource\ttarget\n"


def pairs(
    path: Path, border: Border | None = None, languages: tuple[str, str] | None = None
) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in read_table(path, "c", border or Border(), languages)]


def written(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1), packed=st.booleans())
def test_tsv_round_trip(folder, rows, packed):
    data = (HEADER + "".join(f"eng\tdeu\t{source}\t{target}\n" for source, target in rows)).encode()
    name = "pairs.tsv.gz" if packed else "pairs.tsv"
    assert pairs(written(folder, name, gzip.compress(data, 1) if packed else data)) == rows


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), CELL), min_size=1))
def test_csv_round_trip(folder, rows):
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([("key", "en", "de"), *((number, *row) for number, row in enumerate(rows))])
    assert pairs(written(folder, "pairs.csv", text.getvalue())) == rows


@pytest.mark.parametrize(
    "odd", ["\r", "\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\ufeff", '"', "\x00"]
)
def test_odd_characters_never_shift_the_sides(tmp_path, odd):
    rows = [(f"one{odd}", f"{odd}eins"), (f"t{odd}wo", f"zw{odd}ei"), ("three", "drei")]
    data = HEADER + "".join(f"eng\tdeu\t{source}\t{target}\n" for source, target in rows)
    assert pairs(written(tmp_path, "pairs.tsv", data)) == rows


def test_a_byte_order_mark_is_no_text(tmp_path):
    data = "\ufeff" + HEADER + "eng\tdeu\tone\teins\n"
    assert pairs(written(tmp_path, "pairs.tsv", data)) == [("one", "eins")]


def test_windows_line_ends_leave_only_a_carriage_return(tmp_path):
    data = (HEADER + "eng\tdeu\tone\teins\n").replace("\n", "\r\n")
    assert pairs(written(tmp_path, "pairs.tsv", data)) == [("one", "eins\r")]


def test_bytes_that_are_not_utf8_keep_their_line(tmp_path):
    data = b"one\teins\ntwo\tzw\xe9i\nthree\tdrei\n"
    assert pairs(written(tmp_path, "x.en-de.tsv", data)) == [
        ("one", "eins"),
        ("two", "zw\udce9i"),
        ("three", "drei"),
    ]


def test_columns_are_found_by_name_in_any_order(tmp_path):
    data = "id\ttarget\ttarget_lang\tsource\tsource_lang\n1\teins\tdeu\tone\teng\n2\tdeux\tfra\ttwo\teng\n"
    found = list(read_table(written(tmp_path, "pairs.tsv", data), "c", Border()))
    assert [(p.source, p.target, p.source_lang, p.target_lang, p.corpus) for p in found] == [
        ("one", "eins", "en", "de", "c"),
        ("two", "deux", "en", "fr", "c"),
    ]


def test_one_column_per_language(tmp_path):
    data = "deu\teng\tzho_Hans\neins\tone\t一\nzwei\ttwo\t二\n"
    found = list(read_table(written(tmp_path, "pairs.tsv", data), "c", Border()))
    assert [(p.source, p.target_lang, p.target) for p in found] == [
        ("one", "de", "eins"),
        ("one", "zh-Hans", "一"),
        ("two", "de", "zwei"),
        ("two", "zh-Hans", "二"),
    ]


def test_words_that_look_like_codes_are_words_when_the_languages_are_known(tmp_path):
    data = "to\tzu\nso\tso\n"
    assert pairs(written(tmp_path, "x.en-de.tsv", data)) == [("to", "zu"), ("so", "so")]
    path = written(tmp_path, "pairs.tsv", data)
    assert pairs(path, languages=("en", "de")) == [("to", "zu"), ("so", "so")]


def test_a_first_column_of_identifiers(tmp_path):
    data = "id\ten\tde\n1\tone\teins\n"
    assert pairs(written(tmp_path, "pairs.tsv", data)) == [("one", "eins")]


def test_other_names_of_the_columns(tmp_path):
    data = "Src\tTGT\none\teins\n"
    assert pairs(written(tmp_path, "x.en-de.tsv", data)) == [("one", "eins")]


def test_language_columns_without_the_source_language(tmp_path):
    with pytest.raises(RequestError, match="de, fr, none for the source en"):
        pairs(written(tmp_path, "pairs.tsv", "de\tfr\neins\tun\n"))


def test_two_columns_take_their_languages_from_the_uri(tmp_path):
    path = written(tmp_path, "pairs.tsv", "one\teins\n")
    (pair,) = read_table(path, "c", Border(), ("eng", "deu"))
    assert (pair.source, pair.target, pair.source_lang, pair.target_lang) == ("one", "eins", "en", "de")


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("pairs.tsv", "one\teins\n", "nothing says which languages"),
        ("x.en-de.tsv", "one\ntwo\n", "has one column: 'one'"),
        ("x.en-de.csv", "one;eins\n", "separated by a comma"),
        ("x.en-de.tsv", "one\teins\tx\n", "3 columns and no header"),
        ("x.en-de.tsv", "", "is empty"),
        ("x.en-de.tsv", "one\teins\n".encode("utf-16"), "is UTF-16"),
        ("pairs.tsv", HEADER + "eng\txx1\tone\teins\n", "line 2: 'xx1' is not a language"),
    ],
)
def test_wrong_requests(tmp_path, name, data, problem):
    with pytest.raises(RequestError, match=problem):
        pairs(written(tmp_path, name, data))


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("pairs.tsv", HEADER + "eng\tdeu\tone\teins\neng\tdeu\ttwo\n", "line 3: 3 columns instead of 4"),
        ("pairs.tsv", HEADER + "eng\tdeu\to\tne\teins\n", "line 2: 5 columns instead of 4"),
        ("pairs.csv", 'en,de\none,"eins\ntwo,zwei\n', "pairs.csv, line"),
        ("pairs.csv", 'en,de\none,"eins"x\n', "line 2"),
    ],
)
def test_damaged_rows_are_named(tmp_path, name, data, problem):
    with pytest.raises(DamagedError, match=problem):
        pairs(written(tmp_path, name, data))


def chosen(path, columns, border=None, languages=None):
    found = read_table(path, "c", border or Border(), languages, columns)
    return [(pair.source_lang, pair.target_lang, pair.source, pair.target) for pair in found]


SHEET = 'No,English,Note,Deutsch,"Français, vérifié"\n1,one,x,eins,un\n2,"t\nwo",y,zwei,deux\n'


def test_columns_by_their_heads(tmp_path):
    path = written(tmp_path, "sheet.csv", SHEET)
    assert chosen(path, ["en=English", "de=Deutsch"]) == [
        ("en", "de", "one", "eins"),
        ("en", "de", "t\nwo", "zwei"),
    ]
    assert chosen(path, ["fr=Français, vérifié", "de=Deutsch", "en=English"]) == [
        ("en", "fr", "one", "un"), ("en", "de", "one", "eins"),
        ("en", "fr", "t\nwo", "deux"), ("en", "de", "t\nwo", "zwei"),
    ]  # fmt: skip


def test_columns_by_number_have_no_header(tmp_path):
    path = written(tmp_path, "sheet.tsv", "eins\tx\tone\nzwei\ty\ttwo\n")
    assert chosen(path, ["de=1", "en=3"]) == [("en", "de", "one", "eins"), ("en", "de", "two", "zwei")]
    assert chosen(path, ["de=1", "en=3"], Border("de")) == [
        ("de", "en", "eins", "one"),
        ("de", "en", "zwei", "two"),
    ]


def test_columns_of_a_pair_whose_languages_stand_elsewhere(tmp_path):
    path = written(tmp_path, "x.nl-de.csv", SHEET)
    assert chosen(path, ["source=English", "target=Deutsch"])[0] == ("nl", "de", "one", "eins")
    assert chosen(path, ["source=English", "target=Deutsch"], languages=("en", "fr"))[0][:2] == ("en", "fr")


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (["en=English", "de=German"], r"no column 'German'; it has 'No', 'English', 'Note'"),
        (["en=2", "de=6"], r"no column '6'; it has '1', '2', '3', '4', '5'"),
        (["en=English", "klingonisch=Deutsch"], "--columns: 'klingonisch' is not a language code"),
    ],
)
def test_columns_that_are_not_there(tmp_path, columns, problem):
    with pytest.raises(RequestError, match=problem):
        chosen(written(tmp_path, "sheet.csv", SHEET), columns)


@pytest.mark.parametrize(
    "columns", [["English"], ["en=1"], ["en=1", "en=2"], ["en=", "de=1"], ["=1", "de=2"]]
)
def test_columns_that_name_no_pair(columns):
    with pytest.raises(RequestError, match="do not name two languages"):
        parse_corpus({"read": {"columns": columns}})


def test_columns_on_the_command_line(tmp_path):
    written(tmp_path, "sheet.csv", SHEET)
    command = ["corpus", "build", f"{tmp_path}/sheet.csv", "--columns", "en=English,de=Deutsch", "--out"]
    result = CliRunner().invoke(main.app, [*command, f"{tmp_path}/corpus", "--json"])
    assert result.exit_code == 0, result.output
    counts = json.loads(result.stdout)
    assert (counts["read"], list(counts["languages"])) == (2, ["de"])
