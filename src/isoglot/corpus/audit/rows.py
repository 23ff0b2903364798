"""The corpus under audit as a stream of pairs: a built corpus folder, sources, or a table of premise and hypothesis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from isoglot.artefact import MANIFEST
from isoglot.corpus.benchmarks.entry import folder_of
from isoglot.corpus.benchmarks.layout import recognise
from isoglot.corpus.benchmarks.record import Inference
from isoglot.corpus.formats.names import short_name
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.corpus.source import open_source
from isoglot.corpus.split import SPLITS
from isoglot.corpus.store import Corpus


def source_language(texts: Sequence[str], given: str) -> str:
    """The source language of a corpus folder as it was built; `given` when only sources are audited."""
    folders = [Path(text) for text in texts if (Path(text) / MANIFEST).is_file()]
    return str(Corpus.open(folders[0]).manifest.config["source_lang"]) if folders else given


def read_rows(text: str, border: Border) -> Iterator[Pair]:
    """Yield all rows of a corpus folder or of one SOURCE, nothing cleaned; the source language comes first.

    Raises:
        RequestError: it is neither, or it cannot be read.
        DamagedError: it is damaged.
    """
    path = Path(text)
    if (path / MANIFEST).is_file():
        yield from _corpus_rows(Corpus.open(path), border.source_lang)
        return
    inferences = _inferences(path)
    for pair in open_source(text).read(border) if inferences is None else inferences:
        yield pair.swapped() if pair.target_lang == border.source_lang != pair.source_lang else pair


def _inferences(path: Path) -> Iterator[Pair] | None:
    """Premise and hypothesis of an NLI table as the two sides of rows; None when it is another file."""
    if not path.is_file() or ".tsv" not in path.suffixes:
        return None
    found = [benchmark for benchmark in recognise(folder_of(path)) if benchmark.kind == "nli"]
    if not found:
        return None
    return (
        Pair(record.premise, record.hypothesis, *benchmark.languages, short_name(path))
        for benchmark in found
        for record in benchmark.records(Inference)
    )


def _corpus_rows(corpus: Corpus, source_lang: str) -> Iterator[Pair]:
    """Join targets to sources; both are sorted by group, so a row group of each is enough."""
    for split in SPLITS:
        sources = _columns(corpus, "sources", split, ["group", "source"])
        group, source = -1, ""
        for wanted, tag, name, target in _columns(
            corpus, "targets", split, ["group", "lang", "corpus", "target"]
        ):
            while group < wanted:
                group, source = next(sources)
            yield Pair(source, target, source_lang, tag, name)


def _columns(corpus: Corpus, table: str, split: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    import pyarrow.parquet as pq

    for name in sorted(name for name in corpus.manifest.files if name.startswith(f"{table}-{split}-")):
        with pq.ParquetFile(corpus.folder / name) as file:
            for batch in file.iter_batches(columns=columns):
                yield from zip(*(batch[column].to_pylist() for column in columns), strict=True)
