"""Translations in a wheel, read in place."""

import polib
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
    return sorted((pair.source, pair.target_lang, pair.target) for pair in read_package(path, "c", border))


def test_texts_are_joined_by_their_keys(put_wheel):
    assert found(put_wheel(), Border()) == sorted(EXPECTED)


def test_only_wanted_languages_are_read(put_wheel):
    content = {"smalltexts/lamp/translations/de.json": b"not JSON, but nobody asked"}
    only = [row for row in EXPECTED if row[1] == "zh-Hans"]
    assert found(put_wheel(content), Border("en", ["zho_Hans"])) == sorted(only)


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
    with pytest.raises(RequestError, match="from the source language fr"):
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
        with pytest.raises(DamagedError, match="is not a readable zip archive"):
            read(path)


def catalogue(*entries):
    made = polib.MOFile()
    made.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    made.extend(polib.POEntry(msgid=source, msgstr=target) for source, target in entries)
    return made


CATALOGUES = {
    f"smalltexts/door/locale/{language}/LC_MESSAGES/django.{kind}": data
    for language, texts in (("nl", ("The lock", "Het slot")), ("fr", ("The lock", "La serrure")))
    for kind, data in (
        ("mo", catalogue(texts).to_binary()),
        ("po", str(catalogue((texts[0], "from the source, which is compiled too"))).encode()),
    )
}


def test_catalogues_are_read_beside_trees(put_wheel):
    path = put_wheel(CATALOGUES)
    extra = [("The lock", "fr", "La serrure"), ("The lock", "nl", "Het slot")]
    assert found(path, Border()) == sorted(EXPECTED + extra)
    assert found(path, Border("en", ["nl"])) == extra[1:]


def test_a_catalogue_that_is_only_there_as_source(put_wheel):
    name = "smalltexts/door/locale/nl/LC_MESSAGES/django.po"
    path = put_wheel({name: str(catalogue(("The lock", "Het slot"))).encode()})
    assert found(path, Border("en", ["nl"])) == [("The lock", "nl", "Het slot")]


def test_the_messages_of_a_catalogue_are_english_whatever_the_source_language(put_wheel):
    """With `--source-lang nl` the Dutch catalogue is read, for the build to turn round, and the French one is not."""
    pairs = list(read_package(put_wheel(CATALOGUES), "c", Border("nl", ["en", "fr"])))
    assert [pair[:4] for pair in pairs] == [("The lock", "Het slot", "en", "nl")]


@pytest.mark.parametrize(
    "layout",
    [
        "web/i18n/{}.json",
        "web/locales/{}.json",
        "web/locales/{}/common.json",
        "ext/_locales/{}/messages.json",
    ],
)
def test_other_layouts_of_trees(put_wheel, layout):
    trees = {"en": b'{"a": {"b": "One more"}}', "nl": b'{"a": {"b": "Nog een"}}'}
    path = put_wheel({layout.format(language): tree for language, tree in trees.items()})
    assert found(path, Border("en", ["nl"])) == [("One more", "nl", "Nog een")]


def test_a_package_without_translations(put_wheel):
    places = ("lamp/translations/en", "lamp/translations/de", "lamp/translations/zh-Hans", "lamp/translations/strings",
              "door/translations/en", "door/translations/de", "orphan/translations/de")  # fmt: skip
    changes = {f"smalltexts/{place}.json": None for place in places}
    path = put_wheel({**changes, "smalltexts/pairs.en-de.tsv": b"a\tb\n"})
    with pytest.raises(RequestError, match="holds no translations of software"):
        found(path, Border())
