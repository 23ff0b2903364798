"""Moses pairs: line by line, or not at all."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.corpus.formats.moses import read_moses
from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError, RequestError

LINE = st.text(st.characters(exclude_characters="\n\ufeff", exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("moses")


def write(folder, left, right, names=("train.en", "train.de")):
    paths = [folder / name for name in names]
    for path, lines in zip(paths, (left, right), strict=True):
        data = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return paths


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(LINE, LINE)))
def test_round_trip(folder, rows):
    source, target = write(folder, [row[0] for row in rows], [row[1] for row in rows])
    assert [(pair.source, pair.target) for pair in read_moses(source, target, "c", Border())] == rows


def test_languages_from_the_names(tmp_path):
    write(tmp_path, ["one"], ["eins"], ("x.eng-deu.eng.txt.gz", "x.eng-deu.deu.txt.gz"))
    source = open_source(f"moses:{tmp_path}/x.eng-deu.eng.txt.gz,{tmp_path}/x.eng-deu.deu.txt.gz")
    (pair,) = source.read(Border())
    assert (pair.source_lang, pair.target_lang, pair.source, pair.target) == ("en", "de", "one", "eins")


def test_languages_from_the_uri(tmp_path):
    write(tmp_path, ["one"], ["un"], ("a.txt", "b.txt"))
    (pair,) = open_source(f"moses:{tmp_path}/a.txt,{tmp_path}/b.txt#en-fr").read(Border())
    assert (pair.source_lang, pair.target_lang) == ("en", "fr")


def test_both_files_make_the_digest(tmp_path):
    write(tmp_path, ["one"], ["eins"])
    text = f"moses:{tmp_path}/train.en,{tmp_path}/train.de"
    before = open_source(text).sha256
    write(tmp_path, ["one"], ["zwei"])
    assert open_source(text).sha256 != before


@pytest.mark.parametrize(("left", "right"), [(3, 5), (5, 3), (0, 1)])
def test_unequal_files_say_both_counts(tmp_path, left, right):
    source, target = write(tmp_path, ["a"] * left, ["b"] * right)
    with pytest.raises(
        DamagedError, match=rf"train\.en has {left} lines and .*train\.de has {right}: after line"
    ):
        list(read_moses(source, target, "c", Border()))


def test_no_languages(tmp_path):
    source, target = write(tmp_path, ["a"], ["b"], ("a.txt", "b.txt"))
    with pytest.raises(RequestError, match=r"which language .*a\.txt is"):
        list(read_moses(source, target, "c", Border()))


@pytest.mark.parametrize(
    ("text", "problem"),
    [("moses:a.en", "does not name two files"), ("moses:a.en,a.de", "There is no file a.en")],
)
def test_wrong_sources(text, problem):
    with pytest.raises(RequestError, match=problem):
        open_source(text)
