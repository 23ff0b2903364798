"""From staged rows to sorted shards: deduplicating, grouping and ordering in DuckDB, which can spill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.corpus.split import SPLITS, Split
from isoglot.corpus.store import write_shards

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_FETCH_ROWS = 65_536

# one row per group; its text is the most frequent form, and of equally frequent ones the first by code points
_GROUPS = """
    create table groups as
    with forms as (select place, key, split, source, count(*) as times from staged group by all),
         chosen as (select place, key, split, first(source order by times desc, source) as source
                    from forms group by place, key, split),
         -- the lower half of the place is independent of the upper half, which decides the split
         kept as (select * from chosen qualify row_number() over (order by place % 4294967296, key) <= ?)
    select split, source, key,
           row_number() over (order by list_position(['train', 'dev', 'test'], split), place, key) - 1 as number
    from kept
"""
_OVER_CAP = "select lang, count(*) from staged anti join groups using (key) group by lang order by lang"
# the same translation of the same group is kept once, with the corpus that came first
_TARGETS = """
    create table targets as
    select groups.number as number, any_value(groups.split) as split, staged.lang as lang,
           staged.target as target, first(staged.corpus order by staged.number) as corpus,
           count(*) as times
    from staged join groups using (key)
    group by groups.number, staged.lang, staged.target
"""
_SOURCES_OF = 'select number as "group", source, split from groups where split = ? order by number'
_TARGETS_OF = """
    select number as "group", lang, corpus, target from targets where split = ? order by number, lang, target
"""
_BY_LANGUAGE = (
    "select lang, split, count(*), sum(times - 1)::bigint from targets group by lang, split order by all"
)
_BY_CORPUS = "select corpus, count(*) from targets group by corpus order by corpus"


def arrange(staged: Path, folder: Path, max_sources: int | None = None) -> dict[str, Any]:
    """Write the shards of all splits into `folder` and return what was counted.

    Args:
        staged: Parquet file with columns number, place, key, split, source, lang, target, corpus.
        folder: where the shards go; DuckDB spills to a folder in it, too.
        max_sources: groups kept, a random sample over all splits; None keeps all.

    Returns:
        `sources`: split -> groups; `targets`: language -> split -> rows; `duplicate` and `over the cap`: language ->
        rows dropped; `corpora`: corpus -> rows.
    """
    import duckdb

    with duckdb.connect(
        config={"temp_directory": str(folder / "spill"), "preserve_insertion_order": True}
    ) as database:
        database.read_parquet(str(staged)).create_view("staged")
        database.execute(_GROUPS, [2**62 if max_sources is None else max_sources])
        database.execute(_TARGETS)
        sources = {
            split: write_shards(folder, "sources", split, _rows(database, _SOURCES_OF, split))
            for split in SPLITS
        }
        for split in SPLITS:
            write_shards(folder, "targets", split, _rows(database, _TARGETS_OF, split))
        return {"sources": sources, **_counts(database)}


def _rows(database: duckdb.DuckDBPyConnection, query: str, split: Split) -> Iterator[pa.RecordBatch]:
    yield from database.sql(query, params=[split]).to_arrow_reader(_FETCH_ROWS)


def _counts(database: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    targets: dict[str, dict[str, int]] = {}
    duplicate: dict[str, int] = {}
    for language, split, rows, repeated in database.execute(_BY_LANGUAGE).fetchall():
        targets.setdefault(language, dict.fromkeys(SPLITS, 0))[split] = rows
        duplicate[language] = duplicate.get(language, 0) + repeated
    return {
        "targets": targets,
        "duplicate": duplicate,
        "over the cap": dict(database.execute(_OVER_CAP).fetchall()),
        "corpora": dict(database.execute(_BY_CORPUS).fetchall()),
    }
