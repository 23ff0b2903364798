"""XLIFF 1.2 and 2.0, translation jobs: one source and one target language per file."""

from __future__ import annotations

from collections.abc import Iterator

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.names import Languages, source_among
from isoglot.corpus.formats.xml import LANG, Element, child, local_name, stream, text_of
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError

# states of a target that nobody has translated yet: XLIFF 1.2 and 2.0
_UNFINISHED = {"new", "needs-translation", "needs-l10n", "needs-adaptation", "initial"}


def read_xliff(path: File, corpus: str, border: Border, languages: Languages | None = None) -> Iterator[Pair]:
    """Yield the translated segments of an XLIFF file; those without a target or not yet translated are left out.

    A regional form of the source language (`en-US` for `en`) is the source language. What stands for something else
    in the text (`x`, `ph`) becomes its `equiv-text` or `{id}`, so that the filter "placeholder" sees it; formatting
    tags go and their text stays.

    Raises:
        RequestError: nothing says which languages they are.
        DamagedError: it is not well-formed or cut off.
    """
    source_lang = target_lang = ""
    starts = frozenset({"xliff", "file"})
    for element in stream(path, starts, frozenset({"trans-unit", "segment"})):
        if local_name(element) in starts:
            source_lang = element.get("source-language") or element.get("srcLang") or source_lang
            target_lang = element.get("target-language") or element.get("trgLang") or target_lang
            continue
        source, target = child(element, "source"), child(element, "target")
        if source is None or target is None or _is_unfinished(element, target):
            continue
        codes = languages or (source.get(LANG) or source_lang, target.get(LANG) or target_lang)
        if not all(codes):
            raise RequestError(f"{path} does not name its two languages.", f"Write {path}#en-de.")
        tags = [border.tag(code, str(path)) for code in codes]
        found = source_among(tags, border)
        tags = [border.source_lang if tag == found else tag for tag in tags]
        yield Pair(text_of(source, _inline), text_of(target, _inline), tags[0], tags[1], corpus)


def _is_unfinished(segment: Element, target: Element) -> bool:
    return (target.get("state") or segment.get("state") or "") in _UNFINISHED or segment.get(
        "translate"
    ) == "no"


def _inline(element: Element) -> str:
    match local_name(element):
        case "g" | "pc" | "mrk":
            return text_of(element, _inline)
        case "x":
            return element.get("equiv-text") or f"{{{element.get('id', '')}}}"
        case "ph":
            return element.text or element.get("equiv") or f"{{{element.get('id', '')}}}"
        case "it":
            return element.text or ""
        case "cp":
            return _character(element.get("hex", ""))
        case _:
            return ""


def _character(code: str) -> str:
    """A character that XML cannot hold, written as `<cp hex="001A"/>`."""
    try:
        return chr(int(code, 16))
    except (ValueError, OverflowError) as error:
        raise DamagedError(f"<cp hex={code!r}/> is no character.", "Mend the file.") from error
