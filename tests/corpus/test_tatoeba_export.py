"""Tatoeba's own export format."""

import lzma

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.corpus.sources.tatoeba import read_tatoeba
from isoglot.errors import DamagedError, RequestError

SENTENCES = "1\teng\tThe door.\n2\tdeu\tDie Tür.\n3\tfra\tLa porte.\n4\t\\N\t?\n5\tcycl\t(isa Door)\n6\teng\tA door.\n"
LINKS = "1\t2\n2\t1\n1\t3\n3\t1\n2\t3\n3\t2\n1\t4\n1\t5\n6\t2\n1\t6\n1\t99\n"


def write(folder, sentences=SENTENCES, links=LINKS):
    (folder / "sentences.csv.xz").write_bytes(lzma.compress(sentences.encode()))
    (folder / "links.tsv").write_text(links)
    return open_source(f"tatoeba:{folder}")


def rows(source, border):
    return [(pair.target_lang, pair.source, pair.target) for pair in source.read(border)]


def test_links_from_the_source_language(tmp_path):
    assert rows(write(tmp_path), Border()) == [
        ("de", "The door.", "Die Tür."),
        ("fr", "The door.", "La porte."),
        ("x-cycl", "The door.", "(isa Door)"),
        ("de", "A door.", "Die Tür."),
    ]


def test_only_wanted_languages(tmp_path):
    assert rows(write(tmp_path), Border("en", ["fra"])) == [("fr", "The door.", "La porte.")]


def test_a_line_with_too_many_columns(tmp_path):
    with pytest.raises(DamagedError, match="line 2: 4 columns instead of 3"):
        rows(write(tmp_path, sentences="1\teng\ta\n2\tdeu\tb\tc\n"), Border())


def test_a_missing_file(tmp_path):
    with pytest.raises(RequestError, match=r"has no sentences\.tsv"):
        open_source(f"tatoeba:{tmp_path}")


def test_bytes_that_are_not_unicode_stay_in_their_sentence(tmp_path):
    (tmp_path / "sentences.tsv").write_bytes(b"1\teng\tA \xff door.\n2\tdeu\tEine T\xfcr.\n")
    (tmp_path / "links.tsv").write_text("1\t2\n")
    assert rows(open_source(f"tatoeba:{tmp_path}"), Border()) == [("de", "A \udcff door.", "Eine T\udcfcr.")]


@pytest.mark.parametrize("links", ["1\tx\n", "1\t-2\n", "1\t2.0\n", f"1\t{2**70}\n", "1\t\n"])
def test_an_id_that_is_no_number(tmp_path, links):
    with pytest.raises(DamagedError, match=r"line 1: .* is not the number of a sentence"):
        rows(write(tmp_path, links=links), Border())


TEXT = st.text(st.characters(exclude_characters="\t\n\r\ufeff", exclude_categories=["Cs"]))
ROWS = st.lists(st.tuples(st.sampled_from(["eng", "deu", "fra", "\\N"]), TEXT), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return tmp_path_factory.mktemp("export")


@settings(max_examples=80, deadline=None)
@given(ROWS, st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=12))
def test_round_trip(export, sentences, links):
    """Every link from an English sentence to one in another known language is a pair, in the order of the links."""
    lines = [f"{number}\t{code}\t{text}\n" for number, (code, text) in enumerate(sentences)]
    (export / "sentences.tsv").write_bytes("".join(lines).encode())
    (export / "links.tsv").write_bytes("".join(f"{first}\t{second}\n" for first, second in links).encode())
    expected = [
        (sentences[first][1], sentences[second][0], sentences[second][1])
        for first, second in links
        if max(first, second) < len(sentences)
        and sentences[first][0] == "eng"
        and sentences[second][0] in ("deu", "fra")
    ]
    codes = {"de": "deu", "fr": "fra"}
    found = read_tatoeba(export, "c", Border())
    assert [(pair.source, codes[pair.target_lang], pair.target) for pair in found] == expected
