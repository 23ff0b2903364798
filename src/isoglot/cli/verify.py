"""`isoglot verify`: prove that what isoglot left on disk is whole."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import Console, JsonOption, count, handled
from isoglot.progress import Progress

_SCORES = "scores.json"


def verify(
    folder: Annotated[Path, typer.Argument(help="An isoglot folder, or a run folder that holds several.")],
    as_json: JsonOption = False,
) -> None:
    """Prove that a folder is whole: corpus, store, student, run."""
    with handled(as_json) as console:
        _verify(folder, console)


def _verify(folder: Path, console: Console) -> None:
    from isoglot.artefact import MANIFEST
    from isoglot.errors import RequestError
    from isoglot.teacher.store_header import HEADER

    found = [
        (path.parent, check)
        for name, check in ((MANIFEST, _check), (HEADER, _check_store), (_SCORES, _check_evaluation))
        for path in folder.rglob(name)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)  # unfinished work
        and (name != _SCORES or _has_items(path))
    ]
    if not found:
        raise RequestError(
            f"{folder} has no {MANIFEST} or {HEADER} in it or below it: there is nothing to check.",
            "Give the folder that an isoglot command printed.",
        )
    checked = [check(one, console) for one, check in sorted(found, key=lambda pair: pair[0])]
    whole = all(not folder.problems for folder in checked)
    console.finish({"whole": whole, "folders": [asdict(folder) for folder in checked]}, _text(checked))
    if not whole:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Checked:
    folder: str
    kind: str
    files: int
    problems: list[str]


def _check(folder: Path, progress: Progress) -> _Checked:
    from isoglot import artefact
    from isoglot.errors import DamagedError

    try:
        manifest = artefact.read_manifest(folder)
    except DamagedError as error:
        return _Checked(str(folder), "unknown", 0, [error.problem])
    return _Checked(str(folder), manifest.kind, len(manifest.files), artefact.verify(folder, progress))


def _check_store(folder: Path, progress: Progress) -> _Checked:
    """Check every committed shard; a shard that a killed process did not get to commit is no damage."""
    from isoglot.errors import IsoglotError
    from isoglot.teacher.store import Store

    try:
        shards = len(list((folder / "shards").glob("*.safetensors")))
        return _Checked(str(folder), "store", shards, Store.open(folder).verify(progress))
    except IsoglotError as error:
        return _Checked(str(folder), "store", 0, [error.problem])


def _has_items(scores: Path) -> bool:
    """Tell whether scores.json is of an evaluation, which names its items, or is broken."""
    from isoglot.artefact import MANIFEST, read_json
    from isoglot.errors import DamagedError

    if scores.with_name(MANIFEST).is_file():
        return False
    try:
        raw = read_json(scores)
    except DamagedError:
        return True
    return isinstance(raw, dict) and "items" in raw


def _check_evaluation(folder: Path, _progress: Progress) -> _Checked:
    """Check that the items are those of the scores, and that every value follows from its items."""
    from isoglot.errors import IsoglotError
    from isoglot.evaluate.results import read_evaluation
    from isoglot.evaluate.statistics import value

    try:
        evaluation = read_evaluation(folder)
        items = evaluation.items()
    except IsoglotError as error:
        return _Checked(str(folder), "evaluation", 0, [error.problem])
    again = {key: float(value(one.statistic, items[key])) for key, one in evaluation.results.items()}
    problems = [
        f"{evaluation.path} says {one.value} for {key}, and its items say {again[key]}"
        for key, one in evaluation.results.items()
        if not math.isclose(one.value, again[key], rel_tol=1e-6, abs_tol=1e-9)
    ]
    return _Checked(str(folder), "evaluation", 2, problems)


def _text(checked: list[_Checked]) -> str:
    lines = []
    for one in checked:
        lines.append(f"{'damaged' if one.problems else 'whole  '}  {one.folder} ({one.kind})")
        lines += [f"         {problem}" for problem in one.problems]
    damaged = [
        str(Path(one.folder, _SCORES)) if one.kind == "evaluation" else one.folder  # its folder holds more
        for one in checked
        if one.problems
    ]
    if damaged:
        lines.append(f"Delete {' and '.join(damaged)} and run the command that made it again.")
    else:
        lines.append(
            f"Folders: {len(checked)}, files: {count(sum(one.files for one in checked))}, all whole."
        )
    return "\n".join(lines)
