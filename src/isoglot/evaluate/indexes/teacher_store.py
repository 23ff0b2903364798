"""A teacher store as an index: it holds keys instead of texts, so the texts come from its corpus or a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from isoglot.compat_config import IndexConfig
from isoglot.errors import RequestError
from isoglot.evaluate.indexes.index import IndexFacts, chosen_metric, refuse_empty
from isoglot.evaluate.indexes.table import Table, spooled
from isoglot.evaluate.indexes.texts import read_texts
from isoglot.teacher.store import Store, key_of

_ROWS = 65_536


def open_store(folder: Path, config: IndexConfig) -> Table:
    """Open the vectors of those texts that the store holds; vectors whose text nobody knows are left out.

    Raises:
        RequestError: not a store, no texts were named, or it holds none of them.
        DamagedError: a shard does not match its sha256.
    """
    store = Store.open(folder, prove=True)
    rows: dict[str, str] = {}
    for name, text in read_texts(folder, config):
        rows.setdefault(text, name)
    texts = list(rows)
    numbers, held = store.find([key_of(text) for text in texts])
    if texts and not held.any():
        raise RequestError(
            f"{folder} holds none of the {len(texts)} texts that were named.",
            "Name the corpus it was made of with --texts.",
        )
    refuse_empty(str(folder), int(held.sum()))
    known, wanted = [text for text, there in zip(texts, held, strict=True) if there], numbers[held]
    vectors = spooled(
        (store.read(wanted[start : start + _ROWS]) for start in range(0, len(wanted), _ROWS)), str(folder)
    )
    metric = chosen_metric(config.metric, None, "cosine", str(folder))
    facts = IndexFacts(str(folder), "teacher store", len(known), store.dimension, metric)
    return Table(facts, [rows[text] for text in known], known, np.asarray(vectors))
