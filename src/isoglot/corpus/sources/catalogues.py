"""All gettext catalogues below a folder: those of an installed system, or of a project's source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from isoglot.corpus.formats.gettext import MESSAGES, catalogue_language, read_gettext, translates
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError


def find_catalogues(folder: Path) -> dict[Path, str]:
    """Return the catalogues whose name or folder tells a language, with its code; sources only when not compiled.

    Raises:
        RequestError: there is no such folder, or none in it.
    """
    if not folder.is_dir():
        raise RequestError(f"gettext:{folder} is not a folder.", "Write gettext:FOLDER.")
    compiled = sorted(folder.rglob("*.mo"))
    sources = sorted(set(folder.rglob("*.po")) - {path.with_suffix(".po") for path in compiled})
    found = {path: catalogue_language(path) for path in [*compiled, *sources]}
    known = {path: code for path, code in found.items() if code is not None}
    if not known:
        raise RequestError(
            f"{folder} has no catalogues such as de/LC_MESSAGES/name.mo.", "Give another folder."
        )
    return known


def read_catalogues(
    catalogues: Mapping[Path, str], corpus: str, border: Border, skipped: list[str]
) -> Iterator[Pair]:
    """Yield the pairs of all catalogues in wanted languages.

    A catalogue that cannot be read is passed over, since one odd file among thousands that others have written
    should not stop a build; `skipped` gets a sentence about each.
    """
    for path, code in catalogues.items():
        tag = border.tag(code, str(path))
        if translates(border, tag):
            try:
                yield from read_gettext(path, corpus, border, (MESSAGES, tag))
            except DamagedError as error:
                skipped.append(error.problem)
