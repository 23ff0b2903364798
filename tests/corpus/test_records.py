"""JSON Lines and Parquet: the same records, the same pairs."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.corpus.formats.jsonl import read_jsonl
from isoglot.corpus.formats.parquet import read_parquet
from isoglot.corpus.languages import Border
from isoglot.errors import DamagedError, RequestError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))

SHAPES = {
    "flat": {"id": 1, "source": "one", "target": "eins", "source_lang": "eng", "target_lang": "deu"},
    "translation": {"translation": {"deu": "eins", "eng": "one", "fra": "un"}},
    "languages": {"id": "7", "de": "eins", "en": "one", "fr": "un"},
}


def rows(pairs):
    return [(pair.source_lang, pair.target_lang, pair.source, pair.target) for pair in pairs]


def write_jsonl(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def write_parquet(path, records):
    pq.write_table(pa.Table.from_pylist(records), path, compression="zstd")
    return path


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize(("write", "read"), [(write_jsonl, read_jsonl), (write_parquet, read_parquet)])
def test_shapes(tmp_path, shape, write, read):
    expected = [("en", "de", "one", "eins"), ("en", "fr", "one", "un")][: 1 if shape == "flat" else 2]
    path = write(tmp_path / "x", [SHAPES[shape], SHAPES[shape]])
    assert rows(read(path, "c", Border())) == expected * 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("records")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1))
def test_round_trip(folder, texts):
    records = [{"source": source, "target": target} for source, target in texts]
    for write, read in ((write_jsonl, read_jsonl), (write_parquet, read_parquet)):
        found = read(write(folder / "x.en-de.data", records), "c", Border())
        assert [(pair.source, pair.target) for pair in found] == texts


def test_unescaped_line_separators_are_text(tmp_path):
    path = tmp_path / "x.en-de.jsonl"
    path.write_text('{"source": "a\u2028b\x85", "target": "c"}\n\n{"source": "d", "target": "e"}\n')
    assert [pair.source for pair in read_jsonl(path, "c", Border())] == ["a\u2028b\x85", "d"]


def test_a_missing_text_is_an_empty_one(tmp_path):
    path = write_jsonl(tmp_path / "x", [{"translation": {"en": "one", "de": None}}])
    assert rows(read_jsonl(path, "c", Border())) == [("en", "de", "one", "")]


def test_without_the_source_language_the_first_one_is_paired(tmp_path):
    path = write_jsonl(tmp_path / "x", [SHAPES["languages"]])
    assert rows(read_jsonl(path, "c", Border("nl"))) == [
        ("de", "en", "eins", "one"),
        ("de", "fr", "eins", "un"),
    ]


def test_what_the_user_says_about_languages_wins(tmp_path):
    path = write_jsonl(tmp_path / "x.en-de.jsonl", [{"source": "one", "target": "un"}])
    assert rows(read_jsonl(path, "c", Border(), ("en", "fr"))) == [("en", "fr", "one", "un")]


@pytest.mark.parametrize(
    ("line", "kind", "problem"),
    [
        ('{"source": "a", ', DamagedError, "line 2 is not JSON"),
        ("[1, 2]", DamagedError, "line 2 is not a JSON object"),
        ("[" * 100_000, DamagedError, "line 2 is not JSON"),
        ('{"source": "a", "target": 5}', DamagedError, "line 2: 'target' is int, not text"),
        ('{"text": "a"}', RequestError, "line 2: found 'text', which names no sentence pair"),
        ('{"translation": {"en": "a", "xx1": "b"}}', RequestError, "line 2: 'xx1' is not a language"),
    ],
)
def test_wrong_lines_are_named(tmp_path, line, kind, problem):
    path = tmp_path / "x.en-de.jsonl"
    path.write_text('{"source": "a", "target": "b"}\n' + line + "\n")
    with pytest.raises(kind, match=problem):
        list(read_jsonl(path, "c", Border()))


def test_no_languages(tmp_path):
    path = write_jsonl(tmp_path / "pairs.jsonl", [{"source": "a", "target": "b"}])
    with pytest.raises(RequestError, match="nothing says which languages"):
        list(read_jsonl(path, "c", Border()))


def test_parquet_names_the_row(tmp_path):
    records = [
        {"source": "a", "target": "b", "source_lang": "en", "target_lang": code} for code in ("de", "xx1")
    ]
    with pytest.raises(RequestError, match="row 2: 'xx1'"):
        list(read_parquet(write_parquet(tmp_path / "x.parquet", records), "c", Border()))


def test_a_truncated_parquet_file(tmp_path):
    path = write_parquet(tmp_path / "x.en-de.parquet", [{"source": "a", "target": "b"}] * 1000)
    whole = path.read_bytes()
    for size in (0, 4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedError, match="cannot be read as Parquet"):
            list(read_parquet(path, "c", Border()))


def test_parquet_text_that_is_not_utf8(tmp_path):
    texts = pa.array([b"fine", b"\xe9"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"source": texts, "target": ["a", "b"]}), tmp_path / "x.en-de.parquet")
    with pytest.raises(DamagedError, match="cannot be read as Parquet"):
        list(read_parquet(tmp_path / "x.en-de.parquet", "c", Border()))


def test_parquet_checksums_are_used_where_a_file_has_them(tmp_path):
    path = tmp_path / "x.en-de.parquet"
    table = pa.table({"source": ["a plain sentence"], "target": ["ein Satz"]})
    pq.write_table(
        table,
        path,
        compression="none",
        use_dictionary=False,
        write_statistics=False,
        write_page_checksum=True,
    )
    path.write_bytes(path.read_bytes().replace(b"a plain sentence", b"a blain sentence", 1))
    with pytest.raises(DamagedError, match="cannot be read as Parquet"):
        list(read_parquet(path, "c", Border()))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_text_columns_of_any_type(tmp_path, kind):
    columns = {"en": pa.array(["one", None, "one"], kind), "de": pa.array(["eins", "zwei", "uno"], kind)}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet", row_group_size=2)
    found = rows(read_parquet(tmp_path / "x.parquet", "c", Border()))
    assert [row[2:] for row in found] == [("one", "eins"), ("", "zwei"), ("one", "uno")]


def test_a_struct_of_translations_with_a_missing_side(tmp_path):
    struct = pa.struct([("de", pa.large_string()), ("en", pa.string()), ("fr", pa.string())])
    texts = [{"de": "eins", "en": "one", "fr": None}, {"de": "zwei", "en": "two", "fr": "deux"}]
    pq.write_table(pa.table({"id": [1, 2], "translation": pa.array(texts, struct)}), tmp_path / "x.parquet")
    assert rows(read_parquet(tmp_path / "x.parquet", "c", Border())) == [
        ("en", "de", "one", "eins"), ("en", "fr", "one", ""), ("en", "de", "two", "zwei"), ("en", "fr", "two", "deux"),
    ]  # fmt: skip


def test_columns_that_no_pair_needs_are_not_read(tmp_path):
    """A damaged page in the vectors of a data set costs nothing; one in its texts is found."""
    vectors = pa.array([[float(number)] * 64 for number in range(500)])
    texts = [f"text {number}" for number in range(500)]
    path = tmp_path / "x.en-de.parquet"
    pq.write_table(
        pa.table({"vector": vectors, "source": texts, "target": texts}), path, write_page_checksum=True,
        use_dictionary=False, compression="none",
    )  # fmt: skip
    whole = path.read_bytes()
    path.write_bytes(whole[:2000] + b"\xff" * 8 + whole[2008:])
    assert len(list(read_parquet(path, "c", Border()))) == 500
    place = whole.index(b"text 77")
    path.write_bytes(whole[:place] + b"T" + whole[place + 1 :])
    with pytest.raises(DamagedError, match="cannot be read as Parquet"):
        list(read_parquet(path, "c", Border()))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_many_rows_take_no_more_memory_than_few(tmp_path, kind):
    import subprocess
    import sys

    def peak(count):
        path = tmp_path / f"x.en-de.{kind}"
        sentences = pa.array([f"sentence number {number} of this file" for number in range(count)])
        if kind == "parquet":
            pq.write_table(pa.table({"source": sentences, "target": sentences}), path, row_group_size=1 << 20)
        else:
            with path.open("w") as file:
                file.writelines(json.dumps({"source": str(text), "target": "x"}) + "\n" for text in sentences)
        program = (
            "import resource, sys\nfrom isoglot.corpus.languages import Border\n"
            "from isoglot.corpus.source import open_source\n"
            "assert sum(1 for _ in open_source(sys.argv[1]).read(Border())) == int(sys.argv[2])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
        )
        run = [sys.executable, "-c", program, str(path), str(count)]
        return int(subprocess.run(run, capture_output=True, text=True, check=True, timeout=300).stdout)

    assert peak(300_000) < peak(10_000) + 60  # MB
