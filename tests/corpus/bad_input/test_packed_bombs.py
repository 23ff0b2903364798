"""Small packed files of a gibibyte or more: streamed in bounded memory, and refused where a line has no end."""

import bz2
import lzma
import struct
import zlib

import pytest
import zstandard

from corpus.bad_input.measured import read_in_own_process, require_bounds

pytestmark = pytest.mark.slow

MIB = 1 << 20


def deflated(piece, times):
    """One gzip member that holds a piece many times: deflate blocks after a full flush can be repeated as they are."""
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = machine.compress(piece) + machine.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(times):
        checksum = zlib.crc32(piece, checksum)
    end = struct.pack("<2L", checksum, len(piece) * times % 2**32)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * times + machine.flush() + end


def zstandard_frame(piece, times):
    machine = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join([*(machine.compress(piece) for _ in range(times)), machine.flush()])


def bzipped(piece, times):
    """Streams of 64 pieces, one after the other, as packing is what takes the time here."""
    return bz2.compress(piece * 64) * (times // 64)


def xzipped(piece, times):
    return lzma.compress(piece * 64, preset=1) * (times // 64)


PACK = {".gz": deflated, ".bz2": bzipped, ".xz": xzipped, ".zst": zstandard_frame}


@pytest.mark.parametrize("suffix", PACK)
def test_a_gibibyte_without_a_line_end_is_refused(tmp_path, suffix):
    path = tmp_path / f"x.en-de.tsv{suffix}"
    path.write_bytes(PACK[suffix](b"a" * MIB, 1024))
    assert path.stat().st_size < 6 * MIB
    outcome = read_in_own_process(str(path))
    require_bounds(outcome)
    assert "line 1 has more than 16 MiB" in outcome.message


@pytest.mark.parametrize("suffix", PACK)
def test_one_piece_that_unpacks_to_much(tmp_path, suffix):
    """Lines come whole from a file of which a few bytes hold hundreds of megabytes."""
    line = b"one\teins " + b"a" * (MIB - 10) + b"\n"
    path = tmp_path / f"x.en-de.tsv{suffix}"
    path.write_bytes(PACK[suffix](line, 256))
    outcome = read_in_own_process(str(path))
    require_bounds(outcome)
    assert (outcome.pairs, outcome.error) == (256, "")
    assert outcome.grown_mb < 100


def test_an_xz_file_that_asks_for_a_gibibyte_of_memory(tmp_path):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1}]
    whole = bytearray(lzma.compress(b"one\teins\n", filters=filters))
    place = whole.index(b"\x21\x01", 12)  # the filter and the length of its one byte, the dictionary size
    whole[place + 2] = 38  # 2 GiB; 12 + header length - 4 is where the header's checksum stands
    length = (whole[12] + 1) * 4
    whole[12 + length - 4 : 12 + length] = struct.pack("<L", zlib.crc32(bytes(whole[12 : 12 + length - 4])))
    path = tmp_path / "x.en-de.tsv.xz"
    path.write_bytes(whole)
    outcome = read_in_own_process(str(path))
    require_bounds(outcome)
    assert outcome.error == "DamagedError"
    assert "emory" in outcome.message
