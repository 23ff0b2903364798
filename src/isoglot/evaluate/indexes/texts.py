"""Texts of indexes that hold none: a file beside them, or a corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from isoglot.compat_config import IndexConfig
from isoglot.corpus.formats.lines import read_lines
from isoglot.corpus.store import Corpus
from isoglot.errors import DamagedError, RequestError

Row = tuple[str, str]


def read_texts(index: Path, config: IndexConfig) -> Iterator[Row]:
    """Give ids and texts in the order of the index's vectors.

    Args:
        index: the index; `index.txt` and `index.jsonl` beside it are found unnamed.
        config: `texts`: .txt (one text per line), .jsonl (texts or objects), or a corpus folder (its source sentences);
            `text_column` and `id_column`: keys of the objects. Without ids, rows are numbered from 0.

    Raises:
        RequestError: there is no such file.
        DamagedError: a line has no text; names it.
    """
    path = _place(index, config)
    if path.is_dir():
        texts = Corpus.open(path).sources()
        return ((str(number), text) for number, text in enumerate(texts))
    if path.suffix == ".jsonl":
        return _objects(path, config)
    return ((str(number), line.removesuffix("\r")) for number, line in enumerate(read_lines(path)))


def _place(index: Path, config: IndexConfig) -> Path:
    places = [index.with_suffix(suffix) for suffix in (".txt", ".jsonl")]
    if config.texts is not None:
        places = [Path(config.texts).expanduser()]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise RequestError(
            f"There are no texts for {index}: no {' or '.join(str(place) for place in places)}.",
            "Name a .txt (one text per line) or .jsonl file in the order of the vectors with --texts; for a store, its"
            " corpus.",
        )
    return found


def _objects(path: Path, config: IndexConfig) -> Iterator[Row]:
    for number, line in enumerate(read_lines(path)):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DamagedError(f"{path}, line {number + 1}: {error}.") from error
        held = value if isinstance(value, dict) else {config.text_column: value}
        text, name = held.get(config.text_column), held.get(config.id_column or "id", number)
        if not isinstance(text, str):
            raise DamagedError(
                f"{path}, line {number + 1}: no text under {config.text_column!r}.",
                "Name the key with --text-column.",
            )
        yield str(name), text
