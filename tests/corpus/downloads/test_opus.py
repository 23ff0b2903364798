"""`opus:` against a server with OPUS's layout: versions, codes, scores, terms, and archives that are not right."""

import io
import json
import zipfile

import pytest

from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError, IsoglotError, RequestError
from loopback import Mischief

GERMAN, ENGLISH = "Die Tür ist offen.\nEin Haus.\n", "The door is open.\nA house.\n"
MEMBERS = {
    "Toy.de-en.de": GERMAN,
    "Toy.de-en.en": ENGLISH,
    "Toy.de-en.xml": "<cesAlign/>",
    "LICENSE": "\n# CC BY 4.0\nThe full terms.",
    "README": "Toy corpus of nobody.",
}
PATH = "/OPUS-Toy/v2/moses/de-en.txt.zip"


def archive(members, damage=lambda data: data):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in members.items():
            if text is not None:
                zipped.writestr(name, text)
    return damage(packed.getvalue())


def index(web, *entries):
    defaults = {"corpus": "Toy", "source": "de", "target": "en", "preprocessing": "moses", "latest": "True"}
    web.put("/opusapi/", json.dumps({"corpora": [defaults | entry for entry in entries]}).encode())


def rows(source, border):
    return [(*pair[:4], pair.score) for pair in source.read(border)]


@pytest.mark.parametrize("uri", ["opus:Toy/v2/de-en", "opus:Toy/v2/en-de"])
def test_a_version_is_read_in_place_whatever_the_order_of_the_codes(web, hurried, uri):
    web.put(PATH, archive(MEMBERS))
    source = open_source(uri, network=hurried)
    assert rows(source, Border()) == [
        ("Die Tür ist offen.", "The door is open.", "de", "en", None),
        ("Ein Haus.", "A house.", "de", "en", None),
    ]
    assert source.corpus == "Toy"
    assert source.licence == "CC BY 4.0"
    assert source.attribution.startswith("Toy v2, from OPUS (https://opus.nlpl.eu; J. Tiedemann, 2012")
    assert source.licence_text == "LICENSE\n\n# CC BY 4.0\nThe full terms.\n\nREADME\n\nToy corpus of nobody."
    assert len(web.log) == 1
    again = open_source(uri, network=hurried)
    assert (again.sha256, len(web.log)) == (source.sha256, 1)


def test_the_newest_version_is_asked_for_once(web, hurried):
    index(web, {"version": "v1", "latest": "False"}, {"version": "v2"})
    web.put(PATH, archive(MEMBERS))
    first = open_source("opus:Toy/en-de", network=hurried)
    query = "corpus=Toy&source=de&target=en&preprocessing=moses&version=latest"
    assert [request.path for request in web.log] == [f"/opusapi/?{query}", PATH]
    index(web, {"version": "v3"})
    assert open_source("opus:Toy/en-de", network=hurried).sha256 == first.sha256
    assert len(web.log) == 2


def test_scores_go_with_their_pairs(web, hurried):
    web.put(PATH, archive({**MEMBERS, "Toy.de-en.scores": "1.25\n0.5\n"}))
    assert [row[4] for row in rows(open_source("opus:Toy/v2/de-en", network=hurried), Border())] == [
        1.25,
        0.5,
    ]


