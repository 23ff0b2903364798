"""A PostgreSQL server with pgvector, out of the wheel `pgserver`, for as long as a test runs.

The wheel's programs are run here directly: its own module would change permissions of folders above the environment.
PostgreSQL refuses to run as root, so root starts it as `nobody`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

USER = "isoglot"


def programs(folder: Path) -> Path:
    """Copy the wheel's programs to where `nobody` can go, as the environment may lie elsewhere; give their folder."""
    spec = importlib.util.find_spec("pgserver")
    assert spec is not None, "no PostgreSQL with pgvector: pip install pgserver"
    assert spec.origin is not None
    for name in ("pgserver", "pgserver.libs"):  # side by side, as the programs look for their libraries
        shutil.copytree(Path(spec.origin).parents[1] / name, folder / name, symlinks=True)
    return folder / "pgserver" / "pginstall" / "bin"


@contextlib.contextmanager
def server(password: str | None = None) -> Iterator[Path]:
    """Run a server on a socket alone; give the folder of the socket. With a password it asks for it."""
    folder = Path(tempfile.mkdtemp(prefix="isoglot-pg-"))
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    as_owner = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        binaries = programs(folder)
        secret = folder / "password"
        secret.write_text((password or "unused") + "\n")
        secret.chmod(0o644)
        method = "trust" if password is None else "scram-sha-256"
        subprocess.run(
            [binaries / "initdb", "-D", folder / "data", "-U", USER, "-A", method, "--pwfile", secret, "-E", "UTF8",
             "--locale=C", "--no-sync"],
            cwd=folder, capture_output=True, check=True, **as_owner,
        )  # fmt: skip
        with _running(
            [binaries / "postgres", "-D", folder / "data", "-k", folder, "-h", "", "-F"], folder, as_owner
        ):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _running(command: list[object], folder: Path, as_owner: dict[str, object]) -> Iterator[None]:
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **as_owner
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "ready to accept connections" in line:
                break
        yield
    finally:
        process.terminate()
        process.stdout.read()
        process.wait(30)
        process.stdout.close()
