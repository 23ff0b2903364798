"""Finished vectors as a teacher: every format, every way a file can be wrong."""

import json
import subprocess
import sys

import numpy as np
import pytest

from isoglot.config import TeacherConfig
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.teacher.kinds import open_teacher
from teacher.embedding_server import vector_of

TEXTS = [f"sentence {number}" for number in range(40)]
WIDTH = 8
KINDS = (".npy", ".safetensors", ".parquet", ".jsonl")


def table(texts=TEXTS, dtype=np.float32):
    return np.stack([2 * vector_of(text, WIDTH) for text in texts]).astype(dtype)


def write(folder, kind, texts=TEXTS, vectors=None, names=("text", "vector")):
    """A file of vectors with its texts, in one of the formats."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from safetensors.numpy import save_file

    vectors = table(texts) if vectors is None else vectors
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"index{kind}"
    if kind == ".npy":
        np.save(path, vectors)
        path.with_suffix(".txt").write_text("".join(f"{text}\n" for text in texts), "utf-8")
    elif kind == ".safetensors":
        save_file({names[1]: vectors}, path)
        path.with_suffix(".jsonl").write_text("".join(json.dumps({names[0]: text}) + "\n" for text in texts))
    elif kind == ".parquet":
        column = pa.array([row.tolist() for row in vectors], pa.list_(pa.from_numpy_dtype(vectors.dtype)))
        pq.write_table(pa.table({names[0]: texts, names[1]: column}), path, row_group_size=7)
    else:
        lines = [
            json.dumps({names[0]: text, names[1]: [float(x) for x in row]})
            for text, row in zip(texts, vectors, strict=True)
        ]
        path.write_text("".join(line + "\n" for line in lines))
    return path


def opened(path, **options):
    return open_teacher(TeacherConfig(model=str(path), **options))[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_vectors_come_back_by_text(tmp_path, kind, dtype):
    teacher = opened(write(tmp_path, kind, vectors=table(dtype=dtype)))
    asked = [TEXTS[30], TEXTS[2], TEXTS[30]]
    found = teacher.encode(asked)
    assert found.dtype == np.float32 and teacher.dimension == WIDTH
    assert np.array_equal(found, table(asked, dtype).astype(np.float32))
    assert list(teacher.missing(["never", *asked])) == [True, False, False, False]
    with pytest.raises(RequestError, match="no vector for 1 of 2 texts, such as 'never'"):
        teacher.encode([TEXTS[0], "never"])


def test_the_fingerprint_is_the_content_not_its_order_or_format(tmp_path):
    found = {opened(write(tmp_path / kind, kind)).space()["fingerprint"] for kind in KINDS}
    turned = opened(write(tmp_path / "turned", ".npy", TEXTS[::-1]))
    assert found == {turned.space()["fingerprint"]}
    other = table()
    other[5, 3] += 1e-3
    assert opened(write(tmp_path / "other", ".npy", vectors=other)).space()["fingerprint"] not in found
    assert opened(write(tmp_path / "fewer", ".npy", TEXTS[:-1])).space()["fingerprint"] not in found
    assert opened(write(tmp_path / "unit", ".npy"), normalise=True).space()["fingerprint"] not in found


def test_unit_length_is_seen_or_made(tmp_path):
    half = write(tmp_path / "unit", ".npy", vectors=(table() / 2).astype(np.float16))
    assert opened(half).normalise is True
    assert opened(half, normalise=False).normalise is False
    double = write(tmp_path / "double", ".npy")
    assert opened(double).normalise is False
    made = opened(double, normalise=True).encode(TEXTS)
    assert np.abs(np.linalg.norm(made, axis=1) - 1).max() < 1e-6


def test_spaces_and_composition_of_texts_do_not_matter(tmp_path):
    teacher = opened(write(tmp_path, ".jsonl", [" a  cafe\u0301 ", "b\u00a0c"]))
    assert list(teacher.missing(["a café", "b c", "a cafe"])) == [False, False, True]


def test_line_separators_of_unicode_do_not_end_a_text(tmp_path):
    texts = ["one\u2028two", "three\x85four", "five\x0csix"]
    path = write(tmp_path, ".npy", texts)
    for encoding in ("utf-8", "utf-8-sig"):  # no line feed at the end, CRLF, and the mark of Windows
        path.with_suffix(".txt").write_bytes("\r\n".join(texts).encode(encoding))
        assert not opened(path).missing(texts).any()


def test_columns_and_texts_can_be_named(tmp_path):
    for kind in KINDS[1:]:
        path = write(tmp_path / kind, kind, names=("passage", "emb"))
        names = {"text_column": "passage", "vector_column": "emb"}
        assert not opened(path, vectors=names).missing(TEXTS).any()
    moved = tmp_path / "elsewhere.jsonl"
    moved.write_text("".join(json.dumps(text) + "\n" for text in TEXTS))
    path = write(tmp_path, ".npy")
    path.with_suffix(".txt").unlink()
    with pytest.raises(RequestError, match="no texts for the vectors"):
        opened(path)
    assert not opened(path, vectors={"texts": str(moved)}).missing(TEXTS).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0, 1e39])
def test_bad_vectors_are_refused_with_their_rows(tmp_path, kind, bad):
    """R14: what is not finite in fp32, or is zero, never gets as far as the store."""
    vectors = table(dtype=np.float64)
    vectors[[3, 17]] = bad
    with pytest.raises(DamagedError) as caught:
        opened(write(tmp_path, kind, vectors=vectors))
    if kind == ".jsonl" and not np.isfinite(bad):
        assert "line 4" in caught.value.problem  # JSON has no such number
    else:
        assert "2 of 40 vectors are zero or not finite, in rows 3, 17" in caught.value.problem


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_with_two_vectors_is_refused_and_with_one_twice_is_not(tmp_path, kind):
    texts = [*TEXTS, TEXTS[4]]
    twice = np.concatenate([table(), table()[4:5] * 1.0001])
    teacher = opened(write(tmp_path / "same", kind, texts, twice))
    assert np.array_equal(teacher.encode([TEXTS[4]]), table()[4:5])
    twice[-1] += 0.1
    with pytest.raises(RequestError, match=r"rows 4 and 40 .* same text and different vectors"):
        opened(write(tmp_path / "other", kind, texts, twice))


def test_more_texts_than_vectors_or_fewer_is_an_error_with_both_counts(tmp_path):
    for texts, count in ((TEXTS[:-1], 39), ([*TEXTS, "one more"], 41)):
        path = write(tmp_path, ".npy", texts, table())
        with pytest.raises(RequestError, match=f"{count} texts, .* has 40 vectors"):
            opened(path)


@pytest.mark.parametrize(
    "array",
    [
        np.ones((40, 8), np.int8), np.ones((40, 8), bool), np.ones(40), np.ones((4, 10, 8)),
        np.ones((40, 0)), np.ones((40, 8), np.complex64),
    ],
    ids=lambda array: f"{array.dtype}{list(array.shape)}",
)  # fmt: skip
def test_what_is_no_table_of_floats_is_refused(tmp_path, array):
    with pytest.raises(RequestError, match="not fp16, fp32 or fp64"):
        opened(write(tmp_path, ".npy", vectors=array))


def test_nothing_is_unpickled(tmp_path):
    path = write(tmp_path, ".npy")
    np.save(path, np.array([{"a": 1}] * 40, object), allow_pickle=True)
    with pytest.raises(DamagedError, match="cannot be mapped"):
        opened(path)
    np.savez(path.with_suffix(".npz"), table())
    path.with_suffix(".npz").rename(path)
    with pytest.raises(IsoglotError):
        opened(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.97])
def test_a_cut_file_is_never_a_shorter_index(tmp_path, kind, share):
    path = write(tmp_path, kind)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(IsoglotError):
        opened(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "x"}', "line 41: no text under 'text' or no list"),
        ('{"text": 5, "vector": [1]}', "line 41: no text"),
        ('["x", [1]]', "line 41: no text"),
        ('{"text": "x", "vector": [1, 2]}', "line 41: 2 components instead of 8"),
        ('{"text": "x", "vector": [1, [2]]}', "line 41: the vector"),
        ('{"text": "x", "vector": ["1", "2"]}', "line 41: the vector is not a list of numbers"),
        ('{"text": "x", "vector": [null]}', "line 41: the vector is not"),
        ('{"text": "x", "vector": []}', "line 41: the vector is not"),
        ('{"text": "x", "vector": [NaN]}', "line 41: NaN is no number"),
        ('{"text": "x"', "line 41: "),
        ("", "line 41: "),
        ("[" * 100_000, "line 41: "),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    path = write(tmp_path, ".jsonl")
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DamagedError, match=message):
        opened(path)


def test_bad_parquet_columns_are_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "index.parquet"
    floats = pa.list_(pa.float32())
    cases = [
        ({"text": ["a"], "v": [[1.0]]}, "no column 'vector'"),
        ({"text": ["a"], "vector": ["b"]}, "not lists of floating-point"),
        ({"text": ["a"], "vector": pa.array([[1]], pa.list_(pa.int8()))}, "not lists of floating-point"),
        ({"text": ["a", None], "vector": pa.array([[1.0], [1.0]], floats)}, "row 1: no text"),
        ({"text": ["a", "b"], "vector": pa.array([[1.0], None], floats)}, "missing, ragged"),
        ({"text": ["a", "b"], "vector": pa.array([[1.0], [1.0, 2.0]], floats)}, "missing, ragged"),
        ({"text": ["a", "b"], "vector": pa.array([[1.0, 2.0], [None, 2.0]], floats)}, "missing, ragged"),
        ({"text": ["a"], "vector": pa.array([[]], floats)}, "missing, ragged"),
    ]
    for columns, message in cases:
        pq.write_table(pa.table(columns), path)
        with pytest.raises(IsoglotError, match=message):
            opened(path)
    fixed = pa.array(table().tolist(), pa.list_(pa.float16(), WIDTH))
    pq.write_table(pa.table({"text": TEXTS, "vector": fixed}), path)
    assert np.abs(opened(path).encode(TEXTS) - table()).max() < 1e-2


@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00"])
@pytest.mark.parametrize(
    "header", ["{'descr': '<f4", "(", "{'shape': (1,", ",,", "  1\n 2\n", "'" * 3, "[" * 500]
)
def test_a_header_that_is_no_python_is_refused(tmp_path, version, header):
    """Found by fuzzing: NumPy's reader lets SyntaxError and TokenError out."""
    path = write(tmp_path, ".npy")
    length = len(header).to_bytes(2 if version[0] == 1 else 4, "little")
    path.write_bytes(b"\x93NUMPY" + version + length + header.encode() + bytes(64))
    with pytest.raises(DamagedError, match="cannot be mapped"):
        opened(path)


