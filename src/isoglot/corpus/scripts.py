"""In which scripts a language is written, and which script a character belongs to (ISO 15924 codes)."""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
from numpy.typing import NDArray

# the first one or two words of a character's Unicode name -> script; a name may begin with a width
SCRIPT_NAMES = {
    name: code
    for line in """
    Adlm ADLAM · Aghb CAUCASIAN ALBANIAN · Ahom AHOM · Arab ARABIC · Armi IMPERIAL ARAMAIC · Armn ARMENIAN
    Avst AVESTAN · Bali BALINESE · Bamu BAMUM · Bass BASSA VAH · Batk BATAK · Beng BENGALI · Bhks BHAIKSUKI
    Bopo BOPOMOFO · Brah BRAHMI · Bugi BUGINESE · Buhd BUHID · Cakm CHAKMA · Cans CANADIAN SYLLABICS
    Cari CARIAN · Cham CHAM · Cher CHEROKEE · Chrs CHORASMIAN · Copt COPTIC · Cpmn CYPRO-MINOAN · Cprt CYPRIOT
    Cyrl CYRILLIC · Deva DEVANAGARI · Diak DIVES AKURU · Dogr DOGRA · Dsrt DESERET · Dupl DUPLOYAN
    Egyp EGYPTIAN HIEROGLYPH · Elba ELBASAN · Elym ELYMAIC · Ethi ETHIOPIC · Geor GEORGIAN · Glag GLAGOLITIC
    Gong GUNJALA GONDI · Gonm MASARAM GONDI · Goth GOTHIC · Gran GRANTHA · Grek GREEK · Gujr GUJARATI
    Guru GURMUKHI · Hang HANGUL · Hani CJK UNIFIED · Hani CJK COMPATIBILITY · Hani IDEOGRAPHIC ITERATION
    Hani VERTICAL IDEOGRAPHIC · Hano HANUNOO · Hatr HATRAN · Hebr HEBREW · Hira HIRAGANA · Hira HENTAIGANA
    Hluw ANATOLIAN HIEROGLYPH · Hmng PAHAWH HMONG · Hmnp NYIAKENG PUACHUE · Hung OLD HUNGARIAN
    Ital OLD ITALIC · Java JAVANESE · Kali KAYAH LI · Kana KATAKANA · Kawi KAWI · Khar KHAROSHTHI · Khmr KHMER
    Khoj KHOJKI · Kits KHITAN SMALL · Knda KANNADA · Kthi KAITHI · Lana TAI THAM · Laoo LAO · Latn LATIN
    Latn FEMININE ORDINAL · Latn MASCULINE ORDINAL · Latn KELVIN SIGN · Latn ANGSTROM SIGN · Lepc LEPCHA
    Limb LIMBU · Lina LINEAR A · Linb LINEAR B · Lisu LISU · Lyci LYCIAN · Lydi LYDIAN · Mahj MAHAJANI
    Maka MAKASAR · Mand MANDAIC · Mani MANICHAEAN · Marc MARCHEN · Medf MEDEFAIDRIN · Mend MENDE KIKAKUI
    Merc MEROITIC CURSIVE · Mero MEROITIC HIEROGLYPHIC · Mlym MALAYALAM · Modi MODI · Mong MONGOLIAN · Mroo MRO
    Mtei MEETEI MAYEK · Mult MULTANI · Mymr MYANMAR · Nagm NAG MUNDARI · Nand NANDINAGARI
    Narb OLD NORTH · Nbat NABATAEAN · Newa NEWA · Nkoo NKO · Nshu NUSHU · Ogam OGHAM · Olck OL CHIKI
    Orkh OLD TURKIC · Orya ORIYA · Osge OSAGE · Osma OSMANYA · Ougr OLD UYGHUR · Palm PALMYRENE · Pauc PAU CIN
    Perm OLD PERMIC · Phag PHAGS-PA · Phli INSCRIPTIONAL PAHLAVI · Phlp PSALTER PAHLAVI · Phnx PHOENICIAN
    Plrd MIAO · Prti INSCRIPTIONAL PARTHIAN · Rjng REJANG · Rohg HANIFI ROHINGYA · Runr RUNIC · Samr SAMARITAN
    Sarb OLD SOUTH · Saur SAURASHTRA · Sgnw SIGNWRITING · Shaw SHAVIAN · Shrd SHARADA · Sidd SIDDHAM
    Sind KHUDAWADI · Sinh SINHALA · Sogd SOGDIAN · Sogo OLD SOGDIAN · Sora SORA SOMPENG · Soyo SOYOMBO
    Sund SUNDANESE · Sylo SYLOTI NAGRI · Syrc SYRIAC · Tagb TAGBANWA · Takr TAKRI · Tale TAI LE
    Talu NEW TAI · Taml TAMIL · Tang TANGUT · Tavt TAI VIET · Telu TELUGU · Tfng TIFINAGH · Tglg TAGALOG
    Thaa THAANA · Thai THAI · Tibt TIBETAN · Tirh TIRHUTA · Tnsa TANGSA · Toto TOTO · Ugar UGARITIC · Vaii VAI
    Vith VITHKUQI · Wara WARANG CITI · Wcho WANCHO · Xpeo OLD PERSIAN · Xsux CUNEIFORM · Yezi YEZIDI · Yiii YI
    Zanb ZANABAZAR SQUARE
    """.strip().splitlines()
    for code, _, name in (entry.strip().partition(" ") for entry in line.split("·"))
}
"""Beginning of a Unicode character name -> ISO 15924 code of the script."""

