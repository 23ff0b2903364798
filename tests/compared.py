"""Recipes without a teacher over the small corpus of `tiny`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def write_recipe(path: Path, kind: str, student: Path | None, pairs: Path | None, extra: str = "") -> Path:
    """Write a recipe of an objective; `extra` is further TOML, sections and all."""
    model = "" if student is None else f'model = "{student}"'
    sources = (
        "" if pairs is None else f'[corpus]\nsources = ["{pairs}"]\ndev_percent = 10\ntest_percent = 10\n'
    )
    clean = "" if pairs is None else "[corpus.clean]\nmax_untranslated = 1.0\n"
    path.write_text(
        f"""
name = "tiny-{kind}"
[student]
{model}
max_tokens = 32
{sources}{clean}
[evaluate]
pool = 60
queries = 20
dev_queries = 20
[objective]
kind = "{kind}"
{extra}
""",
        "utf-8",
    )
    return path


def isoglot(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command line as users do."""
    return subprocess.run(
        [sys.executable, "-m", "isoglot.cli.main", *map(str, arguments)],
        capture_output=True, text=True, check=check, env=os.environ,
    )  # fmt: skip


def answer(*arguments: object) -> dict:
    """Run it with --json; what it prints."""
    return json.loads(isoglot(*arguments, "--json").stdout)
