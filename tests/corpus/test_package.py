"""Translations in a wheel, read in place."""

import pytest

from isoglot.artefact import digest_file
from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.corpus.sources.package import read_licence, read_package
from isoglot.errors import DamagedError, RequestError

EXPECTED = [
    ("The door is open.", "de", "Die Tür ist offen."),
    ("Lamp", "de", "Leuchte"),
    ("Switched on", "de", "Eingeschaltet"),
    ("Switched off", "de", "Ausgeschaltet"),
    ("Lamp", "zh-Hans", "灯光"),
    ("Switched on", "zh-Hans", "已打开"),
]


def found(path, border):
    return [(pair.source, pair.target_lang, pair.target) for pair in read_package(path, "c", border)]


def test_texts_are_joined_by_their_keys(put_wheel):
    assert found(put_wheel(), Border()) == EXPECTED


def test_only_wanted_languages_are_read(put_wheel):
    content = {"smalltexts/lamp/translations/de.json": b"not JSON, but nobody asked"}
    only = [row for row in EXPECTED if row[1] == "zh-Hans"]
    assert found(put_wheel(content), Border("en", ["zho_Hans"])) == only


def test_another_source_language(put_wheel):
    rows = found(put_wheel(), Border("de", ["en"]))
    assert ("Eingeschaltet", "en", "Switched on") in rows
    assert len(rows) == 4


def test_a_package_is_a_source_with_its_terms(put_wheel):
    path = put_wheel()
    source = open_source("package:Smalltexts==1.0")
    assert (source.corpus, source.sha256) == ("smalltexts", digest_file(path))
    assert (source.licence, source.licence_text) == ("Apache-2.0", "The full terms.")
    assert source.attribution == "Translations of Smalltexts 1.0 by Somebody."
    assert {pair.corpus for pair in source.read(Border())} == {"smalltexts"}
    assert sorted(path.parent.iterdir()) == [path, path.parent / "wheel.json"]  # nothing was unpacked


def test_no_translations_in_the_source_language(put_wheel):
    path = put_wheel()
    with pytest.raises(RequestError, match="in the source language fr"):
        found(path, Border("fr"))


def test_a_member_that_is_not_json_is_named(put_wheel):
    content = {"smalltexts/lamp/translations/de.json": b'{"title": '}
    with pytest.raises(DamagedError, match=r"lamp/translations/de\.json is not JSON"):
        found(put_wheel(content), Border())


def test_a_bomb_is_refused(put_wheel):
    content = {
        "smalltexts/lamp/translations/de.json": b'{"title": "' + b"a" * 40_000_000 + b'"}',
    }
    with pytest.raises(DamagedError, match=r"lamp/translations/de\.json unpacks to 40000013 bytes"):
        found(put_wheel(content), Border())


def test_a_flipped_byte_is_found(put_wheel):
    path = put_wheel()
    data = bytearray(path.read_bytes())
    place = data.index(b"lamp/translations/de.json") + len(b"lamp/translations/de.json") + 4
    data[place] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DamagedError, match=r"lamp/translations/de\.json is damaged"):
        found(path, Border())


def test_no_metadata_is_no_wheel(put_wheel):
    put_wheel({"smalltexts-1.0.dist-info/METADATA": None})
    with pytest.raises(DamagedError, match="has no METADATA"):
        open_source("package:smalltexts==1.0")


def test_the_version_must_be_exact():
    with pytest.raises(RequestError, match="names no exact version"):
        open_source("package:smalltexts")


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-30], lambda data: data.replace(b"PK\x01\x02", b"PK\x01\x03")]
)
def test_a_broken_archive_is_no_wheel(put_wheel, damage):
    path = put_wheel()
    path.write_bytes(damage(path.read_bytes()))
    for read in (read_licence, lambda path: found(path, Border())):
        with pytest.raises(DamagedError, match="is not a wheel"):
            read(path)
