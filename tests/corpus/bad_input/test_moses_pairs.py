"""Moses pairs whose files do not fit: both counts are said, or every line is paired with its own."""

import bz2
import gzip
import lzma
import re

import pytest
import zstandard

from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.formats.moses import read_moses
from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError, IsoglotError

PACK = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
}
BOTH = b"one\ntwo\nthree\n", b"eins\nzwei\ndrei\n"
TRIPLE = [("one", "eins"), ("two", "zwei"), ("three", "drei")]


def put(folder, left, right, suffixes=("", "")):
    paths = [folder / f"x.en{suffixes[0]}", folder / f"x.de{suffixes[1]}"]
    for path, data, suffix in zip(paths, (left, right), suffixes, strict=True):
        path.write_bytes(PACK[suffix](data))
    return f"moses:{paths[0]},{paths[1]}"


def texts(source):
    return [(pair.source, pair.target) for pair in open_source(source).read(Border())]


@pytest.mark.parametrize(
    ("left", "right", "counts"),
    [
        pytest.param(b"a\nb\nc\n", b"A\nB\n", (3, 2), id="one line less"),
        pytest.param(b"a\n", b"A\nB\nC\n", (1, 3), id="two lines more"),
        pytest.param(b"", b"A\n", (0, 1), id="empty source"),
        pytest.param(b"a\n", b"", (1, 0), id="empty target"),
        pytest.param(b"a\nb\n", b"A\nB\n\n", (2, 3), id="blank line at the end"),
        pytest.param(b"\na\nb\n", b"A\nB\n", (3, 2), id="blank line at the start"),
        pytest.param(b"a\nb\n", b"A\nB\nC", (2, 3), id="last line without its end"),
        pytest.param(b"a\nb\n", b"A\rB\n", (2, 1), id="old line ends on one side"),
        pytest.param(b"a\nb\n", "A\u2028B\n".encode(), (2, 1), id="U+2028 is no line end"),
        pytest.param(b"a\n" * 70_001, b"A\n" * 70_000, (70_001, 70_000), id="late in a long file"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffixes", [("", ""), (".gz", ""), ("", ".zst")], ids=["plain", "gz", "zst"])
def test_unequal_files(tmp_path, left, right, counts, suffixes):
    source = put(tmp_path, left, right, suffixes)
    said = (
        rf"x\.en\S* has {counts[0]} lines and \S*x\.de\S* has {counts[1]}: after line {min(counts)} nothing"
    )
    with pytest.raises(DamagedError, match=said):
        build(CorpusConfig.model_validate({"sources": [source]}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        pytest.param(*BOTH, TRIPLE, id="whole"),
        pytest.param(BOTH[0].rstrip(), BOTH[1], TRIPLE, id="source without a last line end"),
        pytest.param(BOTH[0].rstrip(), BOTH[1].rstrip(), TRIPLE, id="both without"),
        pytest.param(b"", b"", [], id="both empty"),
        pytest.param(b"\n", b"\n", [("", "")], id="one blank line each"),
        pytest.param(
            BOTH[0].replace(b"two", b""), BOTH[1], [TRIPLE[0], ("", "zwei"), TRIPLE[2]], id="blank inside"
        ),
        pytest.param(BOTH[0].replace(b"two", b""), BOTH[1].replace(b"drei", b""),
                     [TRIPLE[0], ("", "zwei"), ("three", "")], id="blank on either side"),
        pytest.param(BOTH[0].replace(b"two", b"a\vb\fc\x1cd"), BOTH[1].replace(b"zwei", "a\x85b\u2029c".encode()),
                     [TRIPLE[0], ("a\vb\fc\x1cd", "a\x85b\u2029c"), TRIPLE[2]], id="other line ends inside"),
    ],
)  # fmt: skip
def test_equal_files(tmp_path, left, right, expected):
    assert texts(put(tmp_path, left, right)) == expected


@pytest.mark.parametrize("first", PACK)
@pytest.mark.parametrize("second", PACK)
def test_each_side_may_be_packed_its_own_way(tmp_path, first, second):
    assert texts(put(tmp_path, *BOTH, (first, second))) == TRIPLE


def test_carriage_returns_of_one_side_are_trimmed_by_cleaning(tmp_path):
    rows = [(f"Sentence number {n}.", f"Satz mit Nummer {n}.") for n in range(9)]
    left, right = ("\n".join(side) + "\n" for side in zip(*rows, strict=True))
    source = put(tmp_path, left.replace("\n", "\r\n").encode(), right.encode())
    corpus = build(CorpusConfig.model_validate({"sources": [source]}), tmp_path / "out")
    assert corpus.manifest.counts["kept"] == 9


def test_blank_lines_are_counted_as_empty(tmp_path):
    source = put(
        tmp_path, b"The first one.\n\nThe third one.\n\n", b"Das erste.\nDas zweite.\nDas dritte.\n\n"
    )
    corpus = build(CorpusConfig.model_validate({"sources": [source]}), tmp_path / "out")
    assert (corpus.manifest.counts["kept"], corpus.manifest.counts["dropped"]) == (2, {"empty": 2})


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_a_cut_side_is_damaged_and_not_merely_shorter(tmp_path, suffix):
    source = put(tmp_path, *BOTH, (suffix, ""))
    path = tmp_path / f"x.en{suffix}"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DamagedError, match=r"x\.en") as caught:
        texts(source)
    assert "byte" in caught.value.problem


@pytest.mark.parametrize("lines", [0, 1, 2, 4])
@pytest.mark.parametrize("kind", ["ids", "scores"])
def test_a_third_file_that_does_not_fit(tmp_path, lines, kind):
    """OPUS ships identifiers and scores beside the texts; another number of lines means another release."""
    put(tmp_path, *BOTH)
    third = tmp_path / f"x.{kind}"
    third.write_text("0.5\n" * lines)
    with pytest.raises(
        DamagedError, match=re.escape(f"x.{kind} has {lines}: after line {min(lines, 3)}")
    ) as caught:
        list(read_moses(tmp_path / "x.en", tmp_path / "x.de", "c", Border(), **{kind: third}))
    assert "x.en has 3 lines" in caught.value.problem


def test_a_folder_or_nothing_in_place_of_a_file(tmp_path):
    put(tmp_path, *BOTH)
    (tmp_path / "f.de").mkdir()
    for other in ("f.de", "none.de"):
        with pytest.raises(IsoglotError, match=other):
            texts(f"moses:{tmp_path}/x.en,{tmp_path}/{other}")
