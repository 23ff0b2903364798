"""What an archive of files holds: Moses pairs, files of sentence pairs, or translations of software."""

from __future__ import annotations

import fnmatch
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from isoglot.config import ReadConfig
from isoglot.corpus.formats.archive import Member, archive_name, each_member, find_member, list_members
from isoglot.corpus.formats.gettext import MESSAGES, catalogue_language, read_gettext, translates
from isoglot.corpus.formats.kinds import kind_of, reader_of
from isoglot.corpus.formats.moses import read_moses
from isoglot.corpus.formats.names import Languages, short_name
from isoglot.corpus.formats.packed import plain_name
from isoglot.corpus.formats.tree import Tree, read_tree, read_tree_sets, tree_place
from isoglot.corpus.languages import Border, is_code
from isoglot.corpus.pair import Pair
from isoglot.errors import RequestError

_READABLE = {"tsv", "csv", "jsonl", "ndjson", "tmx", "xlf", "xliff"}
_ENDINGS = _READABLE | {
    "txt",
    "xml",
    "html",
    "json",
    "po",
    "mo",
    "ids",
    "scores",
    "md",
    "py",
    "so",
    "sh",
    "js",
}
_JUNK = ("__MACOSX", ".")
_TERMS, _TERMS_CAP = {"LICENSE", "LICENCE", "COPYING", "COPYRIGHT"}, 1 << 20
_SHOWN = 5


@dataclass(frozen=True)
class Bundle:
    """The members of an archive that will be read, by kind.

    Attributes:
        archive: the archive on disk.
        files: files of sentence pairs, each with its own reader.
        sides: Moses pairs: name without language -> language code -> member.
        trees: JSON trees: member -> the set it belongs to and its language code.
        catalogues: gettext catalogues: member -> language code.
        names: all members.
    """

    archive: Path
    files: tuple[str, ...]
    sides: Mapping[str, Mapping[str, str]]
    trees: Mapping[str, tuple[str, str]]
    catalogues: Mapping[str, str]
    names: frozenset[str]


def open_bundle(archive: Path, pattern: str) -> Bundle:
    """Find out what an archive holds under a name or a pattern such as `*.tsv`.

    Of several kinds the first is taken: Moses pairs, files of sentence pairs, translations of software; in a
    wheel or a Debian package translations come first. A member that is named in full is read whatever it is.

    Raises:
        RequestError: there is nothing isoglot can read.
        DamagedError: the archive cannot be read or is refused.
    """
    names = list_members(archive)
    if pattern in names:
        return Bundle(archive, (pattern,), {}, {}, {}, frozenset(names))
    matching = (name for name in names if fnmatch.fnmatchcase(name, pattern) and not _is_junk(name))
    chosen = {name: PurePosixPath(name) for name in matching}
    files = tuple(sorted(name for name, path in chosen.items() if kind_of(path) in _READABLE))
    sides, trees, catalogues = _sides(chosen), _trees(chosen), _catalogues(chosen)
    if not (files or sides or trees or catalogues):
        shown = ", ".join(names[:_SHOWN]) + ", ..." * (len(names) > _SHOWN)
        raise RequestError(
            f"{archive} holds nothing under {pattern!r} that isoglot can read; it has {shown or 'no files'}.",
            f"Name a member: {archive}:MEMBER. Archives inside archives are not opened.",
        )
    if (trees or catalogues) and (archive.suffix in (".whl", ".deb") or not (files or sides)):
        files, sides = (), {}
    else:
        trees, catalogues = {}, {}
    return Bundle(archive, () if sides else files, sides, trees, catalogues, frozenset(names))


def read_bundle(
    bundle: Bundle, corpus: str, border: Border, languages: Languages | None, read: ReadConfig
) -> Iterator[Pair]:
    """Yield the pairs of all members of a bundle, kind by kind.

    Raises:
        RequestError: translations have no file in the source language, or a member's languages are unknown.
        DamagedError: the archive or a member is broken or refused.
    """
    for base in bundle.sides:
        yield from _read_sides(bundle, base, border, languages, read)
    yield from _read_files(bundle, border, languages, read)
    yield from _read_catalogues(bundle, corpus, border)
    yield from _read_trees(bundle, corpus, border)


