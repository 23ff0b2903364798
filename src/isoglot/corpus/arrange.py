"""From staged rows to sorted shards: deduplicating, grouping, capping and ordering in DuckDB, which can spill.

The staged rows are sorted by the place of their source once. Splits are ranges of places, and so is a slice of a
few hundred thousand rows, in which all rows of a group are together: memory is that of one slice, whatever the size
of the corpus.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.config import CorpusConfig
from isoglot.corpus.near_duplicates import mark
from isoglot.corpus.split import SPLITS, Split, places
from isoglot.corpus.store import ShardWriter
from isoglot.progress import Progress

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

LENGTH_EDGES = (0, 10, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640)  # characters; the last class is open
_SLICE_ROWS = 400_000
_FETCH_ROWS = 65_536
# DuckDB's own limit; the process takes some hundred MB more, and what does not fit is spilled
_MEMORY = "500MB"

# the lower half of a place is independent of the upper half, which decides the split: a random order for samples
_SORT = """
    copy (select *, place % 4294967296 as rank from read_parquet(?) order by place, number)
    to '{path}' (format parquet, row_group_size 65536)
"""
_LAST_SOURCE = """
    select rank, place from (select distinct rank, place from rows) order by rank, place limit 1 offset ?
"""
# both caps keep the first rows of a random order, so one last row for each language and corpus says what stays
_LAST_ROWS = """
    create table last_rows as
    with once as (select lang, rank, place, target, arg_min(corpus, number) as corpus
                  from rows where (rank, place) <= (?, ?) group by lang, rank, place, target),
         of_corpus as (select * from once
                       qualify row_number() over (partition by lang, corpus order by rank, place, target) <= ?),
         of_language as (select * from of_corpus
                         qualify row_number() over (partition by lang order by rank, place, target) <= ?)
    select lang, corpus, max(row(rank, place, target)) as last from of_language group by lang, corpus
"""
_SLICE = "create or replace table slice as select * from rows where place between ?::ubigint and ?::ubigint"
_NEAR = """
    select corpus, lang, count(*) from sorted semi join near using (place)
    where place between ?::ubigint and ?::ubigint group by all
"""
# the same translation of the same group is kept once, with the corpus that came first
_TARGETS = """
    create or replace table targets as
    select place, rank, lang, target, arg_min(corpus, number) as corpus, min(number) as number, count(*) as times
    from slice where (rank, place) <= (?, ?) group by place, rank, lang, target
"""
_CAP = """
    delete from targets where not exists (
        select 1 from last_rows
        where last_rows.lang = targets.lang and last_rows.corpus = targets.corpus
              and row(targets.rank, targets.place, targets.target) <= last_rows.last)
"""
# the text of a group is its most frequent form, and of equally frequent ones the first by code points
_GROUPS = """
    create or replace table groups as
    with forms as (select place, source, count(*) as times from slice semi join targets using (place) group by all),
         chosen as (select place, source from forms
                    qualify row_number() over (partition by place order by times desc, source) = 1)
    select place, source, row_number() over (order by place) - 1 + ? as number from chosen
"""
_SOURCES_OUT = 'select number as "group", source, ? as split from groups order by number'
_TARGETS_OUT = """
    select groups.number as "group", lang, names.name as corpus, targets.number as "order", target
    from targets join groups using (place) join names on names.corpus = targets.corpus
    order by groups.number, lang, target
"""
_READ = "select corpus, lang, count(*) from slice group by all"
_KEPT = "select corpus, lang, count(*) from targets group by all"
_OVER_CAP = """
    select slice.corpus, slice.lang, count(*) from slice anti join targets using (place, lang, target) group by all
