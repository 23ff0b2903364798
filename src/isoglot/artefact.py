"""What every stage leaves behind: a folder with a manifest, published whole or not at all.

A stage builds its folder beside the final name, writes `manifest.json` with the sha256 of every file, syncs
everything to disk and renames. A folder under a final name is therefore complete, and `verify` can prove it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from isoglot.disk import PARTIAL, explaining_full_disk, sync, write_atomic
from isoglot.errors import DamagedError, RequestError
from isoglot.lock import held
from isoglot.progress import SILENT, Progress, counted

MANIFEST = "manifest.json"
FORMAT_VERSION = 1
_OWN_DIGEST = "manifest_sha256"  # of everything else in the manifest


@dataclass(frozen=True)
class Manifest:
    """What a folder is and what it was made from.

    Attributes:
        kind: "corpus", "store", "warm start", "student", "run".
        inputs: name of each input -> sha256 of its content (or of its manifest).
        config: the resolved options that shaped the folder.
        counts: whatever was counted on the way, for people and for reports.
        files: relative path -> {"sha256", "bytes"}; filled in by `publish`.
    """

    kind: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def request(self) -> str:
        """Digest of kind, inputs and config: equal requests give equal folders, so work can be skipped."""
        return digest_json({"kind": self.kind, "inputs": self.inputs, "config": self.config})

    @property
    def digest(self) -> str:
        """Digest of the content: the request and every file's sha256."""
        return digest_json(
            {"request": self.request, "files": {k: v["sha256"] for k, v in self.files.items()}}
        )


def digest_bytes(data: bytes) -> str:
    """Return the sha256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digest_json(value: object) -> str:
    """Return the sha256 of `value` as canonical JSON, the same before and after a trip through a file."""
    plain = json.loads(json.dumps(value))  # number keys become text before they are sorted, as in a file
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return digest_bytes(text.encode("utf-8", "surrogatepass"))  # JSON can escape what UTF-8 cannot hold


def digest_file(path: Path) -> str:
    """Return the sha256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: object) -> None:
    """Write `value` as readable JSON, atomically."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:  # noqa: ANN401  the shape is the caller's contract
    """Read a JSON file that isoglot wrote.

    Raises:
        DamagedError: when the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DamagedError(
            f"{path} is missing.", f"Delete {path.parent} and run the command again."
        ) from error
    except (ValueError, RecursionError) as error:
        raise DamagedError(
            f"{path} is not valid JSON ({error}).", f"Delete {path.parent} and run again."
        ) from error


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a published folder.

    Raises:
        RequestError: when `folder` is not an isoglot artefact or was written by another format.
        DamagedError: when the manifest is not as it was written.
    """
    if not (folder / MANIFEST).is_file():
        raise RequestError(
            f"{folder} has no {MANIFEST}: it is not a finished isoglot folder.",
            "Give the folder that an isoglot command printed, or run that command again.",
        )
    raw = read_json(folder / MANIFEST)
    if not isinstance(raw, dict) or "format_version" not in raw:
        raise RequestError(f"{folder / MANIFEST} was not written by isoglot.", "Give an isoglot folder.")
    if raw["format_version"] != FORMAT_VERSION:
        raise RequestError(
            f"{folder} has format version {raw['format_version']}, this isoglot reads {FORMAT_VERSION}.",
            "Rebuild it with this version, or use the version that wrote it.",
        )
    expected = raw.pop(_OWN_DIGEST, None)
    if digest_json(raw) != expected:
        raise DamagedError(
            f"{folder / MANIFEST} does not match its own sha256: it was changed or damaged.",
            f"Delete {folder} and run the command that made it again.",
        )
    try:
        return Manifest(**raw)
    except TypeError as error:
        raise RequestError(
            f"{folder} is of another version ({error}).", "Use the one that wrote it."
        ) from error


def is_current(folder: Path, wanted: Manifest) -> bool:
    """Tell whether `folder` is the finished answer to the request in `wanted`: no file missing or cut."""
    if not (folder / MANIFEST).is_file():
        return False
    manifest = read_manifest(folder)
    return manifest.request == wanted.request and not _wrong_sizes(folder, manifest)


@contextmanager
def publish(folder: Path, manifest: Manifest) -> Iterator[Path]:
    """Give a scratch folder to fill; on success it gets its manifest and takes the name `folder`.

    Whatever goes wrong inside, nothing appears under the final name and the scratch folder is removed. An
    older folder of that name is replaced only once the new one is complete. Fill in `manifest.counts` in
    place while working when counts are known only at the end.

    Raises:
        RequestError: something that isoglot did not write has the name `folder`; it would be lost.
        IsoglotError: the disk is full or refuses to write.
    """
    _refuse_foreign(folder)
    discard_leftovers(folder)
    scratch = _scratch(folder)
    with explaining_full_disk(folder), held(scratch):
        try:
            yield scratch
            files = {
                str(path.relative_to(scratch)): {"sha256": digest_file(path), "bytes": path.stat().st_size}
                for path in _files_of(scratch)
            }
            full = Manifest(**{**asdict(manifest), "files": files})
            _write_manifest(scratch, full)
            for path in [*_files_of(scratch), *_folders_of(scratch)]:
                sync(path)
            _swap(scratch, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove a published folder; its name never holds a part of it, even when the process dies meanwhile."""
    shutil.rmtree(_replaced(folder), ignore_errors=True)
    folder.rename(_replaced(folder))
    shutil.rmtree(_replaced(folder))


