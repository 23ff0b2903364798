"""Translations inside a Python wheel: trees of JSON, joined to the source language by key, and gettext catalogues.

The wheel is fetched once and read in place. It is never unpacked to disk, installed or imported.
"""

from __future__ import annotations

import email
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from isoglot.config import ReadConfig
from isoglot.corpus.formats.bundle import open_bundle, read_bundle
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.corpus.sources.licence import Licence
from isoglot.errors import DamagedError, RequestError
from isoglot.wheels import Wheel, fetch, open_wheel, parse_requirement
from isoglot.zips import read_member

_PINNED = {"homeassistant==2026.11.0": "7ca5fbde9dea879ac7723949fc84347aac5182e6309c357b2e4973fd391b00f7"}


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
    """Yield the translations in a wheel: trees of JSON joined by their keys, and gettext catalogues.

    Raises:
        RequestError: it holds no translations of the source language.
        DamagedError: a member is damaged, a bomb, or not what its name says.
    """
    bundle = open_bundle(path, "*")
    if not bundle.trees and not bundle.catalogues:
        raise RequestError(
            f"{path.name} holds no translations of software (locale/*/LC_MESSAGES, translations/*.json).",
            "Choose another package.",
        )
    yield from read_bundle(bundle, corpus, border, None, ReadConfig())


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
