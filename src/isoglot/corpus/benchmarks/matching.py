"""Which languages of a corpus a test set's language stands for: a table, because codes differ between sets.

`parse` keeps a macrolanguage and its members apart (`zh` and `cmn`), and no corpus is changed here. But a test set
that says `cmn` tests the Chinese that another set calls `zh`. Only a macrolanguage and the one member that texts
under its code are written in are in the table; where members are equals (Bosnian, Croatian and Serbian under `sh`,
the Quechuas under `qu`), nothing stands for another.
"""

from __future__ import annotations

from isoglot.corpus.scripts import script_subtag, usual_script

# macrolanguage, or another code of the same language, -> its standard member
STANDARD_MEMBER = {
    "ar": "arb",  # Arabic: Modern Standard
    "ay": "ayr",  # Aymara: Central
    "az": "azj",  # Azerbaijani: North; azb, South, is written in another script
    "et": "ekk",  # Estonian: Standard; vro is Voro
    "fa": "pes",  # Persian: Iranian; prs is Dari
    "gn": "gug",  # Guarani: Paraguayan
    "kr": "knc",  # Kanuri: Central
    "ku": "kmr",  # Kurdish: Northern; ckb is Central
    "kzj": "dtp",  # Coastal Kadazan was retired into Central Dusun
    "lv": "lvs",  # Latvian: Standard; ltg is Latgalian
    "mg": "plt",  # Malagasy: Plateau
    "mn": "khk",  # Mongolian: Halh
    "ms": "zsm",  # Malay: Standard
    "ne": "npi",  # Nepali
    "no": "nb",  # Norwegian: Bokmal; nn is Nynorsk
    "om": "gaz",  # Oromo: West Central
    "or": "ory",  # Odia
    "ps": "pbt",  # Pashto: Southern
    "sq": "als",  # Albanian: Tosk
    "sw": "swh",  # Swahili; swc is Congo Swahili
    "fil": "tl",  # Filipino is standardised Tagalog
    "uz": "uzn",  # Uzbek: Northern
    "yi": "ydd",  # Yiddish: Eastern
    "zh": "cmn",  # Chinese: Mandarin; yue, wuu, nan, ... are languages of their own
}


def matches(test: str, corpus: str) -> bool:
    """Tell whether text tagged `corpus` is in the language that a test set calls `test`; both are canonical tags.

    Languages are equal, or one is the other's standard member by `STANDARD_MEMBER`. A tag without a script stands
    for the usual one, or where there is none (`sr`, `zh`) for every script of its language; two different scripts
    never match (`zh-Hans`, `zh-Hant`); region and private use (`pt-BR`, `de-x-formal`) are kinds of one language.
    """
    if test == corpus:
        return True
    test_language, test_script = _parts(test)
    corpus_language, corpus_script = _parts(corpus)
    scripts = {test_script, corpus_script} - {""}
    return test_language == corpus_language and len(scripts) < 2


def _parts(tag: str) -> tuple[str, str]:
    """The language, as its standard member, and the script of a tag; a private tag is a language of its own."""
    if tag.startswith("x-"):
        return tag, ""
    language = tag.split("-")[0]
    said = script_subtag(tag) or usual_script(language)
    return STANDARD_MEMBER.get(language, language), "" if said is None or said == "Hani" else said
