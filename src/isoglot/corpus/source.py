"""A SOURCE text becomes something that yields sentence pairs: the one place that knows all formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from isoglot.artefact import digest_file, digest_json
from isoglot.corpus.formats.gettext import catalogue_language, read_gettext
from isoglot.corpus.formats.kinds import reader_of
from isoglot.corpus.formats.moses import read_moses
from isoglot.corpus.formats.names import Languages
from isoglot.corpus.formats.packed import plain_name
from isoglot.corpus.languages import Border, is_code
from isoglot.corpus.pair import Pair
from isoglot.corpus.sources.package import fetch_package, read_licence, read_package
from isoglot.corpus.sources.tatoeba import export_files, read_tatoeba
from isoglot.errors import RequestError

_SCHEME = re.compile(r"([a-z][a-z0-9]+):")
_NEXT = (
    "A SOURCE is a file (.tsv, .csv, .jsonl, .parquet, .tmx, .xlf, .po, .mo, OPUS .xml; text may be .gz, .bz2, .xz"
    " or .zst), moses:A.en,B.de, gettext:FOLDER, tatoeba:FOLDER or package:NAME==VERSION."
)


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
        case "moses":
            return _open_moses(text, rest)
        case "gettext":
            return _open_catalogues(text, Path(rest))
        case "tatoeba":
            return _open_tatoeba(text, Path(rest))
        case _:
            raise RequestError(f"{text}: isoglot has no reader for {scheme[1]}: sources.", _NEXT)


def _open_file(text: str) -> Source:
    path, languages = _split_languages(text)
    if path.is_dir():
        raise RequestError(
            f"{path} is a folder, not a source.",
            f"Name the files in it, or write gettext:{path} for its catalogues.",
        )
    _require_file(path)
    corpus = short_name(path)
    reader, others = reader_of(path)
    return Source(
        text, corpus, _digest([path, *others]), lambda border: reader(path, corpus, border, languages)
    )


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


def _open_moses(text: str, rest: str) -> Source:
    names, languages = _split_languages(rest)
    paths = [Path(name) for name in str(names).split(",")]
    if len(paths) != 2:
        raise RequestError(f"{text} does not name two files.", "Write moses:train.en,train.de.")
    source, target = paths
    _require_file(source)
    _require_file(target)
    corpus = short_name(source)
    return Source(
        text, corpus, _digest(paths), lambda border: read_moses(source, target, corpus, border, languages)
    )


def _open_catalogues(text: str, folder: Path) -> Source:
    """All compiled catalogues below a folder such as /usr/share/locale; those of no known language are left out."""
    if not folder.is_dir():
        raise RequestError(f"{text}: {folder} is not a folder.", "Write gettext:FOLDER.")
    found = {path: catalogue_language(path) for path in sorted(folder.rglob("*.mo"))}
    paths = [path for path, language in found.items() if language is not None]
    if not paths:
        raise RequestError(
            f"{folder} has no catalogues such as de/LC_MESSAGES/name.mo.", "Give another folder."
        )

    def read(border: Border) -> Iterator[Pair]:
        for path in paths:
            tag = border.tag(str(found[path]), str(path))
            if border.wants(tag):
                yield from read_gettext(path, folder.name, border, (border.source_lang, tag))

    return Source(text, folder.name, _digest(paths), read)


def _open_tatoeba(text: str, folder: Path) -> Source:
    if not folder.is_dir():
        raise RequestError(f"{text}: {folder} is not a folder.", "Write tatoeba:FOLDER of an export.")
    return Source(text, "tatoeba", _digest(export_files(folder)), partial(read_tatoeba, folder, "tatoeba"))


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise RequestError(f"There is no file {path}.", _NEXT)


def _digest(paths: Sequence[Path]) -> str:
    """Digest of one file, or of the digests of several with their names."""
    if len(paths) == 1:
        return digest_file(paths[0])
    return digest_json([[path.name, digest_file(path)] for path in paths])


def _split_languages(text: str) -> tuple[Path, Languages | None]:
    """Take the languages off `pairs.tsv#en-de`; a file whose name has a `#` stays as it is."""
    before, mark, after = text.rpartition("#")
    if not mark or Path(text).exists():
        return Path(text), None
    source, dash, target = after.partition("-")
    if not dash or not is_code(source) or not is_code(target):
        raise RequestError(f"{text}: {after!r} does not name two languages.", f"Write {before}#en-de.")
    return Path(before), (source, target)


def short_name(path: Path) -> str:
    """Folder and stem: `data/tatoeba/eng-deu.tsv.gz` -> `tatoeba/eng-deu`."""
    plain = path.name[: len(plain_name(path))]
    stem = plain.rpartition(".")[0] or plain
    return f"{path.parent.name}/{stem}" if path.parent.name else stem
