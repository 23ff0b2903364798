"""Archives read in place: zip, tar and Debian packages give the same pairs, and nothing is ever written."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import polib
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.corpus.formats.archive import archive_name, each_member, find_member, list_members, split_member
from isoglot.corpus.formats.tarball import tar_members
from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError, RequestError

PACKERS = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}
KINDS = ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.tar.zst", "a.deb"]


def tar(members, **changes):
    """A tar archive; a change `{name: {field: value}}` alters the header of one member."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for field, value in changes.get(name, {}).items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def ar(members):
    parts = [b"!<arch>\n"]
    for name, data in members.items():
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        parts += [header, data, b"\n" * (len(data) % 2)]
    return b"".join(parts)


def deb(data, packed=".xz"):
    return ar(
        {"debian-binary": b"2.0\n", "control.tar.gz": b"x" * 7, f"data.tar{packed}": PACKERS[packed](data)}
    )


def write(path: Path, members):
    members = {name: text.encode() if isinstance(text, str) else text for name, text in members.items()}
    if path.suffix in (".zip", ".whl"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
    elif path.suffix == ".deb":
        path.write_bytes(deb(tar({f"./{name}": data for name, data in members.items()})))
    else:
        packed = ".gz" if path.suffix == ".tgz" else path.suffix.replace(".tar", "")
        path.write_bytes(PACKERS[packed](tar(members)))
    return path


def rows(text, border=None):
    found = open_source(str(text)).read(border or Border())
    return [(pair.source, pair.target_lang, pair.target) for pair in found]


EINS = [("one", "de", "eins"), ("two", "de", "zwei")]
TSV = "one\teins\ntwo\tzwei\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_is_read_in_place(tmp_path, kind):
    path = write(tmp_path / kind, {"README": "text", "sets/x.en-de.tsv": TSV, "sets/y.en-fr.tsv": "a\tb\n"})
    assert rows(f"{path}:sets/x.en-de.tsv") == EINS
    assert open_source(f"{path}:sets/x.en-de.tsv").sha256 == open_source(str(path)).sha256
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bare_archive_gives_all_its_files(tmp_path, kind):
    path = write(
        tmp_path / kind,
        {
            "sets/x.en-de.tsv.gz": gzip.compress(TSV.encode()),
            "sets/y.en-fr.csv": '"o,ne",un\n',
            "README.txt": "no\n",
        },
    )
    assert rows(path) == [*EINS, ("o,ne", "fr", "un")]
    assert {pair.corpus for pair in open_source(str(path)).read(Border())} == {"sets/x.en-de", "sets/y.en-fr"}


def test_a_pattern_chooses_members(tmp_path):
    path = write(tmp_path / "a.zip", {"x.en-de.tsv": TSV, "y.en-fr.tsv": "a\tb\n", "z.en-de.tmx": "broken"})
    assert rows(f"{path}:*.en-??.tsv") == [*EINS, ("a", "fr", "b")]


def test_languages_behind_the_member(tmp_path):
    path = write(tmp_path / "a.zip", {"x.tsv": TSV})
    assert rows(f"{path}:x.tsv#en-de") == rows(f"{path}#en-de") == EINS


@pytest.mark.parametrize("kind", KINDS)
def test_an_opus_zip_of_moses_files(tmp_path, kind):
    members = {
        "Books.de-en.de": "eins\nzwei\n", "Books.de-en.en": "one\ntwo\n", "Books.de-en.scores": "0.5\n1.25\n",
        "Books.de-en.ids": "a\tb\t1\t1\na\tb\t2\t2\n", "README": "Books", "LICENSE": "Free for all.",
        "Books.de-en.xml": "<cesAlign/>",
    }  # fmt: skip
    source = open_source(str(write(tmp_path / kind, members)))
    pairs = list(source.read(Border()))
    assert [(pair.source_lang, pair.source, pair.target, pair.score) for pair in pairs] == [
        ("en", "one", "eins", 0.5),
        ("en", "two", "zwei", 1.25),
    ]
    assert {pair.corpus for pair in pairs} == {"a/books.de-en"}
    assert source.licence_text == "Free for all."


def test_moses_files_of_many_languages(tmp_path):
    path = write(tmp_path / "dev.zip", {"d/dev.de": "eins\n", "d/dev.en": "one\n", "d/dev.fr": "un\n"})
    assert rows(path) == [("one", "de", "eins"), ("one", "fr", "un")]


def test_moses_files_named_in_an_archive(tmp_path):
    path = write(tmp_path / "a.zip", {"train.en": "one\n", "train.de": "eins\n", "train.scores": "0.5\n"})
    source = open_source(f"moses:{path}:train.en,{path}:train.de,{path}:train.scores")
    assert [(pair.source, pair.target, pair.score) for pair in source.read(Border())] == [
        ("one", "eins", 0.5)
    ]
    write(path, {"train.en": "one\n", "train.de": "zwei\n", "train.scores": "0.5\n"})
    again = open_source(source.text)
    assert again.sha256 != source.sha256


def test_moses_files_of_unequal_length(tmp_path):
    path = write(tmp_path / "dev.zip", {"dev.de": "eins\n", "dev.en": "one\ntwo\n"})
    with pytest.raises(
        DamagedError, match=r"dev\.zip:dev\.en has 2 lines and .*dev\.zip:dev\.de has 1: after line 1"
    ):
        rows(path)


@pytest.mark.parametrize("kind", KINDS)
def test_trees_of_translations(tmp_path, kind):
    members = {
        "w/i18n/de.json": '{"@metadata": {"authors": ["A"]}, "door": "Tür"}',
        "w/i18n/en.json": '{"@metadata": {"authors": ["B"]}, "door": "Door", "only": "Here"}',
        "w/i18n/qqq.json": '{"door": "Name of the door"}',
        "v/locales/fr/common.json": '{"n": {"one": "une", "other": "deux"}}',
        "v/locales/en/common.json": '{"n": {"one": "one", "other": "two"}}',
        "setup.json": '["not a translation"]',
    }
    expected = [("Door", "de", "Tür"), ("one", "fr", "une"), ("two", "fr", "deux")]
    assert rows(write(tmp_path / kind, members)) == expected
    assert rows(write(tmp_path / kind, members), Border("en", ["fr"])) == expected[1:]


def test_trees_without_the_source_language(tmp_path):
    path = write(tmp_path / "a.zip", {"i18n/de.json": "{}", "i18n/en.json": "{}"})
    with pytest.raises(RequestError, match="no translations from the source language nl"):
        rows(path, Border("nl"))


def catalogue(text, target):
    made = polib.POFile()
    made.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    made.append(polib.POEntry(msgid=text, msgstr=target))
    return made


def test_catalogues_in_a_debian_package(tmp_path):
    members = {
        "usr/share/locale/de/LC_MESSAGES/x.mo": catalogue("door", "Tür").to_binary(),
        "usr/share/locale/pt_BR/LC_MESSAGES/x.mo": catalogue("door", "porta").to_binary(),
        "usr/share/locale/fr/LC_MESSAGES/x.po": str(catalogue("door", "porte\u2009!")),
        "usr/share/locale/de/LC_MESSAGES/x.po": "the source of the .mo is not read",
        "usr/share/doc/x-locales/copyright": "GPL-2+",
        "usr/share/x/table.tsv": "not\tfor\tus\n",
    }
    path = write(tmp_path / "x-locales_1.0-1_all.deb", members)
    assert rows(path) == [("door", "de", "Tür"), ("door", "pt-BR", "porta"), ("door", "fr", "porte\u2009!")]
    source = open_source(str(path))
    assert (source.corpus, source.licence_text) == ("x-locales", "GPL-2+")
    assert rows(path, Border("en", ["fr"])) == [("door", "fr", "porte\u2009!")]


def test_a_wheel_as_a_file_brings_its_licence(put_wheel):
    source = open_source(str(put_wheel()))
    assert (source.corpus, source.licence) == ("smalltexts", "Apache-2.0")
    found = {(pair.target_lang, pair.source, pair.target) for pair in source.read(Border())}
    assert ("zh-Hans", "Switched on", "已打开") in found
    assert len(found) == 6


NAME = st.text("abc", min_size=1, max_size=3).map(lambda name: f"{name}.en-de.tsv")
CELL = st.text(st.characters(exclude_characters="\t\n\ufeff", exclude_categories=["Cs"]), max_size=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("archives")


@settings(max_examples=60, deadline=None)
@given(
    sets=st.dictionaries(
        NAME, st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4), min_size=1, max_size=3
    ),
    kind=st.sampled_from(KINDS),
)
def test_round_trip(folder, sets, kind):
    members = {name: "".join(f"{a}\t{b}\n" for a, b in pairs) for name, pairs in sorted(sets.items())}
    path = write(folder / kind, members)
    expected = [(a, b) for _, pairs in sorted(sets.items()) for a, b in pairs]
    found = open_source(f"{path}#en-de").read(Border())
    assert [(pair.source, pair.target) for pair in found] == expected


@pytest.mark.parametrize("packed", sorted(PACKERS))
def test_debian_packages_of_any_compression(tmp_path, packed):
    path = tmp_path / "a.deb"
    path.write_bytes(deb(tar({"./x.en-de.tsv": TSV.encode()}), packed))
    assert rows(path) == EINS


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_an_error(tmp_path, kind):
    whole = write(tmp_path / kind, {"x.en-de.tsv": TSV, "y.en-de.tsv": TSV}).read_bytes()
    end = (
        whole.rindex(b"two\tzwei") + 600 if kind == "a.tar" else len(whole)
    )  # then zeros that only fill a tape
    for size in range(0, end - 1, max(1, end // 300)):
        (tmp_path / kind).write_bytes(whole[:size])
        with pytest.raises(DamagedError):
            rows(tmp_path / kind)


@pytest.mark.parametrize("kind", ["a.zip", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_a_flipped_bit_is_an_error_or_changes_nothing(tmp_path, kind):
    path = write(tmp_path / kind, {"x.en-de.tsv": TSV * 20})
    whole, expected = path.read_bytes(), rows(path)
    for place in range(0, len(whole), max(1, len(whole) // 100)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            assert rows(path) == expected
        except (DamagedError, RequestError):
            continue


@pytest.mark.parametrize(
    "name", ["../x.en-de.tsv", "/etc/x.en-de.tsv", "a/../../x.en-de.tsv", "./../x.en-de.tsv"]
)
def test_a_tar_name_that_leads_out_is_refused(tmp_path, name):
    path = tmp_path / "a.tar"
    path.write_bytes(tar({name: TSV.encode()}))
    with pytest.raises(DamagedError, match="leads out of the archive"):
        rows(path)


@pytest.mark.parametrize(
    "type_",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE],
)
def test_links_and_devices_in_a_tar_are_left_out(tmp_path, type_):
    secret = tmp_path / "secret.en-de.tsv"
    secret.write_text("not\tfor you\n")
    link = {"type": type_, "linkname": str(secret), "size": 0}
    path = tmp_path / "a.tar"
    path.write_bytes(tar({"x.en-de.tsv": TSV.encode(), "link.en-de.tsv": b""}, **{"link.en-de.tsv": link}))
    assert list_members(path) == ["x.en-de.tsv"]
    assert rows(path) == EINS
    with pytest.raises(RequestError, match="holds nothing under"):
        rows(f"{path}:link.en-de.tsv")


def test_two_members_of_one_name_are_refused(tmp_path):
    path = tmp_path / "a.tar"
    data = tar(
        {"x.en-de.tsv": TSV.encode(), "y.en-de.tsv": TSV.encode()}, **{"y.en-de.tsv": {"name": "x.en-de.tsv"}}
    )
    path.write_bytes(data)
    with pytest.raises(DamagedError, match=r"holds 2 members 'x\.en-de\.tsv'"):
        rows(path)


def test_a_packed_bomb_stops_early(tmp_path):
    path = tmp_path / "a.tar.xz"
    path.write_bytes(lzma.compress(tar({"x.en-de.tsv": bytes(30_000_000)})))
    assert path.stat().st_size < 10_000
    with pytest.raises(DamagedError, match=r"unpacks to more than \d+ bytes: refused"):
        list_members(path)


def test_a_header_that_claims_a_gigabyte_is_refused(tmp_path):
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30
    path = tmp_path / "a.tar"
    path.write_bytes(header.tobuf() + bytes(10_000))
    with pytest.raises(DamagedError, match="an extended header says it has 1073741824 bytes"):
        list_members(path)


def test_a_damaged_header_is_not_the_end(tmp_path):
    """Python's tarfile ends at the first header it cannot read, and the corpus would be a shorter one."""
    data = bytearray(tar({"x.en-de.tsv": TSV.encode(), "y.en-de.tsv": TSV.encode()}))
    data[1024 + 5] ^= 1
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    with tarfile.open(path) as archive:
        assert len(archive.getmembers()) == 1
    with pytest.raises(DamagedError, match="a header is broken"):
        list_members(path)


def test_many_tar_members_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("isoglot.corpus.formats.tarball.MEMBERS_CAP", 3)
    path = write(tmp_path / "a.tar", {f"{number}.tsv": "" for number in range(4)})
    with pytest.raises(DamagedError, match="more than 3 members"):
        list_members(path)


@pytest.mark.parametrize("data", [b"", b"!<arch>\n", b"no archive", ar({"debian-binary": b"2.0\n"})])
def test_what_is_no_debian_package(tmp_path, data):
    (tmp_path / "a.deb").write_bytes(data)
    with pytest.raises(DamagedError, match=r"has no data\.tar"):
        list_members(tmp_path / "a.deb")


@pytest.mark.parametrize("size", ["-60", "x", "9" * 9])
def test_an_ar_size_that_lies(tmp_path, size):
    data = deb(tar({"x.tsv": b"a\tb\n"})).replace(b"7         `", f"{size:<10}`".encode())
    (tmp_path / "a.deb").write_bytes(data)
    with pytest.raises(DamagedError):
        list_members(tmp_path / "a.deb")


def test_archives_inside_archives_are_not_opened(tmp_path):
    inner = write(tmp_path / "b.zip", {"x.en-de.tsv": TSV})
    outer = write(tmp_path / "a.zip", {"b.zip": inner.read_bytes()})
    with pytest.raises(
        RequestError, match=r"holds nothing under '\*' that isoglot can read; it has b\.zip"
    ) as caught:
        rows(outer)
    assert "Archives inside archives are not opened" in caught.value.next_step
    with pytest.raises(RequestError, match=r"a\.zip:b\.zip: isoglot has no reader for \.zip"):
        rows(f"{outer}:b.zip")


@pytest.mark.parametrize("name", ["x.parquet", "x.xml"])
def test_what_cannot_be_streamed_says_so(tmp_path, name):
    path = write(tmp_path / "a.zip", {name: "<cesAlign/>"})
    with pytest.raises(RequestError, match="cannot be read inside an archive"):
        rows(f"{path}:{name}")


def test_a_name_with_a_colon_is_still_a_file(tmp_path):
    path = tmp_path / "a.zip:x.en-de.tsv"
    path.write_text(TSV)
    assert rows(path) == EINS


def test_splitting(tmp_path):
    path = write(tmp_path / "a.zip", {"b:c.tsv": "x"})
    assert split_member(str(path)) == (path, "*")
    assert split_member(f"{path}:b:c.tsv") == (path, "b:c.tsv")
    assert split_member(str(tmp_path / "none.zip:b")) is None
    assert split_member(__file__) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("x-l10n_1%3a2-1_all.deb", "x-l10n"), ("x-1.0-py3-none-any.whl", "x"), ("de-en.txt.zip", "de-en.txt"),
     ("x.tar.gz", "x"), ("x.tgz", "x"), ("x.tar", "x")],
)  # fmt: skip
def test_names_of_archives(name, expected):
    assert archive_name(Path(name)) == expected


def test_a_member_opens_as_often_as_needed_and_streams(tmp_path):
    text = b"".join(os.urandom(1000) for _ in range(1000))
    for kind in KINDS:
        path = write(tmp_path / kind, {"first": b"1", "big.bin": text, "last": b"3"})
        member = find_member(path, "big.bin")
        for _ in range(2):
            with member.open("rb") as file:
                assert file.read(10) == text[:10]
                assert file.read() == text[10:]
        assert [member.open("rb").read() for member in each_member(path, {"last", "first"})] == [b"1", b"3"]


def test_contents_go_by_one_after_the_other(tmp_path):
    path = write(tmp_path / "a.tar.gz", {"a": b"1" * 100_000, "b": b"2" * 100_000})
    sizes = [(name, len(content.read(50))) for name, content in tar_members(path)]
    assert sizes == [("a", 50), ("b", 50)]
