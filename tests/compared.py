"""Recipes without a teacher over the small corpus of `tiny`."""

from __future__ import annotations

import json
from pathlib import Path

from command import isoglot


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


def answer(*arguments: object) -> dict:
    """Call the command line with --json; what it prints."""
    done = isoglot(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