# script subtags that stand for several scripts, or for a style of one
_TOGETHER = {
    "Hans": {"Hani"},
    "Hant": {"Hani"},
    "Hanb": {"Hani", "Bopo"},
    "Hrkt": {"Hira", "Kana"},
    "Jpan": {"Hani", "Hira", "Kana"},
    "Kore": {"Hang", "Hani"},
    "Aran": {"Arab"},
    "Cyrs": {"Cyrl"},
    "Geok": {"Geor"},
    "Jamo": {"Hang"},
    "Latf": {"Latn"},
    "Latg": {"Latn"},
    "Syre": {"Syrc"},
    "Syrj": {"Syrc"},
    "Syrn": {"Syrc"},
}
# languages that are found in several scripts, so that a tag without a script says none of them
_SEVERAL = {
    language: frozenset(scripts.split())
    for scripts, languages in {
        "Latn Cyrl": "bs crh gag isv jdt kaa krl kum lfn mo mol rmy rmc rom ruq sh sr tly uz uzn",
        "Latn Cyrl Arab": "az kk ku kmr ky tg tk tt ug uzs",
        "Latn Arab": "ace aeb arq ary azb bal bcc bgn bjn brh chg ha knc kr min ms ota zlm",
        "Latn Arab Tfng": "ber rif shi shy",
        "Latn Tfng": "kab taq thv tmh tzm zgh",
        "Latn Deva": "hif pi sa",
        "Latn Deva Knda": "gom kok",
        "Latn Hebr": "lad",
        "Latn Geor": "lzz",
        "Latn Syrc": "tru",
        "Latn Hani": "cdo cpx hak nan za",
        "Latn Cans": "cr ike iu oj ojb",
        "Latn Nkoo": "bm",
        "Latn Adlm Arab": "ff fuc fuv",
        "Latn Mong": "mnc",
        "Cyrl Mong": "bua bxr khk mn",
        "Cyrl Latn Mong": "evn",
        "Cyrl Glag": "cu",
        "Latn Bali": "ban",
        "Latn Batk": "bbc btm",
        "Latn Bugi": "bug",
        "Latn Java Arab": "jv",
        "Latn Sund": "su",
        "Latn Kana Cyrl": "ain",
        "Latn Orkh": "otk",
        "Latn Vaii": "vai",
        "Latn Hmng": "hnj mww",
        "Latn Dupl": "chn",
        "Latn Deva Olck Beng Orya": "sat",
        "Latn Deva Wara Orya": "hoc",
        "Arab Deva": "ks sd skr",
        "Arab Guru": "pa",
        "Arab Thaa": "dv",
        "Beng Cakm": "ccp",
        "Beng Mtei": "mni",
        "Beng Sylo": "syl",
        "Lana Thai": "nod tts",
        "Hani Hira Kana": "ryu",
        "Hebr Syrc": "arc oar tmr jpa",
    }.items()
    for language in languages.split()
}  # fmt: skip
# of these no script is the usual one: corpora with the bare code hold either
_EITHER = {
    "aeb", "ber", "cdo", "cpx", "crh", "gom", "hak", "hif", "hoc", "ike", "isv", "iu", "kaa", "kok", "ks",
    "ku", "kr", "knc", "lad", "lfn", "mnc", "mni", "mo", "nan", "nod", "otk", "ota", "pi", "rif", "rmc",
    "rmy", "rom", "ruq", "sh", "shi", "shy", "sr", "taq", "tly", "tmh", "tru", "tt", "tzm", "uz", "uzn",
    "uzs",
}  # fmt: skip
# languages for which CLDR names no script, or the one of inscriptions
_USUAL = {
    language: script
    for script, languages in {
        "Latn": (
            "aae abs acf acu afh aig als ami ang arl ast avk ayr azj bcl bdr bol bzt cbk cbr chy"
            " cjk cpu dik din diq dws ekk enm fat fkv frm fro gaz gcf gpe hea hke hlt hms hrx hus"
            " ie igl kbr kek kmr kng ktu kzj ldn liv lld lus lvs map max mrh mui mwl nah nch ngu"
            " nhn nia nlv nov non nrm nst nyo nys olo osp osx pih plt ppl prg pwn quy quz qvm qya"
            " rmn roa rup sje slr sro swh szy tay tji tlh tok tpw tw tzl udu wal wlx xsy zsm ztu"
        ),
        "Cyrl": "ckt dlg dng gld khk kjh kpv mhr nog orv rsk rut sjd sty xal",
        "Arab": "acm acq afb ajp arb arq ars ary azb bcc bgn brh chg pbt pes pnb prs",
        "Deva": "anp bh npi",
        "Mymr": "blk kjp ksw rki",
        "Armn": "hyw",
        "Grek": "grc",
        "Hebr": "ydd",
        "Orya": "ory",
        "Syrc": "aii syc",
        "Telu": "nit",
    }.items()
    for language in languages.split()
}  # fmt: skip
# signed: written in SignWriting, its ASCII codes or glosses
_UNCHECKED = {"ase", "sgn", "und"}
_SINITIC = {"zh", "cmn", "cjy", "gan", "hsn", "lzh", "wuu", "yue"}

