"""A SOURCE text becomes something that yields sentence pairs: the one place that knows all formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from isoglot.artefact import digest_file
from isoglot.corpus.formats.table import languages_in_name, read_table
from isoglot.corpus.languages import Border, is_code
from isoglot.corpus.pair import Pair
from isoglot.corpus.sources.package import fetch_package, read_licence, read_package
from isoglot.errors import RequestError

_SCHEME = re.compile(r"([a-z][a-z0-9]+):")
_NEXT = "A SOURCE is a .tsv or .csv file (plain or .gz), or package:NAME==VERSION."


@dataclass(frozen=True)
class Source:
    """One input of a corpus.

    Attributes:
        text: the SOURCE as the user wrote it.
        corpus: its short name in the corpus, for example `tatoeba/eng-deu`.
        sha256: digest of the content.
        read: opens it and yields its pairs, in the order of the input.
        licence: licence expression; empty: not stated.
        attribution: a sentence naming the work; empty: not stated.
        licence_text: full text of the licence, when the source brings it.
    """

    text: str
    corpus: str
    sha256: str
    read: Callable[[Border], Iterator[Pair]]
    licence: str = ""
    attribution: str = ""
    licence_text: str = ""


def open_source(text: str) -> Source:
    """Find out what a SOURCE is; nothing is read yet but its digest.

    Raises:
        RequestError: there is no such file, or no reader for it.
        IsoglotError: a package cannot be fetched.
    """
    scheme = _SCHEME.match(text)
    if scheme is None or Path(text).exists():
        return _open_file(text)
    rest = text[scheme.end() :]
    match scheme[1]:
        case "package":
            return _open_package(text, rest)
        case _:
            raise RequestError(f"{text}: isoglot has no reader for {scheme[1]}: sources.", _NEXT)


def _open_file(text: str) -> Source:
    path, languages = _split_languages(text)
    if path.is_dir():
        raise RequestError(
            f"{path} is a folder, not a source.", f"Name the files in it, such as {path}/*.tsv.gz."
        )
    if not path.is_file():
        raise RequestError(f"There is no file {path}.", _NEXT)
    corpus = _short_name(path)
    match _format(path):
        case "tsv" | "csv" | "txt":
            read = partial(_read_table, path, corpus, languages or languages_in_name(path))
        case unknown:
            raise RequestError(f"{path}: isoglot has no reader for .{unknown} files.", _NEXT)
    return Source(text, corpus, digest_file(path), read)


def _open_package(text: str, requirement: str) -> Source:
    path = fetch_package(requirement)
    corpus = requirement.partition("==")[0].strip().lower()
    said = read_licence(path)
    return Source(
        text,
        corpus,
        digest_file(path),
        partial(read_package, path, corpus),
        said.name,
        said.attribution,
        said.text,
    )


def _read_table(path: Path, corpus: str, languages: tuple[str, str] | None, border: Border) -> Iterator[Pair]:
    return read_table(path, corpus, border, languages)


def _split_languages(text: str) -> tuple[Path, tuple[str, str] | None]:
    """Take the languages off `pairs.tsv#en-de`; a file whose name has a `#` stays as it is."""
    before, mark, after = text.rpartition("#")
    if not mark or Path(text).exists():
        return Path(text), None
    source, dash, target = after.partition("-")
    if not dash or not is_code(source) or not is_code(target):
        raise RequestError(f"{text}: {after!r} does not name two languages.", f"Write {before}#en-de.")
    return Path(before), (source, target)


def _format(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return name.rpartition(".")[2] if "." in name else ""


def _short_name(path: Path) -> str:
    """Folder and stem: `data/tatoeba/eng-deu.tsv.gz` -> `tatoeba/eng-deu`."""
    stem = re.sub(r"\.(?:tsv|csv|txt)?(?:\.gz)?$", "", path.name.rstrip("."))
    return f"{path.parent.name}/{stem}" if path.parent.name else stem