def test_texts_in_parquet_that_are_not_utf8_are_refused(tmp_path):
    """Found by fuzzing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    broken = pa.array([b"good", b"\xff\xfe"]).view(pa.string())
    vectors = pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32()))
    pq.write_table(pa.table({"text": broken, "vector": vectors}), tmp_path / "x.parquet")
    with pytest.raises(DamagedError, match="not a readable Parquet file"):
        opened(tmp_path / "x.parquet")


def test_an_empty_index_is_refused(tmp_path):
    for kind in KINDS:
        with pytest.raises(RequestError, match=r"no vectors|rows of F16"):
            opened(write(tmp_path, kind, [], np.zeros((0, WIDTH), np.float32)))


def test_options_that_cannot_act_are_refused(tmp_path):
    path = write(tmp_path, ".npy")
    for options in ({"prompt": "query: "}, {"pooling": ("cls",)}, {"max_tokens": 12}):
        with pytest.raises(RequestError, match=f"teacher.{next(iter(options))} has no effect"):
            opened(path, **options)


def test_no_torch_is_loaded(tmp_path):
    path = write(tmp_path, ".jsonl")
    code = (
        "import sys\nfrom isoglot.config import TeacherConfig\nfrom isoglot.teacher.kinds import open_teacher\n"
        f"teacher, _ = open_teacher(TeacherConfig(model={str(path)!r}))\n"
        "print(teacher.encode(['sentence 1']).shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["(1,", "8)", "False"]
