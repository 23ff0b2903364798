"""What every command on a corpus folder shares: its argument and the line that sums a corpus up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from isoglot.cli.console import count

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of `isoglot corpus build`.")]
LanguagesOption = Annotated[
    str, typer.Option("--languages", help="Target languages to keep, such as de,fr,zh-Hans; unset: all.")
]
SPLITS = ("train", "dev", "test")


def codes(text: str) -> list[str]:
    """Split the value of `--languages`: `de, fr` -> ["de", "fr"]."""
    return [code.strip() for code in text.split(",") if code.strip()]


def totals(counts: Mapping[str, Any]) -> str:
    """Say in one line how many rows of a corpus were kept, from its manifest's counts."""
    sources = counts["sources"]
    splits = ", ".join(f"{split} {count(sources[split])}" for split in SPLITS)
    return (
        f"{count(counts['kept'])} pairs kept of {count(counts['read'])} rows, "
        f"{count(sum(sources.values()))} distinct source sentences ({splits})"
    )
