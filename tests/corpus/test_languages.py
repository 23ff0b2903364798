"""Codes at the border: canonical, never merged, the original code kept."""

import os
from pathlib import Path

import hypothesis.strategies as st
import langcodes
import pytest
from hypothesis import given
from tests.corpus.codes import TAGS

from isoglot.corpus.languages import Border, is_code, name, parse, script
from isoglot.errors import RequestError

CANONICAL = [
    ("de", "de"),
    ("deu", "de"),
    ("ger", "de"),
    ("DEU", "de"),
    (" deu ", "de"),
    ("zh-Hans", "zh-Hans"),
    ("zh_Hans", "zh-Hans"),
    ("zho_Hans", "zh-Hans"),
    ("chi-hant", "zh-Hant"),
    ("srp_Latn", "sr-Latn"),
    ("ja-Jpan", "ja"),
    ("cbk", "cbk"),
    ("ber", "ber"),
    ("por-BR", "pt-BR"),
    ("EN-us", "en-US"),
    ("es-419", "es-419"),
    ("iw", "he"),
    ("hbs", "sh"),
    ("tok", "tok"),
    ("isv_Cyrl", "isv-Cyrl"),
    ("zh-yue", "yue"),
    ("zh-min-nan", "nan"),
    ("roa-tara", "roa-x-tara"),
    ("deu-formal", "de-x-formal"),
    ("map-bms", "map-x-bms"),
    ("nan_Latn-pehoeji", "nan-Latn-x-pehoeji"),
    ("de-x-formal", "de-x-formal"),
    ("und-022", "und-x-022"),
    ("und-013", "und-x-013"),
    ("ceb_Latn", "ceb"),
    ("kor_Hang", "ko"),
    ("tgk_Cyrl", "tg"),
    ("srp_Cyrl", "sr-Cyrl"),
    ("zh_cn", "zh-Hans"),
    ("zh-Hans-CN", "zh-Hans"),
    ("zh-TW", "zh-Hant"),
    ("zh_HK", "zh-Hant-HK"),
    ("zh-Hans-HK", "zh-Hans-HK"),
    ("cmn_Hans_CN", "cmn-Hans"),
    ("sr-ec", "sr-Cyrl"),
    ("no-bok", "nb"),
    ("be-x-old", "be-tarask"),
    ("simple", "en-simple"),
    ("toki", "tok"),
    ("ze_en", "x-ze-en"),
    ("eml", "x-eml"),
    ("x-eml", "x-eml"),
]

# a macrolanguage or an old name on the left, what a careless table would merge it with on the right
APART = [
    ("cmn", "zho"),
    ("swh", "swa"),
    ("lvs", "lav"),
    ("zsm", "msa"),
    ("pes", "fas"),
    ("nob", "nor"),
    ("ydd", "yid"),
    ("hbs", "srp_Latn"),
    ("tgl", "fil"),
    ("prs", "fas"),
    ("cnr", "srp"),
    ("swc", "swh"),
    ("mo", "ron"),
    ("kzj", "dtp"),
    ("twi", "aka"),
    ("yue", "zho"),
    ("arb", "ara"),
    ("pt_BR", "pt"),
    ("pt_BR", "pt_PT"),
    ("de_DE", "de"),
    ("srp", "srp_Cyrl"),
    ("uzb", "uzb_Latn"),
    ("ace_Arab", "ace_Latn"),
    ("zh", "zh_CN"),
    ("zh_TW", "zh_HK"),
    ("zh_cn", "cmn_Hans"),
    ("ze_en", "ze_zh"),
]


@pytest.mark.parametrize(("code", "tag"), CANONICAL)
def test_codes_become_canonical_tags(code, tag):
    assert parse(code) == tag


@pytest.mark.parametrize("tag", sorted({tag for _, tag in CANONICAL}))
def test_canonical_tags_stay_as_they_are(tag):
    assert parse(tag) == tag


SUBTAGS = [
    "de", "deu", "zh", "cmn", "sr", "und", "x", "ar", "apc", "nan", "en", "zho", "Hans", "Hant", "Latn",
    "Cyrl", "Hani", "Kore", "ko", "ja", "CN", "TW", "HK", "BR", "419", "013", "valencia", "tarask",
    "1901", "pehoeji", "formal", "u", "co", "t", "a", "simple", "ec", "el", "yue", "mo", "sh", "hbs",
    "iw", "1", "ab12345", "Qaaa", "art", "lojban", "i", "klingon",
]  # fmt: skip


