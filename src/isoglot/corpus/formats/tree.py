"""Trees of translations in JSON: one file per language, texts joined by their keys."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.names import Languages, language_in_name
from isoglot.corpus.formats.packed import open_binary, plain_name
from isoglot.corpus.languages import Border, is_code
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError

Tree = dict[str, Any]
Trees = Callable[[Collection[str]], Iterator[tuple[str, Tree]]]

_BYTES_CAP = 256 * 2**20  # a tree is held in memory
_LOCAL = re.compile(r"q[a-t][a-z]")  # for local use: MediaWiki's `qqq` explains messages


def read_tree_pair(
    source: File, target: File, corpus: str, border: Border, languages: Languages | None = None
) -> Iterator[Pair]:
    """Yield the texts that two files of nested JSON have under the same keys.

    Raises:
        RequestError: nothing says which languages they are.
        DamagedError: a file is not a JSON object.
    """
    codes = languages or (_language(source), _language(target))
    tags = [border.tag(code, str(file)) for code, file in zip(codes, (source, target), strict=True)]
    for left, right in joined(read_tree(source), read_tree(target)):
        yield Pair(left, right, tags[0], tags[1], corpus)


def find_trees(folder: Path) -> list[Path]:
    """Return the files below a folder whose names tell a language, sorted.

    Raises:
        RequestError: there is none.
    """
    paths = [path for path in sorted(folder.rglob("*.json")) if path.is_file() and tree_place(path)]
    if not paths:
        raise RequestError(f"{folder} has no files such as de.json or de/x.json.", "Give another folder.")
    return paths


def read_tree_folder(folder: Path, corpus: str, border: Border) -> Iterator[Pair]:
    """Yield the pairs of all trees below a folder; what is raised is as in `read_tree_sets`."""
    places = {str(path): place for path in find_trees(folder) if (place := tree_place(path))}

    def trees(wanted: Collection[str]) -> Iterator[tuple[str, Tree]]:
        return ((name, read_tree(Path(name))) for name in wanted)

    yield from read_tree_sets(places, trees, folder, corpus, border)


def read_tree_sets(
    places: Mapping[str, tuple[str, str]], trees: Trees, where: object, corpus: str, border: Border
) -> Iterator[Pair]:
    """Yield the pairs of sets of trees, set by set joined to the source language.

    Two passes: the texts of the source language are held in memory, the other languages go by one at a time.

    Args:
        places: name of each tree -> its set and its language code, as `tree_place` gives them.
        trees: yields name and tree for the names it is given.
        where: names the sets in errors.
        corpus: name for the pairs.
        border: turns language codes into tags.

    Raises:
        RequestError: no set has the source language.
        DamagedError: a tree is not a JSON object.
    """
    tags = {name: border.tag(code, name) for name, (_, code) in places.items()}
    of_source = [name for name, tag in tags.items() if tag == border.source_lang]
    if not of_source:
        raise RequestError(
            f"{where} has no translations from the source language {border.source_lang}.",
            "Choose another SOURCE or another --source-lang.",
        )
    sources = {places[name][0]: tree for name, tree in trees(of_source)}
    wanted = [name for name, tag in tags.items() if border.wants(tag) and places[name][0] in sources]
    for name, tree in trees(wanted):
        for source, target in joined(sources[places[name][0]], tree):
            yield Pair(source, target, border.source_lang, tags[name], corpus)


def read_tree(file: File) -> Tree:
    """Read one file of nested texts, compressed or not; all of it is held in memory.

    Raises:
        DamagedError: it is not a JSON object, or has more than 256 MiB.
    """
    with open_binary(file) as stream:
        data = stream.read(_BYTES_CAP + 1)
    if len(data) > _BYTES_CAP:
        raise DamagedError(f"{file} has more than 256 MiB.", "Give it as JSON Lines instead.")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{file} is not JSON ({error}).", "Mend or fetch it again.") from error
    if not isinstance(tree, dict):
        raise DamagedError(f"{file} is not a JSON object with texts under keys.", "Mend or leave it out.")
    return tree


def joined(source: Any, target: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  any JSON
    """Yield the texts at the same place of two trees, in the order of the source.

    Objects are joined by key, plural objects (`one`, `other`) like any other, so a form that one language lacks
    is left out. Lists are joined by position when they have the same length. Keys that start with `@` hold
    remarks (MediaWiki, ARB), not texts.
    """
    waiting = [(source, target)]
    while waiting:
        left, right = waiting.pop()
        if isinstance(left, str) and isinstance(right, str):
            yield left, right
        elif isinstance(left, dict) and isinstance(right, dict):
            keys = [key for key in left if key in right and not key.startswith("@")]
            waiting += [(left[key], right[key]) for key in reversed(keys)]
        elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            waiting += reversed(list(zip(left, right, strict=True)))


def tree_place(path: PurePath) -> tuple[str, str] | None:
    """Tell which set a file belongs to and its language code; None when its name tells no language.

    `i18n/de.json`, `locales/de/common.json`, `_locales/de/messages.json` and `messages.de.json` are known; the
    set is the path with the language left open.
    """
    plain = path.name[: len(plain_name(path))]
    stem = plain.removesuffix(".json")
    if stem == plain:
        return None
    if _is_language(stem):
        return f"{path.parent}/*.json", stem
    base, _, last = stem.rpartition(".")
    if base and _is_language(last):
        return f"{path.parent}/{base}.*.json", last
    if _is_language(path.parent.name):
        return f"{path.parent.parent}/*/{path.name}", path.parent.name
    return None


def _is_language(text: str) -> bool:
    return is_code(text) and not _LOCAL.fullmatch(text.lower())


def _language(file: File) -> str:
    place = tree_place(file.parent / file.name)
    code = place[1] if place else language_in_name(file)
    if code is None:
        raise RequestError(
            f"Nothing says which language {file} is.", "Name the files like en.json,de.json or add #en-de."
        )
    return code
