"""JSON Lines: one object per line; its shapes are those of `records`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.lines import read_lines
from isoglot.corpus.formats.names import Languages, languages_in_name
from isoglot.corpus.formats.records import record_pairs
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError


def read_jsonl(path: File, corpus: str, border: Border, languages: Languages | None = None) -> Iterator[Pair]:
    """Yield the pairs of a JSON Lines file, compressed or not; lines of white space are passed over.

    Raises:
        RequestError: an object names no sentence pair, or its languages are unknown.
        DamagedError: a line is not a JSON object.
    """
    languages = languages or languages_in_name(path)
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DamagedError(f"{where} is not JSON ({error}).", "Mend or remove that line.") from error
        if not isinstance(record, dict):
            raise DamagedError(f"{where} is not a JSON object.", "Mend or remove that line.")
        yield from record_pairs(record, where, corpus, border, languages)
