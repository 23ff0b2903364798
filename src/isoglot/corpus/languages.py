"""Language codes become canonical tags here, once, at the border.

Canonical means BCP 47 (RFC 5646): the shortest ISO 639 code, `-` between subtags, script only when it says more than
the language does (`ceb_Latn` -> `ceb`, but `sr-Latn`). langcodes parses and validates; its alias table is not applied,
because CLDR's aliases merge languages (`hbs` -> `sr-Latn`, `tgl` -> `fil`, `prs` -> `fa-AF`), and a merge is the
user's decision. In Chinese a region is another way to write the script: `zh_CN` is `zh-Hans`, `zh_TW` is `zh-Hant`,
`zh_HK` is `zh-Hant-HK`. Other regions are kept: `pt_BR` is not `pt`, and `de_DE` is not `de`.
"""

from __future__ import annotations

import difflib
import functools
from collections import defaultdict
from collections.abc import Iterable

from isoglot.corpus.scripts import script_subtag, usual_script
from isoglot.errors import RequestError

# withdrawn ISO 639-1 codes that were only renamed, still written by old software; hbs is the macrolanguage sh
_RENAMED = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "hbs": "sh"}
# languages before which the standard allows the code of a member (`zh-yue`), which then stands alone (`yue`)
_WITH_MEMBERS = {"ar", "kok", "lv", "ms", "sgn", "sw", "uz", "zh"}
# in ISO 639-3, but younger than langcodes' copy of the registry
_YOUNGER = {"isv", "rsk", "tok"}
# no tag of today's standards: retired without one successor
_RETIRED = {"eml": "x-eml"}
# whole codes, in lower case with `-`
_WHOLE = {
    # tags from before BCP 47, and what RFC 5646 has in their place
    "art-lojban": "jbo",
    "i-hak": "hak",
    "i-klingon": "tlh",
    "i-lux": "lb",
    "i-navajo": "nv",
    "no-bok": "nb",
    "no-nb": "nb",
    "no-nyn": "nn",
    "zh-guoyu": "cmn",
    "zh-hakka": "hak",
    "zh-min-nan": "nan",
    "zh-xiang": "hsn",
    # MediaWiki's own (its `als`, which is `gsw` elsewhere, and `nrm` are codes of other languages: not mended here)
    "bat-smg": "sgs",
    "be-x-old": "be-tarask",
    "fiu-vro": "vro",
    "roa-rup": "rup",
    "simple": "en-simple",
    "sr-ec": "sr-Cyrl",
    "sr-el": "sr-Latn",
    "zh-classical": "lzh",
    # Tatoeba's own
    "toki": "tok",
    "cycl": "x-cycl",
    # OPUS: subtitles in two languages at once; codes of CCAligned that no standard knows
    "ze-en": "x-ze-en",
    "ze-zh": "x-ze-zh",
    **{code: f"x-{code}" for code in ("cb", "cx", "ns", "qa", "qd", "sz", "tz", "zz")},
}
_CHINESE = {"zh", "cmn"}
_SCRIPT_OF_REGION = {"CN": "Hans", "MY": "Hans", "SG": "Hans", "HK": "Hant", "MO": "Hant", "TW": "Hant"}
_REGION_OF_SCRIPT = {"Hans": "CN", "Hant": "TW"}
# names that langcodes does not know
_NAMES = {
    "cnr": "Montenegrin",
    "isv": "Interslavic",
    "rsk": "Pannonian Rusyn",
    "tok": "Toki Pona",
    "x-cycl": "CycL",
    "x-eml": "Emiliano-Romagnolo",
    "x-ze-en": "Chinese and English, English lines",
    "x-ze-zh": "Chinese and English, Chinese lines",
}


def parse(code: str) -> str:
    """Return the canonical tag of a language code.

    BCP 47 and ISO 639-3 are read, with `-` or `_`: `deu` -> `de`, `zho_Hans` -> `zh-Hans`. A macrolanguage
    and its members stay apart (`cmn` and `zh`, `swh` and `sw`). Subtags that no standard knows become private
    use: `roa-tara` -> `roa-x-tara`, `deu-formal` -> `de-x-formal`.

    Raises:
        RequestError: no such language; near ones are named.
    """
    tag = _canonical_or_none(code)
    if tag is None:
        raise RequestError(f"{code!r} is not a language code isoglot knows.", _suggestion(code))
    return tag


def is_code(text: str) -> bool:
    """Tell whether `parse` accepts a text."""
    return _canonical_or_none(text) is not None


@functools.lru_cache(4096)
def _canonical_or_none(code: str) -> str | None:
    plain = code.strip().replace("_", "-")
    language, *rest = _WHOLE.get(plain.lower(), plain).split("-")
    language = language.lower()
    if any(len(part) > 8 or not part.isascii() or not part.isalnum() for part in rest):
        return None
    if language in _RETIRED:
        return "-".join([_RETIRED[language], *(part.lower() for part in rest)])
    if language == "x" and rest:
        return "-".join([language, *rest]).lower()
    language = _shortest(language)
    if language in _WITH_MEMBERS and rest and len(rest[0]) == 3 and _exists(rest[0].lower()):
        language, *rest = _shortest(rest[0].lower()), *rest[1:]
    return _canonical(language, rest) if _exists(language) else None


