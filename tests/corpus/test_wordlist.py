"""MUSE dictionaries and WikiTitles."""

import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError, RequestError

WORD = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=" \ufeff"), min_size=1)
TITLE = st.lists(WORD.filter(lambda word: word != "|||"), min_size=1).map(" ".join)


def rows(text):
    found = open_source(text).read(Border())
    return [(pair.source_lang, pair.target_lang, pair.source, pair.target) for pair in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("words")


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(WORD, WORD)), st.sampled_from([" ", "\t", "  "]))
def test_muse_round_trip(folder, pairs, between):
    path = folder / "en-de.txt"
    path.write_bytes("".join(f"{a}{between}{b}\n" for a, b in pairs).encode())
    assert rows(f"muse:{path}") == [("en", "de", *pair) for pair in pairs]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(TITLE, TITLE)), st.sampled_from([" ||| ", "\t"]))
def test_wikititles_round_trip(folder, pairs, between):
    path = folder / "wikititles.de-en.tsv"
    path.write_bytes("".join(f"{a}{between}{b}\n" for a, b in pairs).encode())
    assert rows(f"wikititles:{path}") == [("de", "en", *pair) for pair in pairs]


def test_many_to_many(tmp_path):
    (tmp_path / "en-de.txt").write_text("bank Bank\nbank Ufer\nshore Ufer\n\nNew York\tNeu York\r\n")
    assert [row[2:] for row in rows(f"muse:{tmp_path}/en-de.txt")] == [
        ("bank", "Bank"), ("bank", "Ufer"), ("shore", "Ufer"), ("New York", "Neu York"),
    ]  # fmt: skip


def test_languages_from_the_uri(tmp_path):
    (tmp_path / "titles").write_text("Haus ||| House\n")
    assert rows(f"wikititles:{tmp_path}/titles#de-en") == [("de", "en", "Haus", "House")]
    with pytest.raises(RequestError, match="nothing says which languages"):
        rows(f"wikititles:{tmp_path}/titles")


def test_a_list_in_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("dictionaries/en-de.txt", "house Haus\n")
    assert rows(f"muse:{tmp_path}/a.zip:dictionaries/en-de.txt") == [("en", "de", "house", "Haus")]


def test_a_list_that_is_not_in_the_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("en-de.txt", "house Haus\n")
    with pytest.raises(RequestError, match=r"a\.zip has no member 'none\.txt'"):
        open_source(f"muse:{tmp_path}/a.zip:none.txt")


@pytest.mark.parametrize(
    ("scheme", "line", "parts"), [("muse", "a b c", 3), ("muse", "a", 1), ("muse", "a\tb\tc", 3),
                                  ("wikititles", "one two", 1), ("wikititles", "a ||| b ||| c", 3)],
)  # fmt: skip
def test_other_lines_are_named(tmp_path, scheme, line, parts):
    (tmp_path / "en-de.txt").write_text(f"a\tb\n{line}\n")
    with pytest.raises(DamagedError, match=rf"en-de\.txt, line 2: {parts} parts"):
        rows(f"{scheme}:{tmp_path}/en-de.txt")


def test_no_such_list():
    with pytest.raises(RequestError, match="There is no file none"):
        open_source("muse:none.en-de.txt")
