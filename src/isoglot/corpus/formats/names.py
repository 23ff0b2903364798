"""Languages that a file name states."""

from __future__ import annotations

import re
from pathlib import Path

from isoglot.corpus.formats.packed import plain_name
from isoglot.corpus.languages import is_code
from isoglot.errors import RequestError

Languages = tuple[str, str]  # codes of the source and the target side

_CODE = r"[A-Za-z]{2,3}(?:[_-](?:[A-Za-z]{4}|[A-Z]{2}))?"
_PAIR = re.compile(rf"(?:^|[^A-Za-z])({_CODE})-({_CODE})$")


def languages_in_name(path: Path) -> Languages | None:
    """Return the two codes in a name such as `x.en-de.tsv`, `eng-deu.tsv.gz` or `x.en-de.translation.jsonl`."""
    parts = path.name.split(".")
    for last in range(len(parts), 0, -1):
        match = _PAIR.search(".".join(parts[:last]))
        if match is not None and all(is_code(code) for code in match.groups()):
            return match[1], match[2]
    return None


def language_in_name(path: Path) -> str | None:
    """Return the one code that ends a name such as `train.en`, `x.eng-ita.ita.txt.gz` or `django.de.po`."""
    plain = path.name[: len(plain_name(path))]
    for part in reversed(plain.split(".")):
        if part.lower() not in ("txt", "po", "mo", "snt") and is_code(part):
            return part
    return None


def require_languages(languages: Languages | None, path: Path, what: str) -> Languages:
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
