"""What must hold of a run folder, checked from its bytes; each check gives one sentence per broken promise."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from isoglot import artefact

TIMES = {"minutes", "seconds", "request"}  # "request" holds the digest of a folder whose card holds times


def nothing_half_written(run: Path) -> list[str]:
    """Whatever stands under a final name is whole."""
    problems = []
    for manifest in _manifests(run):
        problems += artefact.verify(manifest.parent)
    for path in _plain_files(run, "*.json"):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            problems.append(f"{path} is not JSON")
    page = run / "report.html"
    if page.is_file() and not page.read_text("utf-8").rstrip().endswith("</html>"):
        problems.append(f"{page} is cut")
    return problems


def verify_says_whole(run: Path) -> list[str]:
    """`isoglot verify` finds no damage, for nothing is damaged; a folder with nothing finished is refused."""
    command = [sys.executable, "-m", "isoglot.cli.main", "verify", str(run), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    finished = _manifests(run) or (run / "store" / "store.json").is_file()
    if done.returncode == 0 and finished and json.loads(done.stdout)["whole"]:
        return []
    if done.returncode == 2 and not finished:
        return []
    return [f"isoglot verify ended with {done.returncode}: {done.stdout}{done.stderr}"]


def committed(run: Path) -> dict[str, str]:
    """Shards that the store's manifest lists: name -> sha256."""
    path = run / "store" / "manifest.sqlite"
    if not path.is_file():
        return {}
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE name = 'chunk'").fetchall()
        return dict(database.execute("SELECT id, sha256 FROM chunk")) if tables else {}


def vectors_are_those_of(whole: Path, run: Path) -> list[str]:
    """Every committed shard is one of the undisturbed run's, byte for byte."""
    wanted, found = committed(whole), committed(run)
    problems = [
        f"shard {name} is not one of the undisturbed run" for name in found if found[name] != wanted.get(name)
    ]
    for name, sha256 in found.items():
        path = run / "store" / "shards" / f"{name}.safetensors"
        if not path.is_file() or artefact.digest_file(path) != sha256:
            problems.append(f"{path} is not what was committed")
    return problems


def nothing_left_over(run: Path) -> list[str]:
    """No scratch of a process that died, no shard that is not committed, no step logged twice."""
    problems = [f"{path} is left over" for path in run.rglob("*") if path.name.endswith((".partial", ".old"))]
    listed = {f"{name}.safetensors" for name in committed(run)}
    present = {path.name for path in (run / "store" / "shards").iterdir()}
    problems += [f"shard {name} is on one side only" for name in listed ^ present]
    steps = [json.loads(line)["step"] for line in (run / "training" / "log.jsonl").read_text().splitlines()]
    if steps != list(range(1, len(steps) + 1)):
        problems.append(f"log.jsonl has the steps {steps}")
    return problems


def same_result(whole: Path, run: Path) -> list[str]:
    """Corpus, vectors, warm start and student are the undisturbed run's, byte for byte; scores but for times."""
    wanted, found = dict(_bytes_of(whole)), dict(_bytes_of(run))
    problems = [
        f"{name} differs" for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    ]
    if committed(whole) != committed(run):
        problems.append("the stores list other shards")
    for name in ("scores.json", "student/isoglot.json", "recipe.json"):
        left, right = (_timeless(_read(folder / name)) for folder in (whole, run))
        if name == "scores.json":  # the model is named by its path
            left, right = ({**one, "model": None} for one in (left, right))
        if left != right:
            problems.append(f"{name} differs in more than times")
    return problems


def _manifests(run: Path) -> list[Path]:
    """Manifests of finished folders; what lies in a hidden folder is unfinished."""
    return [
        path
        for path in run.rglob(artefact.MANIFEST)
        if not any(part.startswith(".") for part in path.relative_to(run).parts)
    ]


def _plain_files(run: Path, pattern: str) -> Iterator[Path]:
    for path in run.rglob(pattern):
        if not any(part.startswith(".") for part in path.relative_to(run).parts):
            yield path


def _bytes_of(run: Path) -> Iterator[tuple[str, str]]:
    """Files whose bytes hold no time: name -> sha256."""
    for pattern in ("corpus/**/*", "store/shards/*", "warm_start/*", "student/**/*", "training/best*/*"):
        for path in run.glob(pattern):
            if path.is_file() and path.name not in {"isoglot.json", artefact.MANIFEST}:
                yield os.fspath(path.relative_to(run)), artefact.digest_file(path)


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in TIMES}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value
