"""What is written into a corpus beside the texts: names of files and codes of languages that are no text."""

import os
from pathlib import Path

import polib
import pytest

from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.languages import is_code
from isoglot.corpus.source import open_source
from isoglot.errors import RequestError


def build_from(tmp_path, source):
    return build(CorpusConfig.model_validate({"sources": [source]}), tmp_path / "out")


def test_a_file_name_that_is_not_utf8_is_named(tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/t\xfcr.en-de.tsv")
    Path(name).write_text("one thing\teine Sache\n")
    with pytest.raises(RequestError, match=r"t\\udcfcr\.en-de\.tsv' has bytes that are not UTF-8"):
        build_from(tmp_path, name)


def test_a_catalogue_far_below_may_have_such_a_name(tmp_path):
    folder = tmp_path / "locale/de/LC_MESSAGES"
    folder.mkdir(parents=True)
    made = polib.POFile()
    made.append(polib.POEntry(msgid="One thing", msgstr="Eine Sache"))
    made.save_as_mofile(str(folder / "good.mo"))
    made.save_as_mofile(os.fsdecode(os.fsencode(folder) + b"/t\xfcr.mo"))
    corpus = build_from(tmp_path, f"gettext:{tmp_path}/locale")
    assert corpus.manifest.counts["read"] == 2


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.tsv", b"source_lang\ttarget_lang\tsource\ttarget\nen\tx-\xff\tone thing\teine Sache\n"),
        ("x.tsv", b"source_lang\ttarget_lang\tsource\ttarget\nen\tx-a b\tone thing\teine Sache\n"),
        ("x.jsonl", b'{"source":"a","target":"b","source_lang":"en","target_lang":"x-\\ud800"}'),
        ("x.jsonl", b'{"source":"a","target":"b","source_lang":"en","target_lang":"eml-\\ud800"}'),
        ("x.jsonl", b'{"translation":{"en":"a","de-\\ud800":"b"}}'),
        ("x.jsonl", b'{"translation":{"en":"a","\\ud800":"b"}}'),
        ("x.jsonl", b'{"en":"a","x-\\u0000":"b"}'),
        ("x.tmx", '<tmx><tu><tuv xml:lang="x-é"><seg>a</seg></tuv></tu></tmx>'.encode()),
        ("x.po", b'msgid ""\nmsgstr "Language: x-\\\\u00e9\\n"\n\nmsgid "a"\nmsgstr "b"\n'),
    ],
)
def test_a_code_that_is_no_code_is_a_wrong_request(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(
        RequestError, match=r"is not a language code|names no sentence pair|does not say which"
    ):
        build_from(tmp_path, str(tmp_path / name))


def test_a_code_of_tatoeba_that_is_no_code_is_named_with_its_line(tmp_path):
    (tmp_path / "sentences.csv").write_bytes(b"1\teng\tOne thing\n2\t\xff\xfe\tEine Sache\n")
    (tmp_path / "links.csv").write_bytes(b"1\t2\n2\t1\n")
    with pytest.raises(RequestError, match=r"sentences\.csv, line 2: .*is not a language code"):
        build_from(tmp_path, f"tatoeba:{tmp_path}")


@pytest.mark.parametrize(
    "code", ["x-\udcff", "x-é", "x-a b", "x-", "x", "x-123456789", "eml-\udcff", "de-é", ""]
)
def test_private_codes_are_letters_and_digits(code):
    assert not is_code(code)


def test_a_source_that_is_not_unicode_at_all():
    with pytest.raises(RequestError, match="not UTF-8"):
        open_source("opus:\udcff/de-en")
