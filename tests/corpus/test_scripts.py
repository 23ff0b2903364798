"""Scripts of characters, against an independent table, and of languages."""

import gzip
import itertools
import os
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import regex

from isoglot.corpus.languages import parse
from isoglot.corpus.scripts import SCRIPT_NAMES, expected_scripts, script_codes, script_of, usual_script

# names that say a script, while Unicode lets several scripts share the character
SHARED = {"ARABIC", "DEVANAGARI", "GREEK", "JAVANESE", "KATAKANA", "COPTIC"}
# letters of one script that Unicode names without it; here they belong to all
NAMELESS = {"MODIFIER", "COMBINING", "SUPERSCRIPT", "TURNED", "VIETNAMESE", "OHM", "ROMAN", "OLD"}


def name_of(number):
    words = unicodedata.name(chr(number), "?").split()
    return words[1 if words[0] in ("HALFWIDTH", "FULLWIDTH") else 0]


def letters_and_marks():
    return [number for number in range(0x110000) if unicodedata.category(chr(number))[0] in "LM"]


def test_every_letter_and_mark_has_the_script_of_the_unicode_property():
    table, codes = script_of(), script_codes()
    patterns = {code: regex.compile(rf"\p{{Script={code}}}") for code in codes[1:]}
    shared = regex.compile(r"[\p{Script=Zyyy}\p{Script=Zinh}]")
    wrong, without, several = [], [], 0
    for number in letters_and_marks():
        code = codes[table[number]]
        if code and not patterns[code].match(chr(number)):
            several += bool(shared.match(chr(number)))
            if not (shared.match(chr(number)) and name_of(number) in SHARED):
                wrong.append((hex(number), code))
        elif not code and not shared.match(chr(number)) and name_of(number) not in NAMELESS:
            without.append((hex(number), unicodedata.name(chr(number), "?")))
    assert (wrong, without) == ([], [])
    assert several < 30


def test_digits_punctuation_and_spaces_belong_to_all_scripts():
    table = script_of()
    assert not any(table[ord(character)] for character in "0123456789.,;!? \n١٢०१€+–「」。")
    assert script_codes()[table[0x1D800]] == "Sgnw"  # SignWriting is made of symbols


def test_the_table_is_small_and_built_quickly():
    script_of.cache_clear()
    start = time.process_time()
    table = script_of()
    assert time.process_time() - start < 0.5
    assert (table.shape, table.dtype) == ((0x110000,), np.uint8)
    assert table.max() < len(script_codes()) == len(set(SCRIPT_NAMES.values())) + 1


@pytest.mark.parametrize(
    ("tag", "scripts"),
    [
        ("de", "Latn"),
        ("ru", "Cyrl"),
        ("zh", "Hani"),
        ("zh-Hans", "Hani"),
        ("cmn-Hant", "Hani"),
        ("yue", "Hani"),
        ("ja", "Hani Hira Kana"),
        ("ko", "Hang Hani"),
        ("ko-KP", "Hang Hani"),
        ("sr", "Cyrl Latn"),
        ("sr-Latn", "Latn"),
        ("pa", "Arab Guru"),
        ("pnb", "Arab"),
        ("kk", "Arab Cyrl Latn"),
        ("nan-Latn-x-pehoeji", "Latn"),
        ("de-x-formal", "Latn"),
        ("isv-Cyrl", "Cyrl"),
        ("ur", "Arab"),
        ("am", "Ethi"),
        ("jv-Java", "Java"),
        ("mni", "Beng Mtei"),
    ],
)
def test_the_scripts_of_a_language(tag, scripts):
    assert expected_scripts(tag) == frozenset(scripts.split())


@pytest.mark.parametrize("tag", ["ase", "x-eml", "und", "und-x-013", "qaa"])
def test_unknown_scripts_are_not_guessed(tag):
    assert expected_scripts(tag) is None


@pytest.mark.parametrize(("tag", "scripts"), [("und-Cyrl", "Cyrl"), ("x-eml", None)])
def test_a_script_in_the_tag_is_enough(tag, scripts):
    assert expected_scripts(tag) == (scripts and frozenset({scripts}))


def test_every_expected_script_can_be_told_from_the_characters():
    from isoglot.corpus import scripts

    known = set(script_codes())
    named = set().union(*scripts._SEVERAL.values(), *scripts._TOGETHER.values())
    assert named <= known


@pytest.mark.parametrize(
    ("language", "script"), [("ceb", "Latn"), ("sr", None), ("zh", "Hani"), ("qaa", None)]
)
def test_the_usual_script(language, script):
    assert usual_script(language) == script


def main_script(path):
    """The script of most letters of the first targets."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        text = "".join(line.split("\t")[3] for line in itertools.islice(lines, 1, 201))
    counts = np.bincount(script_of()[np.frombuffer(text.encode("utf-32-le"), np.uint32)])
    return script_codes()[counts[1:].argmax() + 1]


def test_the_corpora_are_in_the_scripts_expected_of_them():
    if not (data := os.environ.get("ISOGLOT_DATA")):
        pytest.skip("ISOGLOT_DATA names no data folder")
    other, looked_at = {}, 0
    for path in sorted(Path(data, "parallel").glob("*/eng-*.tsv.gz")):
        code = path.name.removeprefix("eng-").removesuffix(".tsv.gz")
        expected = expected_scripts(parse(code))
        if expected is not None:
            looked_at += 1
            if (found := main_script(path)) not in expected:
                other[f"{path.parent.name}/{code}"] = found
    # most messages of MediaWiki in Nuosu are still in Chinese
    assert other == {"mediawiki/iii": "Hani"}
    assert looked_at > 700
