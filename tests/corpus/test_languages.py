"""Codes at the border: canonical, never merged, the original code kept."""

import pytest

from isoglot.corpus.languages import Border, is_code, name, parse
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
]


@pytest.mark.parametrize(("code", "tag"), CANONICAL)
def test_codes_become_canonical_tags(code, tag):
    assert parse(code) == tag


@pytest.mark.parametrize("tag", sorted({tag for _, tag in CANONICAL}))
def test_canonical_tags_stay_as_they_are(tag):
    assert parse(tag) == tag


@pytest.mark.parametrize(("one", "other"), APART)
def test_languages_are_never_merged(one, other):
    assert parse(one) != parse(other)


@pytest.mark.parametrize(
    "code",
    ["xx1", "", "-", "x", "english language", "12", "de/at", "verylonglanguage", "de-verylongone", "d\udcfc"],
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
        ("x-eml", "x-eml"),
    ],
)
def test_names_for_display(tag, shown):
    assert name(tag) == shown


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
