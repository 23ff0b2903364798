"""Languages that file names state."""

from pathlib import Path

import pytest

from isoglot.corpus.formats.names import (
    language_fields,
    language_in_name,
    languages_in_name,
    require_languages,
)
from isoglot.errors import RequestError


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("x.en-de.tsv", ("en", "de")),
        ("eng-deu.tsv.gz", ("eng", "deu")),
        ("eng-zho_Hans.tsv.gz", ("eng", "zho_Hans")),
        ("News_v2.en-pt_BR.tsv", ("en", "pt_BR")),
        ("x.eng-jpn.translation.jsonl", ("eng", "jpn")),
        ("en-de.parquet", ("en", "de")),
        ("pairs.tsv", None),
        ("my-pairs.tsv", None),
        ("eng-xx1.tsv", None),
    ],
)
def test_two_languages(name, codes):
    assert languages_in_name(Path(name)) == codes


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("train.en", "en"),
        ("x.eng-ita.ita.txt", "ita"),
        ("x.eng-ita.ita.txt.gz", "ita"),
        ("django.pt_BR.po", "pt_BR"),
        ("de.mo", "de"),
        ("train.txt", None),
        ("12.xx1", None),
    ],
)
def test_one_language(name, code):
    assert language_in_name(Path(name)) == code


def test_what_the_user_says_wins():
    assert require_languages(("fr", "nl"), Path("x.en-de.tsv"), "") == ("fr", "nl")


def test_a_missing_name_says_how_to_give_one():
    with pytest.raises(
        RequestError, match=r"Write pairs\.tsv#en-de, or name the file like pairs\.en-de\.tsv"
    ):
        require_languages(None, Path("pairs.tsv"), "two columns")


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        (["en", "de"], [0, 1]),
        (["en", "id"], [0, 1]),
        (["id", "en"], [0, 1]),
        (["id", "en", "de"], [1, 2]),
        (["de", "en", "id"], [0, 1, 2]),
        (["key", "en", "de"], [1, 2]),
        (["text", "label"], []),
    ],
)
def test_language_fields(fields, places):
    assert language_fields(fields) == places
