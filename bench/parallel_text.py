"""Files of parallel text as the benches read them: `<set>/eng-<language>.tsv.gz` with a header."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path


def english_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield English sentence and translation of every row; columns source_lang, target_lang, source, target."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        next(lines)
        for line in lines:
            _, _, english, other = line.rstrip("\n").split("\t")
            yield english, other
