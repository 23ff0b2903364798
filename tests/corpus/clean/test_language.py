"""The language filter: clear cases are dropped, relatives, short texts and unknown languages pass."""

import gzip
import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from isoglot.config import CleanConfig
from isoglot.corpus.clean.chain import batch_of
from isoglot.corpus.clean.language import accepted, is_checked, is_other, wrong_language
from isoglot.corpus.languages import parse
from isoglot.corpus.pair import Pair

ENGLISH = "The weather was so bad that we stayed at home all day."
GERMAN = "Das Wetter war so schlecht, dass wir den ganzen Tag zu Hause blieben."
FRENCH = "Il faisait si mauvais que nous sommes restés à la maison toute la journée."
CHINESE = "天气太糟糕了，我们一整天都待在家里。"


def dropped(rows, **options):
    """Which (source, target, target language) rows the filter drops."""
    pairs = [Pair(source, target, "en", tag, "made up") for source, target, tag in rows]
    alive = np.ones(len(pairs), np.bool_)
    return wrong_language(batch_of(pairs, "en", CleanConfig()), CleanConfig(**options), alive).tolist()


def test_a_side_in_another_language_is_dropped():
    rows = [
        (ENGLISH, GERMAN, "de"),
        (ENGLISH, FRENCH, "de"),
        (ENGLISH, FRENCH, "fr"),
        (GERMAN, GERMAN + " ", "de"),
        (ENGLISH, CHINESE, "zh-Hant"),
        (ENGLISH, ENGLISH + " Yes.", "zh-Hans"),
    ]
    assert dropped(rows) == [False, True, False, True, False, True]


def test_what_is_already_dropped_is_not_looked_at():
    pairs = [Pair(ENGLISH, FRENCH, "en", "de", "made up")] * 2
    alive = np.array([True, False])
    found = wrong_language(batch_of(pairs, "en", CleanConfig()), CleanConfig(), alive)
    assert found.tolist() == [True, False]


def test_a_language_that_the_identifier_does_not_know_passes():
    assert not is_checked("dtp")
    assert dropped([(ENGLISH, FRENCH, "dtp"), (ENGLISH, FRENCH, "x-eml")]) == [False, False]


@pytest.mark.parametrize("text", ["Mauvais temps.", "天气很糟糕", "x", ""])
def test_short_texts_pass(text):
    assert dropped([(ENGLISH, text, "de")]) == [False]


def test_the_shortest_text_is_an_option():
    short = "Il fait très mauvais"
    assert dropped([(ENGLISH, short, "de")], language_min_chars=20) == [True]
    assert dropped([(ENGLISH, short, "de")], language_min_chars=21) == [False]


def test_han_characters_count_as_three():
    assert dropped([(ENGLISH, CHINESE, "de")], language_min_chars=50) == [True]
    assert dropped([(ENGLISH, CHINESE, "de")], language_min_chars=51) == [False]


def test_the_probability_is_an_option_and_1_looks_at_nothing():
    half = ENGLISH[:22] + FRENCH[:26]
    found = [dropped([(ENGLISH, half, "de")], language_probability=p)[0] for p in (0.3, 0.99)]
    assert found == [True, False]
    assert dropped([(ENGLISH, FRENCH, "de")], language_probability=1.0) == [False]


@pytest.mark.parametrize(
    ("tag", "label"),
    [
        ("hr", "sr"),
        ("sh", "bs"),
        ("nb", "no"),
        ("nb", "da"),
        ("ms", "id"),
        ("cs", "sk"),
        ("cmn-Hans", "zh"),
        ("zh-Hant-HK", "yue"),
        ("pt-BR", "gl"),
        ("de-x-formal", "de"),
        ("swh", "sw"),
        ("pes", "fa"),
        ("uz-Cyrl", "uz"),
        ("be-tarask", "be"),
        ("de", "zxx"),
    ],
)
def test_the_language_itself_its_relatives_and_no_language_are_accepted(tag, label):
    assert label in accepted(tag)


@pytest.mark.parametrize(
    ("tag", "label"), [("cs", "pl"), ("sl", "sk"), ("nb", "en"), ("zh", "ja"), ("fr", "es")]
)
def test_other_languages_are_not(tag, label):
    assert label not in accepted(tag)


@pytest.mark.parametrize("tag", ["ug-Latn", "kk-Arab", "ar-Latn", "ms-Arab", "tt-Latn", "tg-Latn"])
def test_a_language_in_a_script_that_the_identifier_has_not_learnt_is_unchecked(tag):
    assert not is_checked(tag)


def test_every_label_in_the_table_exists():
    from isoglot.corpus.clean import identify, language

    named = {label for labels in language._LABELS.values() for label in labels.split()}
    assert named <= set(identify.model().labels)
    assert all(is_checked(tag) for tag in language._LABELS)


def test_texts_of_several_tags_at_once():
    texts = [GERMAN, FRENCH, GERMAN, FRENCH]
    found = is_other(texts, ["de", "fr"], np.array([0, 0, 1, 1]), 0.7)
    assert found.tolist() == [False, True, True, False]
    assert is_other([], ["de"], np.zeros(0, np.int64), 0.7).tolist() == []


@pytest.mark.parametrize("code", ["deu", "fra", "jpn", "rus", "srp_Latn"])
def test_real_rows_are_kept_and_untranslated_ones_found(code):
    if not (data := os.environ.get("ISOGLOT_DATA")):
        pytest.skip("ISOGLOT_DATA names no data folder")
    with gzip.open(Path(data, "parallel", "tatoeba", f"eng-{code}.tsv.gz"), "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t")[2:] for line in itertools.islice(lines, 1, 1501)]
    tag = parse(code)
    assert np.mean(dropped([(source, target, tag) for source, target in rows])) < 0.002
    long = [(source, source + " ", tag) for source, _ in rows if len(source) >= 20]
    assert np.mean(dropped(long)) > 0.8
