"""`isoglot verify`: prove that what isoglot left on disk is whole."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import Console, JsonOption, count, handled


def verify(
    folder: Annotated[Path, typer.Argument(help="An isoglot folder, or a run folder that holds several.")],
    as_json: JsonOption = False,
) -> None:
    """Prove that a corpus, store, student or run folder is whole."""
    with handled(as_json) as console:
        _verify(folder, console)


def _verify(folder: Path, console: Console) -> None:
    from isoglot import artefact
    from isoglot.errors import RequestError
    from isoglot.teacher.store_header import HEADER as STORE_HEADER

    found = sorted(
        path.parent
        for name in (artefact.MANIFEST, STORE_HEADER)
        for path in folder.rglob(name)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)  # unfinished work
    )
    if not found:
        raise RequestError(
            f"{folder} has no {artefact.MANIFEST} or {STORE_HEADER} in it or below it: there is nothing to check.",
            "Give the folder that an isoglot command printed.",
        )
    checked = []
    with console.task("verify", len(found), "folders") as task:
        for one in found:
            checked.append(_check_store(one) if (one / STORE_HEADER).is_file() else _check(one))
            task.advance()
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


def _check(folder: Path) -> _Checked:
    from isoglot import artefact
    from isoglot.errors import DamagedError

    try:
        manifest = artefact.read_manifest(folder)
    except DamagedError as error:
        return _Checked(str(folder), "unknown", 0, [error.problem])
    return _Checked(str(folder), manifest.kind, len(manifest.files), artefact.verify(folder))


def _check_store(folder: Path) -> _Checked:
    """Check every committed shard; a shard that a killed process did not get to commit is no damage."""
    from isoglot.errors import IsoglotError
    from isoglot.teacher.store import Store

    try:
        shards = len(list((folder / "shards").glob("*.safetensors")))
        return _Checked(str(folder), "store", shards, Store.open(folder).verify())
    except IsoglotError as error:
        return _Checked(str(folder), "store", 0, [error.problem])


def _text(checked: list[_Checked]) -> str:
    lines = []
    for one in checked:
        lines.append(f"{'damaged' if one.problems else 'whole  '}  {one.folder} ({one.kind})")
        lines += [f"         {problem}" for problem in one.problems]
    damaged = [one.folder for one in checked if one.problems]
    if damaged:
        lines.append(f"Delete {' and '.join(damaged)} and run the command that made it again.")
    else:
        lines.append(
            f"Folders: {len(checked)}, files: {count(sum(one.files for one in checked))}, all whole."
        )
    return "\n".join(lines)
