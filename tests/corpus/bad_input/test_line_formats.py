"""Odd bytes and characters in line formats: never a crash, never a shifted row, each dropped row counted."""

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.bad_input.line_formats import FORMATS, ODD, as_text, is_utf8, numbered, read_all, require_aligned
from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.split import SPLITS
from isoglot.errors import DamagedError, IsoglotError, RequestError

EXAMPLES = [60, pytest.param(2_000, marks=pytest.mark.fuzz)]


@pytest.mark.parametrize("odd", [name for name in ODD if name != "10 MB"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_row_keeps_its_place(tmp_path, name, odd):
    """Rows before, with and behind the odd text come as they were written, whole and in order."""
    shape, what = FORMATS[name], ODD[odd][0]
    rows = numbered([b"first", what, b"between", what, b"last"])
    source = shape.write(tmp_path, rows)
    if shape.strict and not is_utf8(what):
        with pytest.raises(DamagedError, match=r"x\.po"):
            read_all(source)
        return
    pairs = read_all(source)
    require_aligned(pairs)
    assert [(pair.source, pair.target) for pair in pairs] == [tuple(map(as_text, row)) for row in rows]


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_line_of_10_mb_is_one_row(tmp_path, name, side):
    rows = numbered([b"first", ODD["10 MB"][0], b"last"], side)
    pairs = read_all(FORMATS[name].write(tmp_path, rows))
    require_aligned(pairs)
    assert [len(pair.source) + len(pair.target) for pair in pairs] == [len(a) + len(b) for a, b in rows]


@pytest.mark.parametrize("name", FORMATS)
def test_every_dropped_row_is_counted(tmp_path, name):
    """All odd texts in one corpus: what is kept is aligned, and the reasons add up to what is not."""
    shape = FORMATS[name]
    odd = {key: value for key, value in ODD.items() if not shape.strict or is_utf8(value[0])}
    rows = numbered([what if name != "10 MB" else b"" for name, (what, _) in odd.items()])
    rows[-1] = numbered([ODD["10 MB"][0]] * len(rows), "source")[-1]  # on one side: a line has at most 16 MiB
    options = {"sources": [shape.write(tmp_path, rows)], "clean": {"language_probability": 1}}
    corpus = build(CorpusConfig.model_validate(options), tmp_path / "out")
    counts, expected = corpus.manifest.counts, Counter(reason for _, reason in odd.values() if reason)
    assert counts["read"] == len(rows)
    assert counts["dropped"] == expected
    assert counts["languages"]["de"]["dropped"] == expected
    assert counts["kept"] == len(rows) - expected.total()
    kept = []
    for split in SPLITS:
        groups = corpus.groups(split)
        kept += [
            (groups.sources[group], target)
            for group, target in zip(groups.group, groups.targets, strict=True)
        ]
    assert len(kept) == counts["kept"]
    assert all(source.split()[0][1:] == target.split()[0][1:] for source, target in kept)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, id="mark at the start"),
        pytest.param(lambda data: data.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lambda data: data.removesuffix(b"\n"), id="no last line end"),
        pytest.param(lambda data: data.replace(b"\n", b"\r\n", 1), id="one CRLF"),
    ],
)
@pytest.mark.parametrize("name", FORMATS)
def test_files_of_other_systems(tmp_path, name, change):
    """What editors add is no part of a text; a carriage return at the end of a row is trimmed by cleaning."""
    shape, rows = FORMATS[name], numbered([b"one", "zwei ü".encode(), b"three"])
    source = shape.write(tmp_path, rows)
    for file in shape.files:
        (tmp_path / file).write_bytes(change((tmp_path / file).read_bytes()))
    pairs = read_all(source)
    require_aligned(pairs)
    found = [(pair.source.strip("\r"), pair.target.strip("\r")) for pair in pairs]
    assert found == [tuple(map(as_text, row)) for row in rows]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", FORMATS)
def test_wide_encodings_are_refused_or_dropped(tmp_path, name, codec):
    """With a byte order mark the error says UTF-16; without one nothing that comes is shifted."""
    shape = FORMATS[name]
    source = shape.write(tmp_path, numbered([b"one", b"two"]))
    for file in shape.files:
        (tmp_path / file).write_bytes((tmp_path / file).read_bytes().decode().encode(codec))
    try:
        pairs = read_all(source)
    except IsoglotError as error:
        assert (
            codec != "utf-16" or shape.strict or (isinstance(error, RequestError) and "UTF-16" in str(error))
        )
        return
    assert codec != "utf-16"
    plain = [pair._replace(source=_plain(pair.source), target=_plain(pair.target)) for pair in pairs]
    require_aligned([pair for pair in plain if pair.source or pair.target])