# letters and marks of some large blocks, named by number or not at all
_BLOCKS = {
    "Hani": [(0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x2FA20), (0x30000, 0x31350)],
    "Hang": [(0xAC00, 0xD7A4)],
    "Tang": [(0x17000, 0x187F8), (0x18D00, 0x18D09)],
    "Kits": [(0x18B00, 0x18CD6)],
    "Nshu": [(0x1B170, 0x1B2FC)],
}
_NAMED = (range(0x3400), range(0x4DC0, 0x4E00), range(0xA000, 0xAC00), range(0xD7B0, 0x20000))


def expected_scripts(tag: str) -> frozenset[str] | None:
    """Return the scripts that a language is written in, or None when that is not known.

    A script in the tag decides; else a table of languages with several scripts, else the likely script of CLDR.

    Args:
        tag: canonical tag, as `isoglot.corpus.languages.parse` returns it.
    """
    language = tag.split("-")[0]
    script = script_subtag(tag)
    if script is None and language in _SEVERAL:
        return _SEVERAL[language]
    script = script or usual_script(language)
    return None if script is None else frozenset(_TOGETHER.get(script, {script}))


def script_subtag(tag: str) -> str | None:
    """Return the script that a canonical tag names, or None: `zh-Hant-HK` -> `Hant`."""
    subtags = [] if tag.startswith("x-") else tag.split("-x-")[0].split("-")[1:]
    return next((subtag for subtag in subtags if len(subtag) == 4 and subtag.isalpha()), None)


def usual_script(language: str) -> str | None:
    """Return the script that a language (without subtags) is in unless the tag says otherwise.

    None: several are as usual, or it is not known. `Kore` and `Jpan` are scripts here too.
    """
    from langcodes.data_dicts import LIKELY_SUBTAGS

    if language in _SINITIC:
        return "Hani"
    if language in _EITHER or language in _UNCHECKED:
        return None
    return _USUAL.get(language) or script_subtag(LIKELY_SUBTAGS.get(language, ""))


@functools.cache
def script_codes() -> tuple[str, ...]:
    """Return the codes that `script_of` counts: place 0 is no script, or one that several scripts share."""
    return ("", *sorted(set(SCRIPT_NAMES.values())))


@functools.cache
def script_of() -> NDArray[np.uint8]:
    """Return the script of each code point: uint8 [0x110000], places in `script_codes()`.

    Only letters and marks have one; digits, punctuation and symbols (SignWriting's aside) belong to all scripts.
    """
    numbers = {code: number for number, code in enumerate(script_codes())}
    table = np.zeros(0x110000, np.uint8)
    for span in _NAMED:
        table[span.start : span.stop] = np.fromiter(
            (_script(chr(c), numbers) for c in span), np.uint8, len(span)
        )
    for code, blocks in _BLOCKS.items():
        for first, behind in blocks:
            table[first:behind] = numbers[code]
    return table


def _script(character: str, numbers: dict[str, int]) -> int:
    if unicodedata.category(character)[0] not in "LMS":
        return 0
    words = unicodedata.name(character, "").split()
    if words and words[0] in ("FULLWIDTH", "HALFWIDTH"):
        del words[0]
    code = SCRIPT_NAMES.get(" ".join(words[:2])) or SCRIPT_NAMES.get(words[0] if words else "")
    if code is None or (code != "Sgnw" and unicodedata.category(character)[0] == "S"):
        return 0
    return numbers[code]
