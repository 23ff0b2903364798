"""TMX 1.4, translation memories: one unit holds a segment in each of several languages."""

from __future__ import annotations

from collections.abc import Iterator

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.names import Languages, source_among
from isoglot.corpus.formats.xml import LANG, Element, child, local_name, stream, text_of
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError


def read_tmx(path: File, corpus: str, border: Border, languages: Languages | None = None) -> Iterator[Pair]:
    """Yield the pairs of a TMX file, one per unit and language beside the source language.

    A regional form of the source language (`EN-US` for `en`) is the source language where a unit has no other.
    A unit without the source language pairs its first language with the others, so that it is counted. Of several
    segments in one language the first is taken. Text of `hi` stays; codes of paired formatting (`bpt`, `ept`) go;
    other codes (`ph`, `it`, `ut`) stay, so that the filter "placeholder" sees them.

    Raises:
        DamagedError: it is not well-formed, cut off, or a segment has no language.
    """
    for number, unit in enumerate(stream(path, frozenset(), frozenset({"tu"})), start=1):
        texts = _segments(unit, f"{path}, unit {number}", border)
        found = source_among(texts, border)
        first = found or next(iter(texts), "")
        for tag, text in texts.items():
            if tag != first:
                yield Pair(texts[first], text, border.source_lang if found else first, tag, corpus)


def _segments(unit: Element, where: str, border: Border) -> dict[str, str]:
    texts: dict[str, str] = {}
    for variant in unit:
        if local_name(variant) != "tuv":
            continue
        code = variant.get(LANG) or variant.get("lang")
        if not code:
            raise DamagedError(f"{where}: a tuv has no xml:lang.", "Mend or remove that unit.")
        segment = child(variant, "seg")
        if segment is not None:
            texts.setdefault(border.tag(code, where), text_of(segment, _inline))
    return texts


def _inline(element: Element) -> str:
    match local_name(element):
        case "hi":
            return text_of(element, _inline)
        case "ph" | "it" | "ut":
            return element.text or ""  # without the footnotes (`sub`) inside
        case _:
            return ""
