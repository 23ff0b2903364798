"""Rows of a corpus folder, one batch at a time, so that memory does not grow with the corpus."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

from isoglot.corpus.split import Split
from isoglot.corpus.store import Corpus
from isoglot.errors import DamagedError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 16_384


class Row(NamedTuple):
    """One translation with its source sentence; `group` numbers the source sentences of the whole corpus."""

    group: int
    source: str
    lang: str
    target: str
    corpus: str


def rows(corpus: Corpus, split: Split, languages: Collection[str] = ()) -> Iterator[Row]:
    """Yield the translations of a split with their sources, sorted by group, language and text.

    Args:
        corpus: the folder.
        split: which part of it.
        languages: canonical tags to keep; empty: all.

    Raises:
        DamagedError: a shard is missing or cannot be read, or a translation has no source.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    sources, tags = _sources(corpus, split), pa.array(sorted(languages), pa.string())
    group, source = -1, ""
    for batch in batches(corpus, "targets", split, ["group", "lang", "target", "corpus"]):
        chosen = batch.filter(pc.is_in(batch.column("lang"), tags)) if languages else batch
        columns = (column.to_pylist() for column in chosen.columns)
        for wanted, lang, target, name in zip(*columns, strict=True):
            while group < wanted:
                group, source = next(sources, (2**62, ""))
            if group > wanted:
                raise DamagedError(
                    f"{corpus.folder}: a translation of {split} names source {wanted}, which is not there.",
                    f"See `isoglot verify {corpus.folder}`; delete the folder and build it again.",
                )
            yield Row(wanted, source, lang, target, name)


def batches(corpus: Corpus, table: str, split: Split, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one table, `sources` or `targets`, in their order.

    Raises:
        DamagedError: a shard is missing or cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in sorted(name for name in corpus.manifest.files if name.startswith(f"{table}-{split}-")):
        try:
            with pq.ParquetFile(corpus.folder / name) as file:
                yield from file.iter_batches(_BATCH_ROWS, columns=columns)
        except (OSError, pa.ArrowException) as error:
            raise DamagedError(
                f"{corpus.folder / name} cannot be read ({error}).",
                f"See `isoglot verify {corpus.folder}`; delete the folder and build it again.",
            ) from error


def _sources(corpus: Corpus, split: Split) -> Iterator[tuple[int, str]]:
    for batch in batches(corpus, "sources", split, ["group", "source"]):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
