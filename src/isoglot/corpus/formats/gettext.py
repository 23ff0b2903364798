"""gettext catalogues: `.po` sources and compiled `.mo` files."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.names import Languages, language_in_name
from isoglot.corpus.languages import Border, is_code
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError

MESSAGES = "en"  # gettext's manual asks for messages in English
_SCRIPTS = {"latin": "Latn", "cyrillic": "Cyrl", "arabic": "Arab", "devanagari": "Deva"}


def read_gettext(
    path: File, corpus: str, border: Border, languages: Languages | None = None
) -> Iterator[Pair]:
    """Yield the finished entries of a catalogue; fuzzy, obsolete and untranslated ones are left out.

    The messages are English unless the URI or the header `X-Source-Language` says otherwise; the language of the
    translation comes from the URI, the header `Language`, the file name (`django.de.po`) or its folders
    (`de/LC_MESSAGES/django.mo`). Of plural entries the singular is paired with the first form and the plural with
    the last.

    Raises:
        RequestError: nothing says which language it is.
        DamagedError: it cannot be parsed.
    """
    catalogue = _parse(path)
    stated = locale_code(catalogue.metadata.get("X-Source-Language", "").strip())
    source_lang = border.tag(
        languages[0] if languages else stated if is_code(stated) else MESSAGES, str(path)
    )
    target_lang = border.tag(languages[1] if languages else _language(catalogue, path), str(path))
    for entry in catalogue.translated_entries():
        for source, target in _texts(entry):
            yield Pair(source, target, source_lang, target_lang, corpus)


def translates(border: Border, tag: str) -> bool:
    """Tell whether a catalogue in a language holds pairs that are wanted, read in one direction or the other."""
    if border.source_lang == MESSAGES:
        return border.wants(tag)
    return tag == border.source_lang and border.wants(MESSAGES)


def catalogue_language(path: PurePath | File) -> str | None:
    """Return the code in the name or the folders of a catalogue, or None: `pt_BR/LC_MESSAGES/ls.mo` -> `pt_BR`."""
    named = language_in_name(path)
    folders = [path.parent.parent.name] if path.parent.name == "LC_MESSAGES" else []
    return next(
        (code for code in map(locale_code, [*folders, *([named] if named else [])]) if is_code(code)), None
    )


def locale_code(locale: str) -> str:
    """Turn a locale into a code: `sr_RS.UTF-8@latin` -> `sr_Latn_RS`, `ca@valencia` -> `ca-valencia`."""
    name, _, modifier = locale.partition("@")
    language, separator, country = name.partition(".")[0].partition("_")
    if modifier in _SCRIPTS:
        return f"{language}_{_SCRIPTS[modifier]}{separator}{country}"
    return f"{language}{separator}{country}" + (f"-{modifier}" if modifier else "")


def _parse(path: File) -> Any:  # noqa: ANN401  polib is untyped
    import polib

    try:
        with path.open("rb") as file:
            data = file.read()
        if path.suffix == ".mo":
            _require_whole(data)
            return polib.mofile(data)
        # polib takes a text for the name of a file when there is one: an empty line makes it a text for sure
        return polib.pofile(
            str(path) if isinstance(path, Path) else "\n" + data.decode(polib.detect_encoding(data))
        )
    except (OSError, LookupError, ValueError, struct.error) as error:
        raise DamagedError(
            f"{path} is not a readable catalogue ({error}).", "Mend or fetch it again."
        ) from error


def _require_whole(data: bytes) -> None:
    """Check that every string lies inside a compiled catalogue, since polib takes a cut-off one for shorter texts.

    The layout is that of gettext's manual: magic, revision, number of strings, places of the two tables, each of
    (length, place) per string, and strings end in a zero byte. Strings that share bytes would unpack to a multiple
    of the file; no tool writes them.

    Raises:
        ValueError: it is cut off, or its strings overlap.
    """
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    strings, *tables = struct.unpack_from(f"{order}3I", data, 8)
    total = 0
    for table in tables:
        for length, place in struct.iter_unpack(f"{order}2I", data[table : table + 8 * strings]):
            if place + length >= len(data):
                raise ValueError(f"it is cut off at byte {len(data)}")
            total += length
    if total > len(data):
        raise ValueError(f"it has {len(data)} bytes and says it holds {total}")


def _language(catalogue: Any, path: File) -> str:  # noqa: ANN401  polib is untyped
    stated = locale_code(catalogue.metadata.get("Language", "").strip())
    found = stated if is_code(stated) else catalogue_language(path)
    if found is None:
        raise RequestError(f"{path} does not say which language it is in.", f"Write {path}#en-de.")
    return found


def _texts(entry: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  polib is untyped
    if (
        not entry.msgid_plural or not entry.msgstr_plural
    ):  # a plural without numbered forms translates the first
        yield entry.msgid, entry.msgstr
        return
    forms = [entry.msgstr_plural[place] for place in sorted(entry.msgstr_plural)]
    if len(forms) > 1:
        yield entry.msgid, forms[0]
    yield entry.msgid_plural, forms[-1]
