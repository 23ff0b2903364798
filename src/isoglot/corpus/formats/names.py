"""What names say: languages in file names, and the fields or columns of a sentence pair."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import PurePath

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.packed import plain_name
from isoglot.corpus.languages import Border, is_code
from isoglot.errors import RequestError

Languages = tuple[str, str]  # codes of the source and the target side

_CODE = r"[A-Za-z]{2,3}(?:[_-](?:[A-Za-z]{4}|[A-Z]{2}))?"
_REGION = re.compile(r"[A-Z]{2}|[0-9]{3}")
_ALIASES = {
    "src": "source", "source_sentence": "source", "sentence1": "source", "english": "source",
    "tgt": "target", "target_sentence": "target", "sentence2": "target", "non_english": "target",
    "src_lang": "source_lang", "source_language": "source_lang",
    "tgt_lang": "target_lang", "target_language": "target_lang",
}  # fmt: skip
_PAIR = re.compile(rf"(?:^|[^A-Za-z])({_CODE})-({_CODE})$")


def languages_in_name(path: File) -> Languages | None:
    """Return the two codes in a name such as `x.en-de.tsv`, `eng-deu.tsv.gz` or `x.en-de.translation.jsonl`."""
    parts = path.name.split(".")
    for last in range(len(parts), 0, -1):
        match = _PAIR.search(".".join(parts[:last]))
        if match is not None and all(is_code(code) for code in match.groups()):
            return match[1], match[2]
    return None


def language_in_name(path: PurePath | File) -> str | None:
    """Return the one code that ends a name such as `train.en`, `x.eng-ita.ita.txt.gz` or `django.de.po`."""
    plain = path.name[: len(plain_name(path))]
    for part in reversed(plain.split(".")):
        if part.lower() not in ("txt", "po", "mo", "snt") and is_code(part):
            return part
    return None


def require_unicode(text: str) -> None:
    """Check that the name of a source is text, because a corpus records it.

    Raises:
        RequestError: a file name has other bytes, which Python gives as lone surrogates.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(
            f"{text!r} has bytes that are not UTF-8, or this locale does not know UTF-8.",
            "Rename it, since a corpus records the names of its sources, or set LC_ALL=C.UTF-8.",
        ) from error


def require_languages(languages: Languages | None, path: File, what: str) -> Languages:
    """Return the languages from the URI or else from the file name.

    Raises:
        RequestError: neither names them.
    """
    found = languages or languages_in_name(path)
    if found is None:
        raise RequestError(
            f"{path} has {what} and nothing says which languages they are.",
            f"Write {path}#en-de, or name the file like {path.stem.split('.')[0]}.en-de.{path.name.partition('.')[2]}.",
        )
    return found


def field_names(fields: Sequence[str]) -> list[str]:
    """Return the fields or column heads in lower case, with other names of `source`, `target` and so on replaced."""
    return [_ALIASES.get(field.strip().lower(), field.strip().lower()) for field in fields]


def language_fields(fields: Sequence[str]) -> list[int]:
    """Return the positions of the fields that are language codes.

    `key` is an identifier, not Kupia, and so is a first `id` before two or more languages, not Indonesian.
    """
    places = [
        place for place, field in enumerate(fields) if field.strip().lower() != "key" and is_code(field)
    ]
    if len(places) > 2 and places[0] == 0 and fields[0].strip().lower() == "id":
        return places[1:]
    return places


def source_among(tags: Collection[str], border: Border) -> str | None:
    """Return the tag that is the source language or else a regional form of it (`en-US` for `en`); None: neither.

    Translation tools nearly always write the region of the language they translate from, and mean nothing by it.
    """
    if border.source_lang in tags:
        return border.source_lang
    forms = (tag for tag in tags if tag.rpartition("-")[0] == border.source_lang)
    return next((tag for tag in forms if _REGION.fullmatch(tag.rpartition("-")[2])), None)


def short_name(path: File) -> str:
    """Folder and stem: `data/tatoeba/eng-deu.tsv.gz` -> `tatoeba/eng-deu`."""
    plain = path.name[: len(plain_name(path))]
    stem = plain.rpartition(".")[0] or plain
    return f"{path.parent.name}/{stem}" if path.parent.name else stem
