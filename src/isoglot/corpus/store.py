"""A corpus folder: Parquet shards of source sentences and of their translations, and how to read them.

    sources-<split>-<number>.parquet   group int32, source text, split text
    targets-<split>-<number>.parquet   group int32, lang text, corpus text, order int64, target text
    dropped.parquet                    reason, lang, corpus, source, target: some rows that were dropped
    NOTICE, licences/*                 the terms of the sources
    manifest.json                      inputs, options, counts per language and reason

A group is one distinct source sentence. Groups are numbered in the order of the hash of their key, so every
prefix of a split is a random sample of it. Targets are sorted by group, language and text; their order numbers the
rows as they were read, so neighbours in a source can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isoglot.artefact import Manifest, read_manifest
from isoglot.corpus.split import SPLITS, Split
from isoglot.errors import DamagedError, RequestError

if TYPE_CHECKING:
    import pyarrow as pa

KIND = "corpus"
NOTICE = "NOTICE"
DROPPED = "dropped.parquet"
SHARD_ROWS = 1_000_000
_ROW_GROUP = 65_536


@dataclass(frozen=True)
class Origins:
    """Where m translations come from.

    Attributes:
        corpus: int16 [m], index into `corpora`.
        order: int64 [m], rising as the rows of a corpus were read; None in folders of older versions.
        corpora: names, sorted.
    """

    corpus: np.ndarray
    order: np.ndarray | None
    corpora: tuple[str, ...]

    def of(self, rows: np.ndarray) -> Origins:
        """Choose translations by number or by a mask."""
        return Origins(self.corpus[rows], None if self.order is None else self.order[rows], self.corpora)


@dataclass(frozen=True)
class Groups:
    """The sentences of one split, for n source sentences with m translations.

    Attributes:
        sources: [n] distinct source sentences.
        targets: [m] translations, sorted by group.
        group: int32 [m], index into `sources`.
        language: int16 [m], index into `languages`.
        languages: canonical tags of the whole corpus, sorted; equal for all splits.
        origins: where the translations come from, when that is known.
    """

    sources: list[str]
    targets: list[str]
    group: np.ndarray
    language: np.ndarray
    languages: tuple[str, ...]
    origins: Origins | None = None


@dataclass(frozen=True)
class Corpus:
    """A finished corpus folder."""

    folder: Path
    manifest: Manifest

    @staticmethod
    def open(folder: Path) -> Corpus:
        """Open a corpus folder.

        Raises:
            RequestError: it is no finished corpus folder.
        """
        manifest = read_manifest(folder)
        if manifest.kind != KIND:
            raise RequestError(
                f"{folder} is a {manifest.kind}, not a corpus.", "Give a folder of `isoglot corpus build`."
            )
        return Corpus(folder, manifest)

    @property
    def languages(self) -> tuple[str, ...]:
        """Canonical tags of the target languages, sorted."""
        return tuple(
            sorted(tag for tag, counts in self.manifest.counts["languages"].items() if counts["kept"])
        )

    @property
    def notice(self) -> str:
        """Terms and attribution of everything the corpus was made from."""
        return (self.folder / NOTICE).read_text("utf-8")

    def groups(self, split: Split) -> Groups:
        """Read one split.

        Raises:
            DamagedError: a shard is missing or cannot be read.
        """
        sources = self._read("sources", split, ["group", "source"])
        targets = self._read("targets", split, None)
        first = sources["group"][0].as_py() if sources.num_rows else 0
        codes = targets["lang"].combine_chunks().dictionary_encode()
        place = {tag: number for number, tag in enumerate(self.languages)}
        ranks = np.array([place[tag] for tag in codes.dictionary.to_pylist()], dtype=np.int16)
        return Groups(
            sources=sources["source"].to_pylist(),
            targets=targets["target"].to_pylist(),
            group=targets["group"].to_numpy().astype(np.int32) - np.int32(first),
            language=ranks[codes.indices.to_numpy()] if len(ranks) else np.zeros(0, dtype=np.int16),
            languages=self.languages,
            origins=_origins(targets),
        )

    def sources(self, split: Split | None = None) -> list[str]:
        """Read the distinct source sentences of one split, or of all (train, dev, test).

        Raises:
            DamagedError: a shard is missing or cannot be read.
        """
        splits = SPLITS if split is None else (split,)
        return [
            text for one in splits for text in self._read("sources", one, ["source"])["source"].to_pylist()
        ]

    def dropped(self) -> list[dict[str, str]]:
        """Read the examples of dropped rows: reason, lang, corpus, source and target of each, sorted by these.

        Raises:
            DamagedError: the file is missing or cannot be read.
        """
        return list(self._table([DROPPED], None).to_pylist())

    def _read(self, table: str, split: Split, columns: list[str] | None) -> pa.Table:
        names = sorted(name for name in self.manifest.files if name.startswith(f"{table}-{split}-"))
        return self._table(names, columns)

    def _table(self, names: list[str], columns: list[str] | None) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pa.concat_tables([pq.read_table(self.folder / name, columns=columns) for name in names])
        except (OSError, pa.ArrowInvalid) as error:
            raise DamagedError(
                f"{self.folder}: {names[0]} or one beside it cannot be read ({error}).",
                f"See `isoglot verify {self.folder}`; delete the folder and build it again.",
            ) from error


def _origins(targets: pa.Table) -> Origins:
    codes = targets["corpus"].combine_chunks().dictionary_encode()
    names = codes.dictionary.to_pylist()
    rank = np.argsort(np.argsort(names)).astype(np.int16)
    own = rank[codes.indices.to_numpy()] if names else np.zeros(0, np.int16)
    order = targets["order"].to_numpy() if "order" in targets.column_names else None
    return Origins(own, order, tuple(sorted(names)))


def schemas() -> dict[str, pa.Schema]:
    """Columns of the tables."""
    import pyarrow as pa

    text = pa.string()
    tables = {
        "sources": pa.schema([("group", pa.int32()), ("source", text), ("split", text)]),
        "targets": pa.schema(
            [("group", pa.int32()), ("lang", text), ("corpus", text), ("order", pa.int64()), ("target", text)]
        ),
    }
    dropped = ("reason", "lang", "corpus", "source", "target")
    return {**tables, "dropped": pa.schema([(column, pa.string()) for column in dropped])}


class ShardWriter:
    """Writes sorted batches of one table and split as shards of `SHARD_ROWS` rows.

    Rows are cut into shards and row groups by number alone, never by how they arrived, so equal rows give
    equal bytes. A split without rows gets one empty shard.

    Attributes:
        rows: written so far, or waiting for their shard to be full.
    """

    def __init__(self, folder: Path, table: str, split: Split) -> None:
        self.rows = 0
        self._folder, self._table, self._split = folder, table, split
        self._schema = schemas()[table]
        self._waiting: list[pa.RecordBatch] = []
        self._shards = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows behind those written before."""
        import pyarrow as pa

        self._waiting.append(batch.cast(self._schema))
        self.rows += batch.num_rows
        while self.rows - self._shards * SHARD_ROWS >= SHARD_ROWS:
            whole = pa.Table.from_batches(self._waiting, self._schema)
            self._publish(whole.slice(0, SHARD_ROWS))
            self._waiting = whole.slice(SHARD_ROWS).to_batches()

    def close(self) -> None:
        """Write the rows that wait."""
        import pyarrow as pa

        if self.rows > self._shards * SHARD_ROWS or self.rows == 0:
            self._publish(pa.Table.from_batches(self._waiting, self._schema))

    def _publish(self, rows: pa.Table) -> None:
        import pyarrow.parquet as pq

        path = self._folder / f"{self._table}-{self._split}-{self._shards:05d}.parquet"
        pq.write_table(rows.combine_chunks(), path, compression="zstd", row_group_size=_ROW_GROUP)
        self._shards += 1