def _plain(text):
    return text.replace("\0", "").strip('\ufeff\n"')


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_in_latin_1_loses_only_the_rows_it_garbles(tmp_path, name):
    shape = FORMATS[name]
    texts = [b"plain", "Tür".encode("latin-1"), b"plain", "Stra\xdfe".encode("latin-1"), b"plain"]
    source = shape.write(tmp_path, numbered(texts))
    if name == "po":
        with pytest.raises(DamagedError):
            read_all(source)
        return
    corpus = build(CorpusConfig.model_validate({"sources": [source]}), tmp_path / "out")
    assert (corpus.manifest.counts["kept"], corpus.manifest.counts["dropped"]) == (3, {"not Unicode": 2})


def test_a_catalogue_in_latin_1_that_says_so_is_read(tmp_path):
    source = FORMATS["po"].write(tmp_path, numbered(["Tür".encode("latin-1")]))
    path = tmp_path / "x.po"
    path.write_bytes(path.read_bytes().replace(b"charset=UTF-8", b"charset=ISO-8859-1"))
    assert "Tür" in read_all(source)[0].source


@pytest.mark.parametrize("escape", [r"\ud800", r"\udfff", r"\ud800\ud800", r"\udc00\ud800"])
def test_lone_surrogates_in_json_are_dropped_and_counted(tmp_path, escape):
    path = tmp_path / "x.en-de.jsonl"
    good = '{"source": "S%d The door.", "target": "T%d Die Haustuer."}\n'
    bad = f'{{"source": "S1 The {escape} door.", "target": "T1 Die Haustuer."}}\n'
    path.write_text(good % (0, 0) + bad + good % (2, 2) + good.replace("The", r"\ud83d\ude00") % (3, 3))
    corpus = build(CorpusConfig.model_validate({"sources": [str(path)]}), tmp_path / "out")
    assert (corpus.manifest.counts["kept"], corpus.manifest.counts["dropped"]) == (3, {"not Unicode": 1})


PIECES = [what for name, (what, _) in ODD.items() if name != "10 MB"]
TEXT = st.lists(
    st.sampled_from(PIECES) | st.binary(max_size=5) | st.text(max_size=5).map(str.encode), max_size=4
)


def _explored(examples, rows, promise):
    """Run a promise on generated rows, as many as the mark of the test allows."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    settings(max_examples=examples, deadline=None, suppress_health_check=checks)(given(rows)(promise))()


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", FORMATS)
def test_whatever_the_texts_hold(tmp_path, name, examples):
    shape = FORMATS[name]

    def keeps_alignment(texts):
        cleaned = [[b"".join(text).translate(None, shape.separators) for text in row] for row in texts]
        rows = [
            (b"S%d %s end" % (number, left), b"T%d %s end" % (number, right))
            for number, (left, right) in enumerate(cleaned)
        ]
        source = shape.write(tmp_path, rows)
        try:
            pairs = read_all(source)
        except IsoglotError:
            assert shape.strict or not rows  # an empty table is refused
            return
        require_aligned(pairs)
        if not shape.strict:
            assert [(pair.source, pair.target) for pair in pairs] == [
                tuple(map(as_text, row)) for row in rows
            ]

    _explored(examples, st.lists(st.tuples(TEXT, TEXT), max_size=5), keeps_alignment)


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", FORMATS)
def test_whatever_happens_to_a_file(tmp_path, name, examples):
    """Bytes put in, taken out and doubled anywhere: pairs of text or an error of ours, nothing else."""
    shape = FORMATS[name]

    def ends_well(seed, pieces):
        source = shape.write(tmp_path, numbered([b"one", "ü".encode(), b"three", b"four"]))
        chance = random.Random(seed)
        for piece in pieces:
            file = tmp_path / chance.choice(shape.files)
            data = file.read_bytes()
            place, length = chance.randrange(len(data) + 1), chance.choice((0, 0, 1, 5, 40))
            file.write_bytes(data[:place] + piece + data[place + length :])
        try:
            pairs = read_all(source)
        except IsoglotError as error:
            assert str(error)
        else:
            assert all(isinstance(pair.source, str) and isinstance(pair.target, str) for pair in pairs)

    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    pieces = st.lists(
        st.sampled_from([*PIECES, b"\n", b"\t", b"\n\n"]) | st.binary(max_size=4), min_size=1, max_size=5
    )
    run = settings(max_examples=examples, deadline=None, suppress_health_check=checks)
    run(given(st.integers(0, 2**32), pieces)(ends_well))()