def read_terms(bundle: Bundle) -> str:
    """Text of the licence that an archive carries: `LICENSE`, or `copyright` of a Debian package; empty: none."""
    places = [PurePosixPath(name) for name in sorted(bundle.names, key=len)]
    found = next((place for place in places if place.stem.upper() in _TERMS), None)
    if found is None:
        return ""
    with find_member(bundle.archive, str(found)).open("rb") as file:
        return file.read(_TERMS_CAP).decode("utf-8", "replace")


def _is_junk(name: str) -> bool:
    return any(part.startswith(_JUNK) for part in name.split("/"))


def _sides(names: Mapping[str, PurePosixPath]) -> dict[str, dict[str, str]]:
    """Moses pairs such as `Books.de-en.de` and `Books.de-en.en`: two or more languages of one name."""
    sides: dict[str, dict[str, str]] = defaultdict(dict)
    for name in sorted(names):
        base, dot, code = plain_name(names[name]).rpartition(".")
        if dot and code not in _ENDINGS and is_code(code):
            sides[str(names[name].parent / base)][code] = name
    return {base: members for base, members in sides.items() if len(members) > 1}


def _trees(names: Mapping[str, PurePosixPath]) -> dict[str, tuple[str, str]]:
    places = {name: tree_place(path) for name, path in names.items()}
    sets = Counter(place[0] for place in places.values() if place)
    return {name: place for name, place in places.items() if place and sets[place[0]] > 1}


def _catalogues(names: Mapping[str, PurePosixPath]) -> dict[str, str]:
    """Catalogues whose name or folder tells a language; sources are left out where they are compiled too."""
    found = {}
    for name, path in names.items():
        if path.suffix == ".mo" or (path.suffix == ".po" and str(path.with_suffix(".mo")) not in names):
            code = catalogue_language(path)
            if code is not None:
                found[name] = code
    return found


def _read_sides(
    bundle: Bundle, base: str, border: Border, languages: Languages | None, read: ReadConfig
) -> Iterator[Pair]:
    """Pair the source language, or the first one when it is missing, with each other one."""
    members = bundle.sides[base]
    codes = sorted(members, key=lambda code: border.tag(code, members[code]) != border.source_lang)
    for code in codes[1:]:
        sides = [find_member(bundle.archive, members[side]) for side in (codes[0], code)]
        scores, ids = (_beside(bundle, base, kind) for kind in ("scores", "ids"))
        yield from read_moses(
            sides[0], sides[1], _corpus(bundle, base), border, languages or (codes[0], code),
            scores, ids, allow_ragged=read.allow_ragged,
        )  # fmt: skip


def _beside(bundle: Bundle, base: str, kind: str) -> Member | None:
    name = next((name for name in bundle.names if name.lower() == f"{base}.{kind}".lower()), None)
    return find_member(bundle.archive, name) if name else None


def _read_files(
    bundle: Bundle, border: Border, languages: Languages | None, read: ReadConfig
) -> Iterator[Pair]:
    if len(bundle.files) == 1:  # XML is opened twice, which only a member on its own allows
        members = iter([find_member(bundle.archive, bundle.files[0])])
    else:
        members = each_member(bundle.archive, bundle.files)
    for member in members:
        reader, _ = reader_of(member, read)
        yield from reader(member, short_name(member), border, languages)


def _read_catalogues(bundle: Bundle, corpus: str, border: Border) -> Iterator[Pair]:
    for member in each_member(bundle.archive, bundle.catalogues):
        tag = border.tag(bundle.catalogues[str(member.inner)], str(member))
        if translates(border, tag):
            yield from read_gettext(member, corpus, border, (MESSAGES, tag))


def _read_trees(bundle: Bundle, corpus: str, border: Border) -> Iterator[Pair]:
    def trees(wanted: Collection[str]) -> Iterator[tuple[str, Tree]]:
        return ((str(member.inner), read_tree(member)) for member in each_member(bundle.archive, wanted))

    codes = {code for _, code in bundle.trees.values()}
    from_source = any(border.tag(code, bundle.archive) == border.source_lang for code in codes)
    # without trees of the source language it is an error, unless catalogues have the pairs
    if bundle.trees and (from_source or not bundle.catalogues):
        yield from read_tree_sets(bundle.trees, trees, bundle.archive, corpus, border)


def _corpus(bundle: Bundle, base: str) -> str:
    return f"{archive_name(bundle.archive)}/{PurePosixPath(base).name}"
