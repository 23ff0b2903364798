"""Source sentences that are nearly the same: MinHash finds candidates, exact overlap decides.

A sentence is the set of its character 5-grams. The chance that two sets have the same minimum under a random order is
their Jaccard similarity (Broder 1997, "On the resemblance and containment of documents"); minima in bands of four,
where one equal band makes a candidate, find 99 % of the pairs of similarity 0.7 and nearly all above.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.clean.column import Column
from isoglot.corpus.split import keys
from isoglot.progress import Task

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

GRAM = 5  # characters
BANDS, ROWS = 16, 4
_FETCH_ROWS = 16_384
_BASE = np.uint64(0x9E3779B97F4A7C15)

_SOURCES = """
    select place, min(source) as source from sorted where place between ?::ubigint and ?::ubigint group by place
"""
# every sentence is compared with the first one of each of its buckets only, so a huge bucket costs no more than others
_CANDIDATES = """
    with firsts as (select place, min(place) over (partition by band, hash) as first from bands),
         pairs as (select distinct place, first from firsts where place <> first),
         texts as (select place, min(source) as source from sorted
                   where place in (select place from pairs union all select first from pairs) group by place)
    select pairs.place, own.source, other.source
    from pairs join texts own using (place) join texts other on other.place = pairs.first
    order by pairs.place
"""


def mark(database: duckdb.DuckDBPyConnection, slices: Iterable[range], threshold: float, task: Task) -> None:
    """Make the table `near` of the places whose sentence is nearly one with a smaller place.

    Args:
        database: has the view `sorted` with columns place and source.
        slices: ranges of places that cover all of it, each small enough to hold.
        threshold: Jaccard similarity of 5-grams from which on two sentences are nearly the same.
        task: where to report, one unit per sentence.
    """
    database.execute("create table bands (band utinyint, hash ubigint, place ubigint)")
    for part in slices:
        # a whole slice at once, because the connection writes between the batches
        found = database.sql(_SOURCES, params=[part.start, part.stop - 1]).to_arrow_table()
        for batch in found.to_batches(_FETCH_ROWS):
            _add_bands(database, batch)
            task.advance(batch.num_rows)
    candidates = database.sql(_CANDIDATES).to_arrow_reader(_FETCH_ROWS)
    places = [place for batch in candidates for place in _confirmed(batch, threshold)]
    database.execute("create table near as select distinct unnest(?::ubigint[]) as place", [places])
    database.execute("drop table bands")


def _add_bands(database: duckdb.DuckDBPyConnection, batch: pa.RecordBatch) -> None:
    import pyarrow as pa

    hashes = band_hashes(batch["source"].to_pylist())
    places = batch["place"].to_numpy()
    known = hashes.any(axis=1)  # a text without any gram is like no other
    columns = {
        "band": np.tile(np.arange(BANDS, dtype=np.uint8), int(known.sum())),
        "hash": hashes[known].ravel(),
        "place": np.repeat(places[known], BANDS),
    }
    database.register("found_bands", pa.table(columns))
    database.execute("insert into bands from found_bands")
    database.unregister("found_bands")


def _confirmed(batch: pa.RecordBatch, threshold: float) -> Iterator[int]:
    place, own, other = (column.to_pylist() for column in batch.columns)
    for number, (left, right) in enumerate(zip(keys(own), keys(other), strict=True)):
        if similarity(left, right) >= threshold:
            yield place[number]


def similarity(first: str, second: str) -> float:
    """Jaccard similarity of the character 5-grams of two texts, in [0, 1]; a shorter text is one gram."""
    left, right = _grams(first), _grams(second)
    return len(left & right) / max(1, len(left | right))


def _grams(text: str) -> set[str]:
    return {text[start : start + GRAM] for start in range(max(1, len(text) - GRAM + 1))} - {""}


def band_hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Hash the keys of n texts so that similar ones probably have an equal band.

    Returns:
        uint64 [n, BANDS]; 0 for a text without a gram.
    """
    # blanks behind a text keep its grams apart from the next text's and make a short text one gram
    column = Column.of([text.ljust(GRAM) if text else "" for text in keys(texts)])
    grams, starts = _hashed_grams(column)
    filled = column.lengths > 0
    found = np.zeros((len(texts), BANDS), np.uint64)
    if not filled.any():
        return found
    multipliers = np.random.default_rng(0).integers(1, 2**63, (BANDS, ROWS), np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    for band in range(BANDS):
        mixed = np.zeros(int(filled.sum()), np.uint64)
        for multiplier in multipliers[band]:
            minima = np.minimum.reduceat(_mixed(grams * multiplier), starts)
            mixed = _mixed((mixed ^ minima) * _BASE)
        found[filled, band] = np.maximum(mixed, np.uint64(1))
    return found


def _hashed_grams(column: Column) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hash every gram of every text that has one; also where each such text's grams start."""
    codes = column.codes.astype(np.uint64)
    rolled = np.zeros(max(0, len(codes) - GRAM + 1), np.uint64)
    for place in range(GRAM):
        rolled = rolled * _BASE + codes[place : place + len(rolled)]
    inside = np.ones(len(codes), np.bool_)  # is a gram that begins here within one text?
    for place in range(1, GRAM):
        ends = column.starts[1:][column.lengths > 0]
        inside[ends - place] = False
    counts = np.maximum(0, column.lengths[column.lengths > 0] - GRAM + 1)
    return _mixed(rolled[inside[: len(rolled)]]), np.cumsum(counts) - counts


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread 64 bits (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
