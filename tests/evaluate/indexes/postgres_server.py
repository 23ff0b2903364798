"""A PostgreSQL server with pgvector for as long as a test runs: Debian's, or the one inside the wheel `pgserver`.

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


def programs() -> Path:
    """The folder with `initdb` and `postgres` of an installation that has pgvector."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = importlib.util.find_spec("pgserver")
    wheel = [] if spec is None or spec.origin is None else [Path(spec.origin).parent / "pginstall" / "bin"]
    for folder in [*debian, *wheel]:
        shared = subprocess.run(
            [folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=True
        )
        if (Path(shared.stdout.strip()) / "extension" / "vector.control").is_file():
            return folder
    raise RuntimeError(
        "no PostgreSQL with pgvector: pip install pgserver, or a package postgresql-NN-pgvector"
    )


@contextlib.contextmanager
def server(password: str | None = None) -> Iterator[Path]:
    """Run a server on a socket alone; give the folder of the socket. With a password it asks for it."""
    folder = Path(tempfile.mkdtemp(prefix="isoglot-pg-"))
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    as_owner = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        binaries = programs()
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
