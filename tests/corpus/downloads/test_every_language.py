"""`tatoeba:eng-*` and `opus:CORPUS/en-*`: all languages that a server offers."""

import bz2
import io
import json
import zipfile

import pytest

from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import IsoglotError, RequestError

ENGLISH = "1\teng\tThe door is open.\n6\teng\tA house.\n9\teng\tNobody's.\n"
OTHERS = {
    "deu": ("2\tdeu\tDie Tür ist offen.\n3\tdeu\tEin Haus.\n", "1\t2\n6\t3\n"),
    "toki": ("4\ttoki\ttomo.\n", "6\t4\n"),
}


def put_tatoeba(web, page=None):
    links = "".join(f'<a href="eng-{code}_links.tsv.bz2">eng-{code}_links.tsv.bz2</a>\n' for code in OTHERS)
    listed = '<a href="../">..</a><a href="eng_sentences.tsv.bz2">x</a>' + links if page is None else page
    web.put("/eng/", listed.encode())
    web.put("/eng/eng_sentences.tsv.bz2", bz2.compress(ENGLISH.encode()))
    for code, (sentences, linked) in OTHERS.items():
        web.put(f"/{code}/{code}_sentences.tsv.bz2", bz2.compress(sentences.encode()))
        web.put(f"/eng/eng-{code}_links.tsv.bz2", bz2.compress(linked.encode()))


def rows(source, border):
    return [pair[:4] for pair in source.read(border)]


def test_a_language_of_tatoeba_with_all_that_it_is_linked_with(web, hurried):
    put_tatoeba(web)
    source = open_source("tatoeba:eng-*", network=hurried)
    assert rows(source, Border()) == [
        ("The door is open.", "Die Tür ist offen.", "en", "de"),
        ("A house.", "Ein Haus.", "en", "de"),
        ("A house.", "tomo.", "en", "tok"),
    ]
    assert source.licence == "CC BY 2.0 FR"
    asked = len(web.log)
    assert asked == 2 + 2 * len(OTHERS)  # the page, English, and two files of each other language
    assert open_source("tatoeba:eng-*", network=hurried).sha256 == source.sha256
    assert len(web.log) == asked


def test_only_languages_that_are_wanted_are_read(web, hurried):
    put_tatoeba(web)
    source = open_source("tatoeba:eng-*", network=hurried)
    assert [row[3] for row in rows(source, Border(languages=["tok"]))] == ["tok"]


def test_a_page_without_links_is_no_corpus(web, hurried):
    put_tatoeba(web, page="<html>Soon back.</html>")
    with pytest.raises(RequestError, match="lists no links"):
        open_source("tatoeba:eng-*", network=hurried)


def test_a_star_needs_a_language(web, hurried):
    with pytest.raises(RequestError, match="names no language before"):
        open_source("tatoeba:*-*", network=hurried)


def put_opus(web, codes, texts):
    web.put("/opusapi/", json.dumps({"languages": codes}).encode())
    for code, text in texts.items():
        pair = "-".join(sorted(("en", code)))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as zipped:
            zipped.writestr(f"Toy.{pair}.en", "The door is open.\nA red house waits.\n")
            zipped.writestr(f"Toy.{pair}.{code}", text)
        web.put(f"/OPUS-Toy/v1/moses/{pair}.txt.zip", packed.getvalue())


GERMAN, BRAZILIAN = (
    "Die Tür ist offen.\nEin rotes Haus wartet.\n",
    "A porta está aberta.\nUma casa vermelha espera.\n",
)


def corpus(folder, network, **options):
    shares = {"dev_percent": 0.0, "test_percent": 0.0, "download": network}
    return build(CorpusConfig(sources=("opus:Toy/v1/en-*",), **shares, **options), folder)


def test_a_corpus_of_opus_in_every_language_that_it_has(web, hurried, tmp_path):
    put_opus(web, ["de", "pt_br", "en", "q1"], {"de": GERMAN, "pt_br": BRAZILIAN})
    made = corpus(tmp_path / "corpus", hurried)
    assert made.languages == ("de", "pt-BR")
    assert sorted(made.manifest.inputs) == ["opus:Toy/v1/en-de", "opus:Toy/v1/en-pt_br"]
    query = "languages=True&corpus=Toy&source=en"
    assert web.log[0].path == f"/opusapi/?{query}"
    asked = len(web.log)
    corpus(tmp_path / "again", hurried)
    assert len(web.log) == asked


def test_languages_that_nobody_asked_for_are_not_downloaded(web, hurried, tmp_path):
    put_opus(web, ["de", "pt_br"], {"de": GERMAN})
    assert corpus(tmp_path / "corpus", hurried, languages=("de",)).languages == ("de",)
    assert not web.asked("/OPUS-Toy/v1/moses/en-pt_br.txt.zip")


def test_none_of_the_languages_is_there(web, hurried, tmp_path):
    put_opus(web, ["de"], {"de": GERMAN})
    with pytest.raises(RequestError, match="none of the languages asked for"):
        corpus(tmp_path / "corpus", hurried, languages=("fr",))


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (b'{"languages": []}', RequestError, "no such corpus in that language"),
        (b"<html>", IsoglotError, "no answer of OPUS's index"),
        (b'{"corpora": []}', IsoglotError, "no answer of OPUS's index"),
    ],
)
def test_an_answer_of_the_index_that_is_none(web, hurried, tmp_path, answer, error, said):
    web.put("/opusapi/", answer)
    with pytest.raises(error, match=said):
        corpus(tmp_path / "corpus", hurried)