def name(tag: str) -> str:
    """English name of a canonical tag, for display: `zh-Hans` -> `Chinese (Simplified)`."""
    import langcodes

    if tag in _NAMES or tag.startswith("x-"):
        return _NAMES.get(tag, tag)
    standard, _, private = tag.partition("-x-")
    parts = langcodes.Language.get(standard, normalize=False)
    if parts.language in _NAMES:
        # any language with a name shows how the other subtags read
        shown = (
            parts.update_dict({"language": "sr"}).display_name().replace("Serbian", _NAMES[parts.language])
        )
    else:
        shown = parts.display_name()
    shown = standard if shown.startswith("Unknown language [") else shown
    return ", ".join([shown, *(parts.variants or ()), *([private] if private else ())])


def script(tag: str) -> str | None:
    """Return the script (ISO 15924) that a canonical tag names, or the usual one, or None when none can be told.

    `zh-Hant` -> `Hant`, `de` -> `Latn`, `ja` -> `Jpan`; None for `sr`, which is written in two.
    """
    return script_subtag(tag) or usual_script(tag.split("-")[0])


class Border:
    """Which pairs are wanted, and where codes in the data become tags.

    Args:
        source_lang: code of the language every pair must have on one side.
        languages: codes of the target languages to keep; empty: all.

    Attributes:
        source_lang: its canonical tag.
        wanted: canonical tags; empty: all.
        given: canonical tag -> the codes the data used for it.
    """

    def __init__(self, source_lang: str = "en", languages: Iterable[str] = ()) -> None:
        self.source_lang = parse(source_lang)
        self.wanted = frozenset(parse(code) for code in languages)
        self.given: dict[str, set[str]] = defaultdict(set)
        self._known: dict[str, str] = {}

    def tag(self, code: str, where: object, line: int | None = None) -> str:
        """Return the canonical tag of a code met in the data; `where` and `line` name the place in errors."""
        known = self._known.get(code)
        if known is None:
            try:
                known = parse(code)
            except RequestError as error:
                place = where if line is None else f"{where}, line {line}"
                raise RequestError(f"{place}: {error.problem}", error.next_step) from error
            self._known[code] = known
            self.given[known].add(code)
        return known

    def wants(self, tag: str) -> bool:
        """Tell whether a target language was asked for."""
        return tag != self.source_lang and (not self.wanted or tag in self.wanted)


def _canonical(language: str, rest: list[str]) -> str:
    """Join the parts that the standards know and put the others behind `-x-`."""
    at = next((place for place, part in enumerate(rest) if part.lower() == "x"), len(rest))
    standard, private = [language], list[str]()
    for part in rest[:at]:
        # three letters after a language would be read as another language: `map-bms` is not Bilma Kanuri;
        # and a number after `und` is nobody's region
        stands = not (len(part) == 3 and (part.isalpha() or language == "und"))
        if stands and _is_valid("-".join([*standard, part])):
            standard.append(part)
        else:
            private.append(part.lower())
    private += [part.lower() for part in rest[at + 1 :]]
    tag = _shortened("-".join(standard)) if len(standard) > 1 else language
    return "-".join([tag, "x", *private]) if private else tag


def _shortened(tag: str) -> str:
    """Leave out the script that goes without saying; let Chinese regions say the script."""
    import langcodes

    parts = langcodes.Language.get(tag, normalize=False)
    written, region = parts.script, parts.territory
    if parts.language in _CHINESE:
        said = None if written == "Hani" else written
        written = said or _SCRIPT_OF_REGION.get(region or "") or written
        region = None if region == _REGION_OF_SCRIPT.get(written or "") else region
    if (parts.language, written) == ("ko", "Hang") or written == usual_script(parts.language):
        written = None
    return str(parts.update_dict({"script": written, "territory": region}).simplify_script().to_tag())


def _is_valid(tag: str) -> bool:
    import langcodes

    if tag.split("-")[0] in _YOUNGER:
        tag = "-".join(["und", *tag.split("-")[1:]])
    try:
        return bool(langcodes.Language.get(tag, normalize=False).is_valid())
    except langcodes.LanguageTagError:
        return False


def _exists(language: str) -> bool:
    from langcodes.data_dicts import LANGUAGE_REPLACEMENTS

    if not (2 <= len(language) <= 3 and language.isalpha()):
        return False
    # langcodes calls a code invalid that CLDR replaces by another, such as prs; it is a language all the same
    return language in _YOUNGER or language in LANGUAGE_REPLACEMENTS or _is_valid(language)


def _shortest(language: str) -> str:
    language = _RENAMED.get(language, language)
    return _two_letter_codes().get(language, language)


@functools.cache
def _two_letter_codes() -> dict[str, str]:
    """Three-letter code, terminological or bibliographic (`deu`, `ger`), -> two-letter code."""
    from langcodes.data_dicts import LANGUAGE_ALPHA3, LANGUAGE_ALPHA3_BIBLIOGRAPHIC

    tables = (LANGUAGE_ALPHA3_BIBLIOGRAPHIC, LANGUAGE_ALPHA3)
    return {
        three: two
        for table in tables
        for two, three in table.items()
        if len(two) == 2 and two not in _RENAMED
    }


def _suggestion(code: str) -> str:
    import langcodes

    try:
        return f"Did you mean {parse(langcodes.find(code).to_tag())}?"
    except (LookupError, UnicodeEncodeError):
        near = difflib.get_close_matches(code.lower(), sorted(_two_letter_codes().values()), n=3, cutoff=0.5)
        near = near or difflib.get_close_matches(code.lower(), sorted(_two_letter_codes()), n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        return f"{hint}Give a BCP 47 or ISO 639-3 code, such as de, deu or zh-Hans."