@given(st.lists(st.sampled_from(SUBTAGS), min_size=1, max_size=5), st.sampled_from("-_"))
def test_whatever_is_accepted_becomes_a_tag_that_stays(subtags, separator):
    code = separator.join(subtags)
    if is_code(code):
        tag = parse(code)
        assert parse(tag) == tag
        assert name(tag)
        assert script(tag) is None or len(script(tag)) == 4


@pytest.mark.parametrize(("one", "other"), APART)
def test_languages_are_never_merged(one, other):
    assert parse(one) != parse(other)


@pytest.mark.parametrize(
    "code",
    [
        "xx1",
        "",
        "-",
        "x",
        "english language",
        "12",
        "419",
        "de/at",
        "verylonglanguage",
        "de-verylongone",
        "d\udcfc",
    ],
)
def test_an_unknown_code_is_refused(code):
    assert not is_code(code)
    with pytest.raises(RequestError, match="is not a language code"):
        parse(code)


@pytest.mark.parametrize(
    ("code", "near"), [("german", "de"), ("Deutsch", "de"), ("french", "fr"), ("xh2", "xh")]
)
def test_an_unknown_code_names_near_ones(code, near):
    with pytest.raises(RequestError, match=f"Did you mean .*{near}"):
        parse(code)


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("de", "German"),
        ("zh-Hans", "Chinese (Simplified)"),
        ("de-x-formal", "German, formal"),
        ("x-eml", "Emiliano-Romagnolo"),
        ("x-something", "x-something"),
        ("isv-Cyrl", "Interslavic (Cyrillic)"),
        ("be-tarask", "Belarusian, tarask"),
    ],
)
def test_names_for_display(tag, shown):
    assert name(tag) == shown


def test_every_code_of_the_published_lists_has_its_tag():
    assert len(TAGS) > 1250
    assert len(set(TAGS.values())) > 800
    assert {code: parse(code) for code in TAGS} == TAGS


def test_the_tags_of_the_published_lists_are_canonical_and_named_apart():
    tags = sorted(set(TAGS.values()))
    assert [tag for tag in tags if parse(tag) != tag] == []
    names = [name(tag) for tag in tags]
    assert len(set(names)) == len(names)
    assert [tag for tag, shown in zip(tags, names, strict=True) if "[" in shown or not shown] == []


def test_three_letter_codes_keep_their_language():
    """Checked against the ISO 639-3 codes that langcodes has for the tags."""
    iso = {code: tag for code, tag in TAGS.items() if len(code.partition("_")[0]) == 3 and "-" not in code}
    own = {"eml", "isv", "rsk", "tok"}  # retired, or younger than langcodes
    found = {
        code: langcodes.get(tag.partition("-x-")[0], normalize=False).to_alpha3()
        for code, tag in iso.items()
        if code.partition("_")[0] not in own
    }
    other = {code: three for code, three in found.items() if three != code.partition("_")[0]}
    assert other == {}
    assert len(found) > 700


def test_the_codes_of_the_data_are_in_the_list():
    if not (data := os.environ.get("ISOGLOT_DATA")):
        pytest.skip("ISOGLOT_DATA names no data folder")
    folders = [*Path(data, "parallel").iterdir(), Path(data, "eval", "tatoeba-v1")]
    codes = {
        path.name.split(".")[0].removeprefix("eng-") for folder in folders for path in folder.glob("*.tsv.gz")
    }
    assert len(codes) > 500
    assert codes - set(TAGS) == set()


@pytest.mark.parametrize(
    ("tag", "written"),
    [("de", "Latn"), ("zh-Hant", "Hant"), ("ja", "Jpan"), ("sr", None), ("sr-Latn", "Latn"), ("x-eml", None)],
)
def test_the_script_for_display(tag, written):
    assert script(tag) == written


def test_the_border_keeps_the_codes_the_data_used():
    border = Border("eng", ["deu", "zho_Hans"])
    tags = [border.tag(code, "line 1") for code in ("deu", "de", "zho_Hans", "roa-tara")]
    assert tags == ["de", "de", "zh-Hans", "roa-x-tara"]
    assert border.given == {"de": {"deu", "de"}, "zh-Hans": {"zho_Hans"}, "roa-x-tara": {"roa-tara"}}


def test_the_border_says_where_a_code_is_wrong():
    with pytest.raises(RequestError, match=r"pairs\.tsv, line 7: 'xx1'"):
        Border().tag("xx1", "pairs.tsv, line 7")


def test_the_border_wants_all_or_what_was_asked_for():
    assert Border("en").wants("de")
    assert not Border("en").wants("en")
    assert Border("en", ["deu"]).wants("de")
    assert not Border("en", ["deu"]).wants("fr")
