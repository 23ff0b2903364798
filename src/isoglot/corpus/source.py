"""A SOURCE text becomes something that yields sentence pairs: the one place that knows all formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from isoglot.artefact import digest_file, digest_json
from isoglot.config import DownloadConfig, ReadConfig
from isoglot.corpus.formats.archive import Member, archive_name, require_member, split_member
from isoglot.corpus.formats.bundle import open_bundle, read_bundle, read_terms
from isoglot.corpus.formats.kinds import Reader, kind_of, reader_of
from isoglot.corpus.formats.moses import read_moses
from isoglot.corpus.formats.names import Languages, require_unicode, short_name
from isoglot.corpus.formats.tree import find_trees, read_tree_folder, read_tree_pair
from isoglot.corpus.formats.wordlist import read_muse, read_wikititles
from isoglot.corpus.languages import Border, is_code
from isoglot.corpus.pair import Pair
from isoglot.corpus.sources import catalogues, hf, opus, package, tatoeba
from isoglot.corpus.sources.licence import Licence
from isoglot.errors import DamagedError, RequestError
from isoglot.progress import SILENT, Progress

_SCHEME = re.compile(r"([a-z][a-z0-9]+):")
_NEXT = (
    "A SOURCE is a file (.tsv, .csv, .jsonl, .parquet, .tmx, .xlf, .po, .mo, OPUS .xml; text may be .gz, .bz2, .xz"
    " or .zst), an archive (FILE.zip, .whl, .deb, .tar; FILE.zip:MEMBER), moses:A.en,B.de, json:en.json,de.json,"
    " muse:FILE, wikititles:FILE, gettext:FOLDER, tatoeba:FOLDER, tatoeba:eng-deu or eng-*, opus:CORPUS/de-en"
    " or en-*,"
    " hf:ORG/NAME/CONFIG or package:NAME==VERSION."
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
        skipped: filled while reading: a sentence about each part that was passed over because it is damaged.
    """

    text: str
    corpus: str
    sha256: str
    read: Callable[[Border], Iterator[Pair]]
    licence: str = ""
    attribution: str = ""
    licence_text: str = ""
    skipped: list[str] = field(default_factory=list)


def open_source(
    text: str,
    read: ReadConfig = ReadConfig(),  # noqa: B008  frozen
    network: DownloadConfig = DownloadConfig(),  # noqa: B008  frozen
    progress: Progress = SILENT,
) -> Source:
    """Find out what a SOURCE is; nothing is read yet but its digest.

    Args:
        text: the SOURCE.
        read: how files are read.
        network: where downloads come from, and which digest a SOURCE must have.
        progress: shows downloads.

    Raises:
        RequestError: there is no such file, or no reader for it.
        DamagedError: it has another digest than the one that was asked for.
        IsoglotError: something cannot be downloaded.
    """
    require_unicode(text)
    source = _open(text, read, network, progress)
    wanted = network.sha256.get(text, source.sha256)
    if source.sha256 != wanted.lower():
        raise DamagedError(
            f"{text} has sha256 {source.sha256} instead of {wanted}, which corpus.download.sha256 asks for.",
            "Fetch it again from its publisher, or correct the option.",
        )
    return source


def _open(text: str, read: ReadConfig, network: DownloadConfig, progress: Progress) -> Source:
    scheme = _SCHEME.match(text)
    if scheme is None or Path(text).exists():
        return _open_file(text, read)
    rest = text[scheme.end() :]
    match scheme[1]:
        case "moses":
            return _open_moses(text, rest, read)
        case "json":
            return _open_json(text, rest)
        case "muse" | "wikititles":
            return _open_words(text, rest, read_muse if scheme[1] == "muse" else read_wikititles)
        case "gettext":
            return _open_catalogues(text, Path(rest))
        case kind:
            return _open_published(text, kind, rest, network, progress)


def _open_published(text: str, kind: str, rest: str, network: DownloadConfig, progress: Progress) -> Source:
    """Something with a publisher, who states its terms and from whom it may be downloaded."""
    match kind:
        case "package":
            return _open_package(text, rest)
        case "tatoeba":
            return _open_tatoeba(text, rest, network, progress)
        case "opus":
            return _open_opus(text, rest, network, progress)
        case "hf":
            dataset = hf.open_dataset(rest)
            read = partial(hf.read_dataset, dataset)
            return _with_terms(text, dataset.corpus, dataset.sha256, read, dataset.licence)
        case unknown:
            raise RequestError(f"{text}: isoglot has no reader for {unknown}: sources.", _NEXT)


def _with_terms(
    text: str, corpus: str, sha256: str, read: Callable[[Border], Iterator[Pair]], terms: Licence
) -> Source:
    return Source(text, corpus, sha256, read, terms.name, terms.attribution, terms.text)


def _open_file(text: str, read: ReadConfig) -> Source:
    path, languages = _split_languages(text)
    archived = split_member(str(path))
    if archived is not None:
        return _open_archive(text, *archived, languages, read)
    if path.is_dir():
        raise RequestError(
            f"{path} is a folder, not a source.",
            f"Name the files in it, or write gettext:{path} for its catalogues.",
        )
    _require_file(path)
    corpus = short_name(path)
    reader, others = reader_of(path, read)
    return Source(
        text, corpus, _digest([path, *others]), lambda border: reader(path, corpus, border, languages)
    )