def test_codes_of_opus_with_region_and_script(web, hurried):
    members = {"Toy.en-zh_CN.en": "a\n", "Toy.en-zh_CN.zh_CN": "b\n"}
    web.put("/OPUS-Toy/v2/moses/en-zh_CN.txt.zip", archive(members))
    assert rows(open_source("opus:Toy/v2/zh_CN-en", network=hurried), Border())[0][2:4] == ("en", "zh-Hans")
    members = {"Toy.en-sr@latin.en": "a\n", "Toy.en-sr@latin.sr@latin": "b\n"}
    web.put("/OPUS-Toy/v2/moses/en-sr@latin.txt.zip", archive(members))
    assert rows(open_source("opus:Toy/v2/en-sr@latin", network=hurried), Border())[0][2:4] == (
        "en",
        "sr-Latn",
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Toy.de-en.en": None}, r"has 0 members \*\.de-en\.en instead of one"),
        ({"More.de-en.en": ENGLISH}, r"has 2 members \*\.de-en\.en instead of one"),
        ({"Toy.de-en.en": ENGLISH + "A third.\n"}, "has 3"),
        ({"Toy.de-en.scores": "1.0\n"}, "has 1"),
        ({"Toy.de-en.scores": "1.0\nhigh\n"}, "'high' is not a score"),
        ({"Toy.de-en.de": "\0" * 40_000_000}, "unpacks to 40000000 bytes"),
    ],
)
def test_an_archive_that_is_not_right_is_named(web, hurried, change, said):
    web.put(PATH, archive({**MEMBERS, **change}))
    with pytest.raises(DamagedError, match=said):
        rows(open_source("opus:Toy/v2/de-en", network=hurried), Border())


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-30],
        lambda data: b"<html>moved</html>",
        lambda data: data.replace(b"PK\x01\x02", b"PK\x00\x00"),
    ],
)
def test_what_is_no_archive_does_not_get_into_the_cache(web, hurried, damage):
    web.put(PATH, archive(MEMBERS, damage))
    with pytest.raises(IsoglotError, match=r"sent a file that is not whole: .*zip"):
        open_source("opus:Toy/v2/de-en", network=hurried)
    web.put(PATH, archive(MEMBERS))
    assert len(rows(open_source("opus:Toy/v2/de-en", network=hurried), Border())) == 2


def test_a_flipped_byte_in_a_member_is_found_by_its_checksum(web, hurried):
    def damage(data):
        changed = bytearray(data)
        changed[changed.index(b"Toy.de-en.de") + len("Toy.de-en.de") + 4] ^= 0x40
        return bytes(changed)

    web.put(PATH, archive(MEMBERS, damage))
    with pytest.raises(DamagedError, match=r"Toy\.de-en\.de is damaged"):
        rows(open_source("opus:Toy/v2/de-en", network=hurried), Border())


def test_a_corpus_that_is_not_there(web, hurried):
    index(web)
    with pytest.raises(RequestError, match="OPUS has no such corpus for this language pair") as caught:
        open_source("opus:Toy/en-de", network=hurried)
    assert "https://opus.nlpl.eu" in caught.value.next_step
    with pytest.raises(RequestError, match=r"v9/moses/de-en\.txt\.zip answered 404"):
        open_source("opus:Toy/v9/en-de", network=hurried)
    index(web, {"version": "v2"})  # an empty answer was not kept
    web.put(PATH, archive(MEMBERS))
    assert open_source("opus:Toy/en-de", network=hurried).corpus == "Toy"


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"[]",
        b'{"corpora": [{"latest": 1}]}',
        b'{"corpora": [{"version": "../../x", "latest": 1}]}',
    ],
)
def test_an_answer_of_the_index_that_is_none(web, hurried, answer):
    web.put("/opusapi/", answer)
    with pytest.raises(IsoglotError, match="not whole"):
        open_source("opus:Toy/en-de", network=hurried)


@pytest.mark.parametrize(
    "uri", ["opus:Toy", "opus:Toy/en", "opus:../Toy/en-de", "opus:Toy/v1/../en-de", "opus:Toy/v1/en-german"]
)
def test_a_uri_that_names_no_pair(hurried, uri):
    with pytest.raises(RequestError, match="names no corpus and language pair"):
        open_source(uri, network=hurried)


def test_a_digest_that_was_asked_for_must_be_found(web, hurried):
    web.put(PATH, archive(MEMBERS))
    uri = "opus:Toy/v2/de-en"
    found = open_source(uri, network=hurried).sha256
    pinned = hurried.model_copy(update={"sha256": {uri: found.upper()}})
    assert open_source(uri, network=pinned).sha256 == found
    wrong = hurried.model_copy(update={"sha256": {uri: "0" * 64}})
    with pytest.raises(DamagedError, match=rf"has sha256 {found} instead of 0000"):
        open_source(uri, network=wrong)


def test_a_server_that_is_busy_is_asked_again(web, hurried):
    web.put(PATH, archive(MEMBERS), Mischief(status=503), Mischief(cut=100))
    assert len(rows(open_source("opus:Toy/v2/de-en", network=hurried), Border())) == 2
    assert web.asked(PATH) == ["", "", "bytes=100-"]
