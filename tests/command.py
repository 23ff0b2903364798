"""`isoglot` as users call it: as a program of its own, or quicker inside this one, which has its imports done."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner

from isoglot.cli.main import app

LIMIT_SECONDS = 240


def program(
    *arguments: object, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a program of its own; seconds pass before it has torch."""
    return subprocess.run(
        [sys.executable, "-m", "isoglot.cli.main", *map(str, arguments)],
        cwd=cwd, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False,
        timeout=LIMIT_SECONDS,
    )  # fmt: skip


def isoglot(
    *arguments: object, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Call the command line in this process; a bug, which the program would show with its traceback, is raised."""
    with contextlib.chdir(cwd or Path.cwd()):
        words = [str(argument) for argument in arguments]
        done = CliRunner().invoke(app, words, env=environment, catch_exceptions=False)
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)