def _open_archive(
    text: str, archive: Path, pattern: str, languages: Languages | None, read: ReadConfig
) -> Source:
    bundle = open_bundle(archive, pattern)
    corpus = archive_name(archive)

    def pairs(border: Border) -> Iterator[Pair]:
        return read_bundle(bundle, corpus, border, languages, read)

    if archive.suffix == ".whl":
        return _with_terms(text, corpus, digest_file(archive), pairs, package.read_licence(archive))
    return Source(text, corpus, digest_file(archive), pairs, licence_text=read_terms(bundle))


def _open_package(text: str, requirement: str) -> Source:
    path = package.fetch_package(requirement)
    corpus = requirement.partition("==")[0].strip().lower()
    read = partial(package.read_package, path, corpus)
    return _with_terms(text, corpus, digest_file(path), read, package.read_licence(path))


def _open_opus(text: str, rest: str, network: DownloadConfig, progress: Progress) -> Source:
    release, file = opus.fetch_opus(rest, network, progress)
    read = partial(opus.read_opus, file.path, release)
    return _with_terms(text, release.corpus, file.sha256, read, opus.read_terms(file.path, release))


def _open_moses(text: str, rest: str, read: ReadConfig) -> Source:
    names, languages = _split_languages(rest)
    paths = [Path(name) for name in str(names).split(",")]
    if len(paths) < 2:
        raise RequestError(f"{text} does not name two files.", "Write moses:train.en,train.de.")
    source, target, *others = files = [_locate(path) for path in paths]
    corpus = short_name(source)
    scores, ids = (
        next((file for file in others if kind_of(file) == kind), None) for kind in ("scores", "ids")
    )
    if len(others) > sum(file is not None for file in (scores, ids)):
        raise RequestError(f"{text}: a third file is .scores or .ids.", "Write moses:A.de,A.en,A.scores.")
    return Source(
        text,
        corpus,
        _digest([_on_disk(file) for file in files]),
        lambda border: read_moses(
            source, target, corpus, border, languages, scores, ids, allow_ragged=read.allow_ragged
        ),
    )


def _open_json(text: str, rest: str) -> Source:
    """Two trees of translations, or all those below a folder."""
    names, languages = _split_languages(rest)
    if names.is_dir():
        paths = find_trees(names)
        return Source(text, names.name, _digest(paths), partial(read_tree_folder, names, names.name))
    source, *others = (Path(name) for name in str(names).split(","))
    if len(others) != 1:
        raise RequestError(f"{text} is neither a folder nor two files.", "Write json:en.json,de.json.")
    _require_file(source)
    _require_file(others[0])
    corpus = source.parent.name or "json"
    return Source(
        text,
        corpus,
        _digest([source, *others]),
        lambda border: read_tree_pair(source, others[0], corpus, border, languages),
    )


def _open_words(text: str, rest: str, read: Reader) -> Source:
    path, languages = _split_languages(rest)
    file = _locate(path)
    corpus = short_name(file)
    return Source(
        text, corpus, digest_file(_on_disk(file)), lambda border: read(file, corpus, border, languages)
    )


def _open_catalogues(text: str, folder: Path) -> Source:
    found, skipped = catalogues.find_catalogues(folder), list[str]()

    def read(border: Border) -> Iterator[Pair]:
        return catalogues.read_catalogues(found, folder.name, border, skipped)

    return Source(text, folder.name, _digest(list(found)), read, skipped=skipped)


def _open_tatoeba(text: str, rest: str, network: DownloadConfig, progress: Progress) -> Source:
    """A folder with Tatoeba's whole export, or from its server two languages, or one with all others."""
    folder, name = Path(rest), "tatoeba"
    if folder.is_dir():
        digest = _digest(tatoeba.export_files(folder))
        read = partial(tatoeba.read_tatoeba, folder, name)
        return _with_terms(text, name, digest, read, tatoeba.read_terms())
    several = rest.endswith("*")
    files = (tatoeba.fetch_all if several else tatoeba.fetch_tatoeba)(rest, network, progress)
    paths = [file.path for file in files]
    digest = digest_json([[file.path.name, file.sha256] for file in files])
    read = (
        partial(tatoeba.read_all_linked, paths, name)
        if several
        else partial(tatoeba.read_linked, paths, rest, name)
    )
    return _with_terms(text, name, digest, read, tatoeba.read_terms(files[2]))


def _locate(path: Path) -> Path | Member:
    """A file, or a member of an archive; either is there."""
    archived = split_member(str(path))
    if archived is not None and archived[1] != "*":
        return require_member(*archived)
    _require_file(path)
    return path


def _on_disk(file: Path | Member) -> Path:
    return file.archive if isinstance(file, Member) else file


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise RequestError(f"There is no file {path}.", _NEXT)


def _digest(paths: Sequence[Path]) -> str:
    """Digest of one file, or of the digests of several with their names."""
    if len(paths) == 1:
        return digest_file(paths[0])
    # the name of a catalogue far below may be in any encoding
    return digest_json([[path.name.encode("utf-8", "replace").decode(), digest_file(path)] for path in paths])


def _split_languages(text: str) -> tuple[Path, Languages | None]:
    """Take the languages off `pairs.tsv#en-de`; a file whose name has a `#` stays as it is."""
    before, mark, after = text.rpartition("#")
    if not mark or Path(text).exists():
        return Path(text), None
    source, dash, target = after.partition("-")
    if not dash or not is_code(source) or not is_code(target):
        raise RequestError(f"{text}: {after!r} does not name two languages.", f"Write {before}#en-de.")
    return Path(before), (source, target)