"""
# some rows of the first slice that has any
_EXAMPLES = {
    "near-duplicate": """
        select lang, names.name, source, target
        from sorted semi join near using (place) join names on names.corpus = sorted.corpus
        where place between ?::ubigint and ?::ubigint
        qualify row_number() over (partition by lang order by number) <= ?
    """,
    "duplicate": """
        select targets.lang, names.name, groups.source, targets.target
        from targets join groups using (place) join names on names.corpus = targets.corpus
        where times > 1 and place between ?::ubigint and ?::ubigint
        qualify row_number() over (partition by targets.lang order by groups.number, target) <= ?
    """,
}

Key = tuple[int, str]  # index of the corpus, language


@dataclass
class Arranged:
    """What was counted while arranging.

    Attributes:
        sources: split -> groups.
        splits: language -> split -> rows kept.
        kept: (corpus, language) -> rows kept.
        near_duplicate: (corpus, language) -> rows dropped because their source is nearly another one.
        duplicate: (corpus, language) -> rows dropped as repeated.
        over_cap: (corpus, language) -> rows dropped by a cap.
        source_lengths: groups in each class of `LENGTH_EDGES`.
        target_lengths: language -> rows kept in each class.
        examples: reason, language, corpus, source and target of some rows that were dropped.
    """

    sources: dict[Split, int] = field(default_factory=dict)
    splits: dict[str, Counter[Split]] = field(default_factory=dict)
    kept: Counter[Key] = field(default_factory=Counter)
    near_duplicate: Counter[Key] = field(default_factory=Counter)
    duplicate: Counter[Key] = field(default_factory=Counter)
    over_cap: Counter[Key] = field(default_factory=Counter)
    source_lengths: Counter[int] = field(default_factory=Counter)
    target_lengths: dict[str, Counter[int]] = field(default_factory=dict)
    examples: list[tuple[str, str, str, str, str]] = field(default_factory=list)


def arrange(
    staged: Path, folder: Path, corpora: Sequence[str], config: CorpusConfig, progress: Progress
) -> Arranged:
    """Write the shards of all splits into `folder` and return what was counted.

    Args:
        staged: Parquet file with columns number, place, source, lang, target, corpus (an index into `corpora`).
        folder: where the shards go; what is only needed meanwhile goes beside `staged`.
        corpora: names of the corpora.
        config: caps, percentages of the splits.
        progress: where to report.
    """
    import duckdb
    import pyarrow as pa

    scratch = staged.parent
    spill = {"temp_directory": str(scratch / "spill"), "memory_limit": _MEMORY}
    with duckdb.connect(str(scratch / "work.duckdb"), config=spill) as database:
        path = scratch / "sorted.parquet"
        database.execute(_SORT.format(path=str(path).replace("'", "''")), [str(staged)])
        database.read_parquet(str(path)).create_view("sorted")
        database.register(
            "names", pa.table({"corpus": range(len(corpora)), "name": pa.array(corpora, pa.string())})
        )
        _leave_out_near(database, config, progress)
        caps = _caps(database, config)
        return _write_all(database, folder, caps, config, progress)


@dataclass(frozen=True)
class _Caps:
    last_source: tuple[int, int]  # the last (rank, place) that stays
    by_language: bool

    @property
    def any(self) -> bool:
        return self.by_language or self.last_source != _NO_LAST


_NO_LAST = (2**32, 0)


def _leave_out_near(database: duckdb.DuckDBPyConnection, config: CorpusConfig, progress: Progress) -> None:
    """Make the view `rows` of all rows but those of near-duplicate sources, which the table `near` names."""
    if config.near_duplicates is None:
        database.execute("create table near (place ubigint)")
    else:
        with progress.task("looking for near duplicates", None, "sources") as task:
            mark(database, _slices(range(2**64), _rows(database)), config.near_duplicates, task)
    database.execute("create view rows as select * from sorted anti join near using (place)")


def _rows(database: duckdb.DuckDBPyConnection) -> int:
    (rows,) = database.execute("select count(*) from sorted").fetchone() or (0,)
    return int(rows)


def _caps(database: duckdb.DuckDBPyConnection, config: CorpusConfig) -> _Caps:
    last = None
    if config.max_sources is not None:
        last = database.execute(_LAST_SOURCE, [config.max_sources - 1]).fetchone()
    last_source = _NO_LAST if last is None else (last[0], last[1])
    by_language = config.max_per_corpus is not None or config.max_per_language is not None
    if by_language:
        most = [2**62 if cap is None else cap for cap in (config.max_per_corpus, config.max_per_language)]
        database.execute(_LAST_ROWS, [*last_source, *most])
    return _Caps(last_source, by_language)


def _write_all(
    database: duckdb.DuckDBPyConnection, folder: Path, caps: _Caps, config: CorpusConfig, progress: Progress
) -> Arranged:
    arranged = Arranged()
    rows = _rows(database)
    spans = places(config.dev_percent, config.test_percent)
    first = 0
    with progress.task("grouping", rows, "rows") as task:
        for split in SPLITS:
            writers = {table: ShardWriter(folder, table, split) for table in ("sources", "targets")}
            for part in _slices(spans[split], rows):
                (taken,) = database.execute(_SLICE, [part.start, part.stop - 1]).fetchone() or (0,)
                _group(database, caps, first + writers["sources"].rows)
                _write(database, writers, split, arranged)
                _count(database, caps, arranged)
                arranged.near_duplicate += _by_key(database, _NEAR, [part.start, part.stop - 1])
                _note_examples(database, part, config.examples, arranged)
                task.advance(taken)
            for writer in writers.values():
                writer.close()
            arranged.sources[split] = writers["sources"].rows
            first += writers["sources"].rows
    return arranged


def _slices(span: range, rows: int) -> Iterator[range]:
    """Cut a range of places so that each part holds about `_SLICE_ROWS` of `rows` evenly placed rows."""
    size = span.stop - span.start
    parts = -(-rows * size // (_SLICE_ROWS * 2**64))
    for part in range(parts):
        yield range(span.start + size * part // parts, span.start + size * (part + 1) // parts)


def _group(database: duckdb.DuckDBPyConnection, caps: _Caps, first: int) -> None:
    """Make the tables `targets` and `groups` of the slice; its groups are numbered from `first`."""
    database.execute(_TARGETS, caps.last_source)
    if caps.by_language:
        database.execute(_CAP)
    database.execute(_GROUPS, [first])


def _write(
    database: duckdb.DuckDBPyConnection, writers: Mapping[str, ShardWriter], split: Split, arranged: Arranged
) -> None:
    for batch in database.sql(_SOURCES_OUT, params=[split]).to_arrow_reader(_FETCH_ROWS):
        writers["sources"].write(batch)
        arranged.source_lengths.update(_classes(batch["source"]))
    for batch in database.sql(_TARGETS_OUT).to_arrow_reader(_FETCH_ROWS):
        writers["targets"].write(batch)
        _count_targets(batch, split, arranged)


def _note_examples(database: duckdb.DuckDBPyConnection, part: range, most: int, arranged: Arranged) -> None:
    known = {reason for reason, *_ in arranged.examples}
    for reason, query in _EXAMPLES.items():
        if most and reason not in known:
            rows = database.execute(query, [part.start, part.stop - 1, most]).fetchall()
            arranged.examples += [(reason, *row) for row in rows]


def _count_targets(batch: pa.RecordBatch, split: Split, arranged: Arranged) -> None:
    codes = batch["lang"].dictionary_encode()
    languages, numbers = codes.dictionary.to_pylist(), codes.indices.to_numpy()
    classes = _classes(batch["target"])
    for number, language in enumerate(languages):
        own = numbers == number
        arranged.splits.setdefault(language, Counter())[split] += int(own.sum())
        arranged.target_lengths.setdefault(language, Counter()).update(classes[own].tolist())


def _classes(texts: pa.Array) -> NDArray[np.intp]:
    """Class of each text by its length in characters."""
    import pyarrow.compute as pc

    lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    classes: NDArray[np.intp] = np.searchsorted(LENGTH_EDGES, lengths, side="right") - 1
    return classes


def _count(database: duckdb.DuckDBPyConnection, caps: _Caps, arranged: Arranged) -> None:
    """Add the slice's rows per corpus and language: kept, beyond a cap, and the rest, which was repeated."""
    kept = _by_key(database, _KEPT)
    over_cap = _by_key(database, _OVER_CAP) if caps.any else Counter[Key]()
    arranged.kept += kept
    arranged.over_cap += over_cap
    arranged.duplicate += _by_key(database, _READ) - kept - over_cap


def _by_key(database: duckdb.DuckDBPyConnection, query: str, values: Sequence[int] = ()) -> Counter[Key]:
    return Counter(
        {(corpus, lang): rows for corpus, lang, rows in database.execute(query, values).fetchall()}
    )