def discard_leftovers(folder: Path) -> None:
    """Remove what a killed process left beside `folder`: a scratch folder, or one that was being replaced.

    Raises:
        IsoglotError: the scratch folder is no leftover: another process is writing it.
    """
    if _scratch(folder).is_dir():
        with held(_scratch(folder)):
            pass
    for leftover in (_scratch(folder), _replaced(folder)):
        shutil.rmtree(leftover, ignore_errors=True)


def verify(folder: Path, progress: Progress = SILENT) -> list[str]:
    """Check every digest of a published folder; return one sentence per problem found (none = whole)."""
    manifest = read_manifest(folder)
    problems = _wrong_sizes(folder, manifest)
    with progress.task(f"verify {folder.name}", len(manifest.files), "files") as task:
        for name, expected in counted(manifest.files.items(), task):
            if name not in problems and digest_file(folder / name) != expected["sha256"]:
                problems[name] = f"{folder / name} does not match its sha256"
    return list(problems.values())


def _wrong_sizes(folder: Path, manifest: Manifest) -> dict[str, str]:
    """Say of each file that is missing or has another length what is wrong; cheap, reads no content."""
    problems = {}
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            problems[name] = f"{path} is missing"
        elif path.stat().st_size != expected["bytes"]:
            problems[name] = f"{path} has {path.stat().st_size} bytes instead of {expected['bytes']}"
    return problems


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    signed = {**asdict(manifest), _OWN_DIGEST: digest_json(asdict(manifest))}
    text = json.dumps(signed, indent=2, ensure_ascii=False, sort_keys=True, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _folders_of(folder: Path) -> list[Path]:
    return [*sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True), folder]


def _refuse_foreign(folder: Path) -> None:
    """Refuse to replace a file, or a folder with visible content but without a manifest."""
    if folder.is_dir():
        foreign = not (folder / MANIFEST).is_file() and any(
            not path.name.startswith(".") for path in folder.iterdir()
        )
    else:
        foreign = folder.exists()
    if foreign:
        raise RequestError(
            f"{folder} is there already and is no isoglot folder, so it is not replaced.",
            "Choose another --out, or move it away.",
        )


def _swap(scratch: Path, folder: Path) -> None:
    """Rename `scratch` to `folder`; a folder already there is moved away first and then removed."""
    if folder.exists():
        folder.rename(_replaced(folder))
    scratch.rename(folder)
    sync(folder.parent)
    shutil.rmtree(_replaced(folder), ignore_errors=True)


def _scratch(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}{PARTIAL}")


def _replaced(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")
