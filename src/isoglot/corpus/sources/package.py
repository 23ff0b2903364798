"""Translations inside a Python wheel: `*/translations/<language>.json`, joined to the source language by key.

The wheel is fetched once and read in place. It is never unpacked to disk, installed or imported.
"""

from __future__ import annotations

import email
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from isoglot.corpus.languages import Border, is_code
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError
from isoglot.wheels import Wheel, fetch, open_wheel, parse_requirement
from isoglot.zips import read_member

_PINNED = {"homeassistant==2026.11.0": "7ca5fbde9dea879ac7723949fc84347aac5182e6309c357b2e4973fd391b00f7"}


@dataclass(frozen=True)
class Licence:
    """Under which terms a package may be used, as it says itself.

    Attributes:
        name: licence expression, such as `Apache-2.0`; empty when it states none.
        attribution: one sentence naming the work and its authors.
        text: full text of the licence file inside the wheel; empty when there is none.
    """

    name: str
    attribution: str
    text: str


def fetch_package(requirement: str) -> Path:
    """Return the wheel of `NAME==VERSION` in the cache; its sha256 is checked when we know it.

    Raises:
        RequestError: no exact version.
        IsoglotError: it cannot be downloaded.
        DamagedError: it is not the file we know.
    """
    wheel = parse_requirement(requirement)
    return fetch(Wheel(wheel.name, wheel.version, _PINNED.get(wheel.requirement)))


def read_package(path: Path, corpus: str, border: Border) -> Iterator[Pair]:
    """Yield the translations in a wheel, folder by folder, language by language.

    Raises:
        RequestError: it holds no translations of the source language.
        DamagedError: a member is damaged, a bomb, or not JSON.
    """
    with open_wheel(path) as archive:
        folders = _translations(archive, border)
        if not any(border.source_lang in members for members in folders.values()):
            raise RequestError(
                f"{path.name} has no */translations/*.json in the source language {border.source_lang}.",
                "Choose another package or another --source-lang.",
            )
        for members in folders.values():
            yield from _folder_pairs(archive, members, corpus, border)


def read_licence(path: Path) -> Licence:
    """Read what a wheel says about its licence.

    Raises:
        DamagedError: it is no readable wheel.
    """
    with open_wheel(path) as archive:
        names = archive.namelist()
        metadata = next((name for name in names if name.endswith(".dist-info/METADATA")), None)
        if metadata is None:
            raise DamagedError(
                f"{path} has no METADATA: it is not a wheel.", f"Delete {path.parent} and run again."
            )
        said = email.message_from_bytes(read_member(archive, metadata))
        folder = metadata.removesuffix("METADATA")
        texts = [name for name in names if name.startswith(folder) and _is_licence(name, folder)]
        text = read_member(archive, texts[0]).decode("utf-8", "replace") if texts else ""
    name = said["License-Expression"] or said["License"] or ""
    author = said["Author"] or said["Author-email"] or "its authors"
    return Licence(name, f"Translations of {said['Name']} {said['Version']} by {author}.", text)


def _is_licence(name: str, folder: str) -> bool:
    path = PurePosixPath(name.removeprefix(folder))
    return path.name.upper().startswith(("LICENSE", "LICENCE")) and path.parent.name in ("", "licenses")


def _translations(archive: zipfile.ZipFile, border: Border) -> dict[str, dict[str, str]]:
    """Folder -> language tag -> member, for the source language and the wanted ones, sorted by name."""
    folders: dict[str, dict[str, str]] = {}
    for name in sorted(archive.namelist()):
        folder, _, file = name.rpartition("/")
        code = file.removesuffix(".json")
        if code == file or not folder.endswith("/translations") or not is_code(code):
            continue
        tag = border.tag(code, f"{archive.filename}: {name}")
        if tag == border.source_lang or border.wants(tag):
            folders.setdefault(folder, {})[tag] = name
    return folders


def _folder_pairs(
    archive: zipfile.ZipFile, members: Mapping[str, str], corpus: str, border: Border
) -> Iterator[Pair]:
    if border.source_lang not in members:
        return
    sources = _texts(archive, members[border.source_lang])
    for tag, member in members.items():
        if tag != border.source_lang:
            for source, target in _joined(sources, _texts(archive, member)):
                yield Pair(source, target, border.source_lang, tag, corpus)


def _texts(archive: zipfile.ZipFile, member: str) -> dict[str, Any]:
    """Read one file of nested texts."""
    try:
        nested = json.loads(read_member(archive, member))
    except ValueError as error:
        raise DamagedError(f"{archive.filename}: member {member} is not JSON ({error}).") from error
    return nested if isinstance(nested, dict) else {}


def _joined(sources: Mapping[str, Any], targets: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the texts that both sides have under the same keys, in the order of the source."""
    for name, source in sources.items():
        target = targets.get(name)
        if isinstance(source, str) and isinstance(target, str):
            yield source, target
        elif isinstance(source, dict) and isinstance(target, dict):
            yield from _joined(source, target)
