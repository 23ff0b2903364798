"""Packed files that lost their end or a byte: an error that says where, never a shorter corpus."""

import bz2
import gzip
import lzma
import random
import re

import pytest
import zstandard

from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError

CHANCE = random.Random(5)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
# varied enough to fill several blocks of every format
ROWS = [
    f"{''.join(CHANCE.choices(LETTERS, k=60))}\t{''.join(CHANCE.choices(LETTERS, k=60))}\n"
    for _ in range(2_000)
]
DATA = "".join(ROWS).encode()
PACK = {
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": lambda data: bz2.compress(data, 1),
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),  # as most are: without a checksum
}
CUTS = [*(f"{part}/16" for part in range(16)), *(f"-{last}" for last in (1, 2, 3, 4, 8))]


def size_of(cut, length):
    return length * int(cut.removesuffix("/16")) // 16 if "/" in cut else length + int(cut)


def put(folder, suffix, data):
    path = folder / f"x.en-de.tsv{suffix}"
    path.write_bytes(data)
    return str(path)


def read(source):
    return [pair.source for pair in open_source(source).read(Border())]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("suffix", PACK)
def test_a_cut_file(tmp_path, suffix, cut):
    whole = PACK[suffix](DATA)
    size = size_of(cut, len(whole))
    with pytest.raises(DamagedError, match=f"is cut off: it ends at byte {size}, before"):
        read(put(tmp_path, suffix, whole[:size]))


@pytest.mark.parametrize("cut", ["8/16", "-1", "-2", "-3", "-4", "-8"])
@pytest.mark.parametrize("suffix", PACK)
def test_a_cut_second_member(tmp_path, suffix, cut):
    whole = PACK[suffix](DATA)
    size = len(whole) + size_of(cut, len(whole))
    with pytest.raises(DamagedError, match=f"is cut off: it ends at byte {size}, before"):
        read(put(tmp_path, suffix, (whole * 2)[:size]))


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("members", [2, 3, 200])
def test_concatenated_members_are_one_file(tmp_path, suffix, members):
    whole = b"".join(PACK[suffix](row.encode()) for row in ROWS[:members])
    assert read(put(tmp_path, suffix, whole)) == [row.split("\t")[0] for row in ROWS[:members]]


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("place", ["checksum", "middle", "magic"])
def test_a_wrong_byte_is_found_where_the_format_has_a_checksum(tmp_path, suffix, place):
    packed = (
        zstandard.ZstdCompressor(write_checksum=True).compress(DATA)
        if suffix == ".zst"
        else PACK[suffix](DATA)
    )
    broken = bytearray(packed)
    # gzip ends with CRC and length, zstd with its checksum, xz and bzip2 with theirs over the blocks' own
    at = {"checksum": len(broken) - {".gz": 8, ".bz2": 3, ".xz": 10, ".zst": 2}[suffix],
          "middle": len(broken) // 2, "magic": 1}[place]  # fmt: skip
    broken[at] ^= 0x21
    with pytest.raises(
        DamagedError, match=r"is damaged near byte \d+ \(|is cut off: it ends at byte"
    ) as caught:
        read(put(tmp_path, suffix, broken))
    found = re.search(r"byte (\d+)", caught.value.problem)
    assert at <= int(found[1]) <= min(len(broken), at + 200_000)  # bzip2 checks a block of 100 kB at its end


@pytest.mark.parametrize("junk", [b"junk", b"\0junk", b"\x1f\x8b", b"<html>not found</html>"])
@pytest.mark.parametrize("suffix", PACK)
def test_junk_behind_the_end_is_no_text(tmp_path, suffix, junk):
    with pytest.raises(DamagedError, match=r"byte \d+"):
        read(put(tmp_path, suffix, PACK[suffix](DATA) + junk))


@pytest.mark.parametrize("suffix", PACK)
def test_nothing_is_published_of_a_cut_file(tmp_path, suffix):
    whole = PACK[suffix](DATA)
    source = put(tmp_path, suffix, whole[:-1])
    with pytest.raises(DamagedError, match="nothing of it was used"):
        build(CorpusConfig.model_validate({"sources": [source]}), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"x.en-de.tsv{suffix}"]
