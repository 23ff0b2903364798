"""`isoglot verify`: prove that what isoglot left on disk is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import Console, JsonOption, count, handled


def verify(
    folder: Annotated[Path, typer.Argument(help="An isoglot folder, or a run folder that holds several.")],
    as_json: JsonOption = False,
) -> None:
    """Check every file of a corpus, store, student or run folder against its sha256."""
    with handled(as_json) as console:
        _verify(folder, console)


def _verify(folder: Path, console: Console) -> None:
    from isoglot import artefact
    from isoglot.errors import RequestError

    manifests = sorted(folder.rglob(artefact.MANIFEST))
    if not manifests:
        raise RequestError(
            f"{folder} has no {artefact.MANIFEST} in it or below it: there is nothing to check.",
            "Give the folder that an isoglot command printed.",
        )
    found = {}
    with console.task("verify", len(manifests), "folders") as task:
        for manifest in manifests:
            found[str(manifest.parent)] = artefact.verify(manifest.parent)
            task.advance()
    problems = [problem for several in found.values() for problem in several]
    text = _text(found, sum(len(artefact.read_manifest(Path(name)).files) for name in found))
    console.finish({"whole": not problems, "folders": found}, text)
    if problems:
        raise typer.Exit(1)


def _text(found: dict[str, list[str]], files: int) -> str:
    lines = []
    for name, problems in found.items():
        lines.append(f"{'damaged' if problems else 'whole  '}  {name}")
        lines += [f"         {problem}" for problem in problems]
    damaged = [name for name, problems in found.items() if problems]
    if damaged:
        lines.append(f"Delete {' and '.join(damaged)} and run the command that made it again.")
    else:
        lines.append(f"{count(len(found))} folders, {count(files)} files: all whole.")
    return "\n".join(lines)
