"""`isoglot doctor`: what this machine has, and what would help."""

from __future__ import annotations

from isoglot.cli.console import JsonOption, handled


def doctor(as_json: JsonOption = False) -> None:
    """Say what this machine has: processor, memory, disk, packages, cache."""
    with handled(as_json) as console:
        console.finish({}, "")
