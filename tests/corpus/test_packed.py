"""Compressed files: all of them or an error."""

import bz2
import gzip
import lzma

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.corpus.formats.lines import read_lines
from isoglot.corpus.formats.packed import open_binary, plain_name
from isoglot.errors import DamagedError, RequestError

PACK = {
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}
TEXT = "".join(f"line {number} of text\n" for number in range(40)).encode()


def read(path):
    with open_binary(path) as file:
        return file.read()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("packed")


@settings(max_examples=60, deadline=None)
@given(data=st.binary(), suffix=st.sampled_from(sorted(PACK)), members=st.integers(1, 3))
def test_round_trip_of_one_or_more_members(folder, data, suffix, members):
    path = folder / f"x{suffix}"
    path.write_bytes(PACK[suffix](data) * members)
    assert read(path) == data * members


@pytest.mark.parametrize("suffix", sorted(PACK))
def test_large_files_come_whole(tmp_path, suffix):
    data = bytes(range(256)) * 8_000
    path = tmp_path / f"x{suffix}"
    path.write_bytes(PACK[suffix](data))
    assert read(path) == data


@pytest.mark.parametrize("suffix", sorted(PACK))
def test_every_truncation_is_an_error(tmp_path, suffix):
    path, whole = tmp_path / f"x{suffix}", PACK[suffix](TEXT)
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedError, match=rf"ends at byte {size},|damaged near byte"):
            read(path)


@pytest.mark.parametrize("suffix", sorted(PACK))
def test_a_second_member_that_is_cut_off(tmp_path, suffix):
    path, whole = tmp_path / f"x{suffix}", PACK[suffix](TEXT)
    path.write_bytes(whole + whole[:-1])
    with pytest.raises(DamagedError, match=f"ends at byte {2 * len(whole) - 1}"):
        read(path)


@pytest.mark.parametrize("suffix", sorted(PACK))
def test_every_flipped_byte_is_found_or_harmless(tmp_path, suffix):
    path, whole = tmp_path / f"x{suffix}", PACK[suffix](TEXT)
    found = 0
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 0x55
        path.write_bytes(broken)
        try:
            assert read(path) == TEXT  # a byte of the header that says nothing, such as gzip's time
        except DamagedError:
            found += 1
    assert found > 0.8 * len(whole)


@pytest.mark.parametrize("suffix", sorted(PACK))
def test_the_wrong_suffix(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"plain text that nobody has compressed\n")
    with pytest.raises(DamagedError, match="damaged near byte"):
        read(path)


def test_zeros_may_fill_the_last_block(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(TEXT) + bytes(512))
    assert read(path) == TEXT


def test_lines_of_packed_and_plain_files_are_equal(tmp_path):
    text = "\ufeffone\r\ntwo\u2028\n\nlast"
    for suffix in ("", *PACK):
        path = tmp_path / f"x.txt{suffix}"
        path.write_bytes(PACK.get(suffix, bytes)(text.encode()))
        assert list(read_lines(path)) == ["one\r", "two\u2028", "", "last"]


def test_a_line_without_end_is_refused(tmp_path):
    path = tmp_path / "x.txt.gz"
    path.write_bytes(gzip.compress(b"short\n" + bytes(1 << 25)))
    with pytest.raises(DamagedError, match="line 2 has more than 16 MiB"):
        list(read_lines(path))


def test_utf16_is_named(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("text".encode("utf-16"))
    with pytest.raises(RequestError, match="is UTF-16"):
        list(read_lines(path))


@pytest.mark.parametrize(
    ("name", "plain"),
    [("Pairs.TSV.gz", "pairs.tsv"), ("a.b.zst", "a.b"), ("a.tsv", "a.tsv"), ("a", "a"), ("x.XZ", "x")],
)
def test_plain_names(tmp_path, name, plain):
    assert plain_name(tmp_path / name) == plain
