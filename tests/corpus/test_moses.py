"""Moses pairs: line by line, or not at all."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.config import ReadConfig
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


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(LINE, LINE, st.floats(allow_nan=False))))
def test_scores_and_ids_stay_with_their_lines(folder, rows):
    write(folder, [row[0] for row in rows], [row[1] for row in rows])
    names = ("train.scores", "train.ids")
    write(folder, [repr(row[2]) for row in rows], ["a\tb\t1\t1"] * len(rows), names)
    text = ",".join(str(folder / name) for name in ("train.en", "train.de", *names))
    found = open_source(f"moses:{text}").read(Border())
    assert [(pair.source, pair.target, pair.score) for pair in found] == rows


@pytest.mark.parametrize(("scores", "ids"), [(2, 3), (3, 4), (3, 2)])
def test_scores_or_ids_of_other_files_are_an_error(tmp_path, scores, ids):
    write(tmp_path, ["a"] * 3, ["b"] * 3)
    write(tmp_path, ["0.5"] * scores, ["x"] * ids, ("train.scores", "train.ids"))
    text = ",".join(f"{tmp_path}/train.{kind}" for kind in ("en", "de", "scores", "ids"))
    expected = (
        rf"train\.en has 3 lines, .*train\.de has 3, .*train\.scores has {scores} and .*train\.ids has {ids}:"
    )
    with pytest.raises(DamagedError, match=expected):
        list(open_source(f"moses:{text}").read(Border()))


def test_a_score_that_is_no_number(tmp_path):
    write(tmp_path, ["a", "b"], ["A", "B"])
    (tmp_path / "train.scores").write_text("0.5\nhigh\n")
    with pytest.raises(DamagedError, match=r"train\.scores, line 2: 'high' is not a score"):
        list(
            open_source(f"moses:{tmp_path}/train.en,{tmp_path}/train.de,{tmp_path}/train.scores").read(
                Border()
            )
        )


@pytest.mark.parametrize(
    ("left", "right", "rest"), [(["a", "b"], ["A"], ("b", "")), (["a"], ["A", "B"], ("", "B"))]
)
def test_unequal_files_are_read_when_asked_for(tmp_path, left, right, rest):
    """What one file has more gets an empty other side: the filter "empty" counts it."""
    write(tmp_path, left, right)
    text = f"moses:{tmp_path}/train.en,{tmp_path}/train.de"
    pairs = open_source(text, ReadConfig(allow_ragged=True)).read(Border())
    assert [(pair.source, pair.target) for pair in pairs] == [("a", "A"), rest]
    with pytest.raises(DamagedError, match="after line 1 nothing is aligned") as caught:
        list(open_source(text).read(Border()))
    assert "read.allow_ragged" in caught.value.next_step


def test_a_third_file_of_another_kind(tmp_path):
    write(tmp_path, ["a"], ["b"])
    (tmp_path / "train.fr").write_text("c\n")
    with pytest.raises(RequestError, match=r"a third file is \.scores or \.ids"):
        open_source(f"moses:{tmp_path}/train.en,{tmp_path}/train.de,{tmp_path}/train.fr")
