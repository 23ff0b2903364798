"""Archives made to harm, read as a SOURCE: nothing is written, nothing else is read, bombs stay small."""

import gzip
import io
import struct
import tarfile
import zipfile

import pytest

from corpus.bad_input.measured import read_in_own_process, read_in_this_process, require_bounds
from corpus.bad_input.test_packed_bombs import deflated

CANARY = "canary-4711-do-not-read"
MEMBER = "x.en-de.tsv"
TEXT = b"one thing\teine Sache\n"
MIB = 1 << 20


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    """A zip archive of (name or entry, content)."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return bytearray(made.getvalue())


def tarred(*members):
    """A tar archive of (name, content, fields of the header)."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content, fields in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for field, value in fields.items():
                setattr(entry, field, value)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def debian(data, packed=".gz"):
    made = b"!<arch>\n"
    for name, content in (("debian-binary", b"2.0\n"), (f"data.tar{packed}", data)):
        made += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content
        made += b"\n" * (len(content) % 2)
    return made


def symbolic_link(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    return entry


def with_entry(data, offset, kind, value):
    """The archive with one field of its first directory entry changed."""
    struct.pack_into(kind, data, data.index(b"PK\x01\x02") + offset, value)
    return data


def large_member(times):
    """A deflated zip member of `times` MiB, made without unpacking it anywhere."""
    packed = deflated(b"a" * MIB, times)
    body, checksum = packed[10:-8], packed[-8:-4]
    sizes = struct.pack("<2L", len(body), times * MIB)
    name = MEMBER.encode()
    local = (
        struct.pack("<4s5H", b"PK\x03\x04", 20, 0, 8, 0, 33)
        + checksum
        + sizes
        + struct.pack("<2H", len(name), 0)
    )
    entry = struct.pack("<4s6H", b"PK\x01\x02", 20, 20, 0, 8, 0, 33) + checksum + sizes
    entry += struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name
    at = len(local) + len(name) + len(body)
    return local + name + body + entry + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), at, 0)


def read(folder, name, data, how=read_in_this_process):
    """Read an archive in a folder where nothing but it may be afterwards."""
    place = folder / "in" / name
    place.parent.mkdir()
    place.write_bytes(data)
    before = sorted(folder.rglob("*"))
    outcome = how(str(place))
    assert sorted(folder.rglob("*")) == before
    assert CANARY not in str(outcome)
    require_bounds(outcome)
    return outcome


LINKS = {
    "symbolic link": {"type": tarfile.SYMTYPE},
    "hard link": {"type": tarfile.LNKTYPE},
    "character device": {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5},
    "block device": {"type": tarfile.BLKTYPE, "devmajor": 8},
    "pipe": {"type": tarfile.FIFOTYPE},
}


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("absolute", [True, False])
def test_links_and_devices_lead_nowhere(tmp_path, kind, absolute):
    canary = tmp_path / "canary.tsv"
    canary.write_text(f"{CANARY}\t{CANARY}\n")
    target = str(canary) if absolute else "../canary.tsv"
    bad = (MEMBER, b"", LINKS[kind] | {"linkname": target})
    outcome = read(tmp_path, "x.tar", tarred(bad, ("y.en-de.tsv", TEXT, {})))
    assert (outcome.texts, outcome.error) == ([["one thing", "eine Sache"]], "")


def test_a_link_in_a_zip_leads_nowhere(tmp_path):
    (tmp_path / "canary.tsv").write_text(f"{CANARY}\t{CANARY}\n")
    data = zipped((symbolic_link(MEMBER), "../canary.tsv"), ("y.en-de.tsv", TEXT))
    assert read(tmp_path, "x.zip", data).texts == [["one thing", "eine Sache"]]


@pytest.mark.parametrize(
    "name", ["../x.en-de.tsv", "a/../../x.en-de.tsv", "/tmp/x.en-de.tsv", "..\\x.en-de.tsv"]
)
@pytest.mark.parametrize("kind", ["x.zip", "x.tar", "x.deb"])
def test_names_that_lead_out(tmp_path, kind, name):
    tar = tarred((name, TEXT, {}))
    data = {"x.zip": zipped((name, TEXT)), "x.tar": tar, "x.deb": debian(gzip.compress(tar))}[kind]
    outcome = read(tmp_path, kind, data)
    assert (outcome.error, outcome.pairs) == ("DamagedError", 0)
    assert "leads out of the archive" in outcome.message


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["x.zip", "x.tar"])
def test_two_members_of_one_name(tmp_path, kind):
    data = zipped((MEMBER, TEXT), (MEMBER, b"x")) if kind == "x.zip" else tarred(*[(MEMBER, TEXT, {})] * 2)
    outcome = read(tmp_path, kind, data)
    assert (outcome.error, "holds 2 members" in outcome.message) == ("DamagedError", True)


