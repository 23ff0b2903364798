"""Zip archives from strangers: what they hold is streamed, what they try is refused."""

import re
import stat
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from isoglot import zips
from isoglot.errors import DamagedError
from isoglot.zips import member_chunks, member_names, open_zip, read_member

TEXT = b"eins\tone\n" * 50


def archive_with(tmp_path: Path, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("data.bin", data)
    return path


def test_a_bomb_is_refused_before_it_unpacks(tmp_path):
    with zipfile.ZipFile(archive_with(tmp_path, bytes(10_000_000))) as archive:
        assert archive.getinfo("data.bin").compress_size < 20_000
        with pytest.raises(DamagedError, match=r"data\.bin unpacks to 10000000 bytes from \d+: refused"):
            read_member(archive, "data.bin")


def test_a_compression_that_wheels_do_not_use_is_refused(tmp_path):
    with (
        zipfile.ZipFile(archive_with(tmp_path, TEXT, zipfile.ZIP_LZMA)) as archive,
        pytest.raises(DamagedError, match="compressed by method 14"),
    ):
        read_member(archive, "data.bin")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_flipped_bit_anywhere_in_a_member_is_found(tmp_path, method):
    path = archive_with(tmp_path, TEXT, method)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("data.bin").compress_size
    for position in range(38, 38 + size):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        with zipfile.ZipFile(path) as archive:
            try:
                assert read_member(archive, "data.bin") == TEXT  # a bit that carries nothing
            except DamagedError as error:
                assert "member data.bin is damaged" in error.problem


def test_a_missing_member_is_named(tmp_path):
    with (
        zipfile.ZipFile(archive_with(tmp_path, TEXT)) as archive,
        pytest.raises(DamagedError, match=re.escape("a.whl: member other.bin does not exist")),
    ):
        read_member(archive, "other.bin")


def test_a_member_comes_in_pieces(tmp_path):
    text = b"".join(b"line %d\n" % number for number in range(50_000))
    with open_zip(archive_with(tmp_path, text)) as archive:
        pieces = list(member_chunks(archive, "data.bin"))
    assert len(pieces) > 5
    assert b"".join(pieces) == text


def entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_never_followed(tmp_path, kind):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry("odd.tsv", kind | 0o777), "/etc/hostname")
        archive.writestr(entry("plain.tsv", stat.S_IFREG | 0o644), TEXT)
        archive.writestr("folder/", b"")
    with open_zip(path) as archive:
        assert member_names(archive) == ["plain.tsv"]
        with pytest.raises(DamagedError, match=r"odd\.tsv is not a plain file: refused"):
            read_member(archive, "odd.tsv")


@pytest.mark.parametrize(
    "name", ["../a.tsv", "b/../../a.tsv", "/etc/a.tsv", "C:/a.tsv", "C:\\a.tsv", "..\\a.tsv"]
)
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plain.tsv", TEXT)
        archive.writestr(name, TEXT)
    with pytest.raises(DamagedError, match="leads out of the archive"):
        open_zip(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.tsv", TEXT)
        archive.writestr("b.tsv", TEXT)
        archive.writestr("a.tsv", b"other")
    with pytest.raises(DamagedError, match=r"holds 2 members 'a\.tsv': refused"):
        open_zip(path)


def directory(path: Path) -> tuple[bytearray, int]:
    """The bytes of an archive of one member, and where its directory entry starts."""
    data = bytearray(path.read_bytes())
    return data, data.index(b"PK\x01\x02")


def test_a_size_that_lies_is_no_way_around_the_limit(tmp_path):
    path = archive_with(tmp_path, bytes(10_000_000))
    data, at = directory(path)
    struct.pack_into("<L", data, at + 24, 1000)
    path.write_bytes(data)
    with open_zip(path) as archive, pytest.raises(DamagedError, match=r"data\.bin is damaged \(Bad CRC"):
        read_member(archive, "data.bin")


def test_a_packed_size_that_lies_is_no_way_around_the_limit(tmp_path):
    path = archive_with(tmp_path, bytes(10_000_000))
    data, at = directory(path)
    struct.pack_into("<L", data, at + 20, 10_000_000)
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="says it holds 10000000: its members overlap"):
        open_zip(path)


def test_members_that_share_their_content_are_refused(tmp_path):
    """The bomb of David Fifield: each member stays under the limit of one, all of them together do not."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("kernel.tsv", bytes(range(256)) * 4000)
    data, at = directory(path)
    end = data.index(b"PK\x05\x06")
    one = bytes(data[at:end])
    copies = [one.replace(b"kernel", b"%06d" % number) for number in range(1000)]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1000, 1000, 1000 * len(one), at, 0)
    path.write_bytes(bytes(data[:at]) + b"".join(copies) + tail)
    with pytest.raises(DamagedError, match="its members overlap"):
        open_zip(path)


def test_a_million_members_are_counted_before_they_cost_anything(tmp_path):
    path = archive_with(tmp_path, TEXT)
    data, at = directory(path)
    one = bytes(data[at : data.index(b"PK\x05\x06")])
    count = 1_000_000
    end_64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, count * len(one), 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, count * len(one), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(one * count + end_64 + locator + end)
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(DamagedError, match="more than 500,000 members"):
        open_zip(path)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    assert time.perf_counter() - started < 5


def test_the_limit_of_members_counts_members(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20):
            archive.writestr(f"{number}.tsv", TEXT)
        archive.comment = b"a comment after the directory"
    monkeypatch.setattr(zips, "MEMBERS_CAP", 20)
    open_zip(path).close()
    monkeypatch.setattr(zips, "MEMBERS_CAP", 19)
    with pytest.raises(DamagedError, match="more than 19 members"):
        open_zip(path)


@pytest.mark.parametrize("offset", [28, 32])
def test_an_entry_that_hides_the_next_one(tmp_path, offset):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.tsv", TEXT)
        archive.writestr("b.tsv", TEXT)
    data, at = directory(path)
    (length,) = struct.unpack_from("<H", data, at + offset)
    struct.pack_into("<H", data, at + offset, length + 46 + len("b.tsv"))
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 1
    with pytest.raises(DamagedError, match="says it has 2 members and has 1"):
        open_zip(path)


def test_a_member_shorter_than_its_entry_says(tmp_path):
    path = archive_with(tmp_path, TEXT)
    data, at = directory(path)
    struct.pack_into("<L", data, at + 24, len(TEXT) + 1)
    path.write_bytes(data)
    with open_zip(path) as archive, pytest.raises(DamagedError, match=f"{len(TEXT)} bytes instead of"):
        read_member(archive, "data.bin")


def test_every_truncation_is_an_error(tmp_path):
    whole = archive_with(tmp_path, TEXT).read_bytes()
    path = tmp_path / "cut.zip"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedError):
            open_zip(path)


def test_an_encrypted_member_is_refused(tmp_path):
    path = archive_with(tmp_path, TEXT)
    data, at = directory(path)
    data[at + 8] |= 1
    data[6] |= 1
    path.write_bytes(data)
    with open_zip(path) as archive, pytest.raises(DamagedError, match="encrypted"):
        read_member(archive, "data.bin")
