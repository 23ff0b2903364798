"""`tatoeba:eng-deu`: three exports of Tatoeba's server, joined."""

import bz2

import pytest

from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError, IsoglotError, RequestError
from loopback import Mischief

ENGLISH = "1\teng\tThe door.\n6\teng\tA door.\n9\teng\tNobody's.\n"
GERMAN = "2\tdeu\tDie Tür.\n3\tdeu\tEine Tür.\n"
LINKS = "1\t2\n1\t3\n6\t2\n6\t77\n88\t2\n"


def put(web, english=ENGLISH, links=LINKS, *mischief):
    for name, text in (
        ("eng/eng_sentences", english),
        ("deu/deu_sentences", GERMAN),
        ("eng/eng-deu_links", links),
    ):
        web.put(f"/{name}.tsv.bz2", bz2.compress(text.encode()), *mischief)


def rows(source, border):
    return [pair[:4] for pair in source.read(border)]


EXPECTED = [
    ("The door.", "Die Tür.", "en", "de"),
    ("The door.", "Eine Tür.", "en", "de"),
    ("A door.", "Die Tür.", "en", "de"),
]


def test_sentences_are_joined_by_their_links(web, hurried):
    put(web)
    source = open_source("tatoeba:eng-deu", network=hurried)
    assert rows(source, Border()) == EXPECTED
    assert (source.corpus, source.licence) == ("tatoeba", "CC BY 2.0 FR")
    assert source.attribution == "Sentences of Tatoeba (https://tatoeba.org) by its contributors."
    assert len(web.log) == 3
    assert open_source("tatoeba:eng-deu", network=hurried).sha256 == source.sha256
    assert len(web.log) == 3


def test_the_date_of_an_export_stands_in_its_attribution(web, hurried):
    put(web, ENGLISH, LINKS, Mischief(headers={"Last-Modified": "Sat, 01 Aug 2026 06:30:00 GMT"}))
    source = open_source("tatoeba:eng-deu", network=hurried)
    assert source.attribution.endswith("by its contributors, exported Sat, 01 Aug 2026 06:30:00 GMT.")


def test_a_cut_export_is_continued(web, hurried):
    put(web, ENGLISH, LINKS, Mischief(cut=40))
    assert rows(open_source("tatoeba:eng-deu", network=hurried), Border()) == EXPECTED
    assert [request.range for request in web.log] == ["", "bytes=40-"] * 3


def test_a_length_that_is_too_short_is_no_shorter_corpus(web, hurried):
    put(web)
    web.always["/eng/eng-deu_links.tsv.bz2"] = Mischief(headers={"Content-Length": "30"})
    with pytest.raises(IsoglotError, match=r"not whole: .*cut off"):
        open_source("tatoeba:eng-deu", network=hurried)


def test_a_folder_of_that_name_comes_first(web, hurried, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "eng-deu").mkdir()
    (tmp_path / "eng-deu" / "sentences.tsv").write_text("1\teng\ta\n2\tdeu\tb\n")
    (tmp_path / "eng-deu" / "links.tsv").write_text("1\t2\n")
    source = open_source("tatoeba:eng-deu", network=hurried)
    assert rows(source, Border()) == [("a", "b", "en", "de")]
    assert source.licence == "CC BY 2.0 FR"
    assert web.log == []


def test_a_language_that_is_not_there(web, hurried):
    with pytest.raises(RequestError, match=r"xyz_sentences\.tsv\.bz2 answered 404") as caught:
        open_source("tatoeba:xyz-deu", network=hurried)
    assert "three letters" in caught.value.next_step
    with pytest.raises(RequestError, match="is no folder and names no two languages"):
        open_source("tatoeba:english", network=hurried)


def test_a_line_with_too_few_columns(web, hurried):
    put(web, links="1\n")
    with pytest.raises(DamagedError, match="line 1: 1 columns instead of 2"):
        rows(open_source("tatoeba:eng-deu", network=hurried), Border())