def test_a_zip_member_of_a_gigabyte(tmp_path):
    data = large_member(1024)
    assert len(data) < 2 * MIB
    assert "unpacks to 1073741824 bytes" in read(tmp_path, "x.zip", data, read_in_own_process).message


@pytest.mark.parametrize("kind", ["x.tar.gz", "x.deb"])
def test_a_tar_of_a_gigabyte(tmp_path, kind):
    entry = tarfile.TarInfo(MEMBER)
    entry.size = 1024 * MIB
    packed = gzip.compress(entry.tobuf()) + gzip.compress(b"a" * MIB) * 1024
    data = debian(packed) if kind == "x.deb" else packed
    outcome = read(tmp_path, kind, data, read_in_own_process)
    assert outcome.error == "DamagedError"
    assert "unpacks to more than" in outcome.message or "more than 16 MiB" in outcome.message


def test_archives_in_archives_are_not_opened(tmp_path):
    data = bytes(zipped((MEMBER, TEXT)))
    for _ in range(20):
        data = bytes(zipped(("inner.zip", data)))
    outcome = read(tmp_path, "x.zip", data)
    assert outcome.error
    assert outcome.pairs == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda data: with_entry(data, 24, "<L", 5), "damaged", id="says it is shorter"),
        pytest.param(lambda data: with_entry(data, 24, "<L", 5000), "damaged", id="says it is longer"),
        pytest.param(
            lambda data: with_entry(data, 20, "<L", 10**9), "overlap", id="says it is packed larger"
        ),
        pytest.param(lambda data: with_entry(data, 16, "<L", 1), "damaged", id="checksum"),
        pytest.param(lambda data: with_entry(data, 8, "<H", 1), "encrypted", id="encrypted"),
        pytest.param(lambda data: with_entry(data, 8, "<H", 0x41), "", id="strongly encrypted"),
        pytest.param(lambda data: with_entry(data, 10, "<H", 98), "method 98", id="unknown compression"),
        pytest.param(lambda data: with_entry(data, 10, "<H", 0), "damaged", id="not compressed after all"),
        pytest.param(lambda data: with_entry(data, 42, "<L", 10**6), "", id="starts behind the end"),
        pytest.param(
            lambda data: with_entry(data, 28, "<H", 60_000),
            "says it has 2 members",
            id="long name",
        ),
        pytest.param(
            lambda data: with_entry(data, 30, "<H", 60_000),
            "",
            id="long extra field",
        ),
        pytest.param(lambda data: with_entry(data, 6, "<H", 999), "", id="version of the future"),
        pytest.param(
            lambda data: data.replace(b"\x14\0\0\0\x08", b"\x14\0\0\x08\x08", 1).replace(
                b"x.en", b"\xf3.en", 1
            ),
            "damaged",
            id="header whose name is not UTF-8",
        ),
        pytest.param(lambda data: data[:-30], "not a readable zip", id="cut directory"),
        pytest.param(lambda data: data[: data.index(b"PK\x01\x02")], "not a readable zip", id="no directory"),
        pytest.param(lambda data: data[:20], "not a readable zip", id="header only"),
        pytest.param(lambda data: bytes(100), "not a readable zip", id="zeros"),
    ],
)
def test_zip_directories_that_lie(tmp_path, change, message):
    outcome = read(tmp_path, "x.zip", change(zipped((MEMBER, TEXT * 20), ("y.en-de.tsv", TEXT))))
    assert outcome.error == "DamagedError"
    assert message in outcome.message
    assert outcome.pairs <= 20


@pytest.mark.parametrize("count", [2, 10**6, 2**63, 2**64 - 1])
def test_a_zip64_directory_that_lies(tmp_path, count):
    data = zipped((MEMBER, TEXT))
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, count, at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    outcome = read(tmp_path, "x.zip", bytes(data[:end]) + large + locator + tail, read_in_own_process)
    assert outcome.error == "DamagedError"


@pytest.mark.slow
def test_a_million_tar_members(tmp_path):
    """Too many for the five seconds of the other promises, but neither for memory nor for anything outside."""
    block = tarfile.TarInfo("a").tobuf()
    place = tmp_path / "x.tar.gz"
    place.write_bytes(gzip.compress(block * 1000) * 1000)
    outcome = read_in_own_process(str(place))
    assert (outcome.error, outcome.pairs) == ("DamagedError", 0)
    assert outcome.grown_mb < 100
