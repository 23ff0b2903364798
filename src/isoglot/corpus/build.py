"""From sources to a corpus folder: read, filter, stage, and let DuckDB deduplicate, group and sort."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import Manifest, is_current, publish
from isoglot.config import CorpusConfig
from isoglot.corpus.arrange import Arranged, arrange
from isoglot.corpus.clean.chain import KEPT, REASONS, batch_of, verdicts
from isoglot.corpus.clean.filters import Batch
from isoglot.corpus.counts import Tally, summary
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.corpus.source import Source, open_source
from isoglot.corpus.sources.opus import expand
from isoglot.corpus.split import positions
from isoglot.corpus.store import DROPPED, KIND, NOTICE, Corpus, schemas
from isoglot.errors import IsoglotError, RequestError
from isoglot.progress import SILENT, Progress

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 16_384
_SHOWN = 10  # language pairs named in an error


def build(config: CorpusConfig, out: Path, progress: Progress = SILENT) -> Corpus:
    """Build the corpus folder `out`, or open it when it already is the answer to this request.

    Raises:
        RequestError: no sources, or one that cannot be read.
        DamagedError: an input is damaged.
        IsoglotError: no row was kept; the message says why the rows were dropped.
    """
    border = Border(config.source_lang, config.languages)
    sources = _open_all(config, border, progress)
    counts: dict[str, Any] = {}  # filled while working, written by publish
    inputs = {source.text: source.sha256 for source in sources}
    manifest = Manifest(KIND, inputs, _resolved(config, border), counts)
    if is_current(out, manifest):
        progress.stage("corpus", f"{out} is already built")
        return Corpus.open(out)
    with publish(out, manifest) as folder:
        scratch = folder / "scratch"
        scratch.mkdir()
        staged = scratch / "staged.parquet"
        tally = _stage(sources, border, config, staged, progress)
        arranged = arrange(staged, folder, list(tally.corpora), config, progress)
        counts.update(summary(tally, arranged, config.clean))
        _write_dropped(folder, tally, arranged)
        counts["codes"] = {tag: sorted(codes) for tag, codes in sorted(border.given.items())}
        counts["skipped"] = {source.text: source.skipped for source in sources if source.skipped}
        counts["licences"] = {source.text: source.licence or "not stated" for source in sources}
        if not counts["kept"]:
            raise _nothing_kept(counts, border)
        _write_notice(folder, sources)
        shutil.rmtree(scratch)
    progress.stage("corpus", _in_words(counts))
    return Corpus.open(out)


def _open_all(config: CorpusConfig, border: Border, progress: Progress) -> list[Source]:
    if not config.sources:
        raise RequestError("No SOURCE was given.", "Name files or package:NAME==VERSION.")
    texts = dict.fromkeys(
        text for source in config.sources for text in expand(source, border, config.download, progress)
    )
    if not texts:
        raise RequestError(
            f"{', '.join(config.sources)}: none of the languages asked for is there.", "Choose others."
        )
    return [open_source(text, config.read, config.download, progress) for text in texts]


def _resolved(config: CorpusConfig, border: Border) -> dict[str, Any]:
    """Options with canonical languages, so that `deu` and `de` are the same request; how to download is none of it."""
    options = config.model_dump(mode="json", exclude={"download"})
    return {**options, "languages": sorted(border.wanted), "source_lang": border.source_lang}


def _stage(
    sources: Sequence[Source], border: Border, config: CorpusConfig, staged: Path, progress: Progress
) -> Tally:
    """Write all rows that pass the filters to one Parquet file, with the place of their source."""
    import pyarrow.parquet as pq

    tally = Tally()
    with pq.ParquetWriter(staged, _staged_schema(), compression="zstd") as writer:
        for source in sources:
            with progress.task(f"reading {source.corpus}", None, "rows") as task:
                for pairs in _batched(source.read(border)):
                    wanted = _wanted(pairs, border, tally)
                    if wanted:
                        writer.write_batch(_kept(wanted, border, config, tally))
                    task.advance(len(pairs))
    return tally


def _batched(pairs: Iterator[Pair]) -> Iterator[list[Pair]]:
    while batch := list(itertools.islice(pairs, _BATCH_ROWS)):
        yield batch


def _wanted(pairs: Sequence[Pair], border: Border, tally: Tally) -> list[Pair]:
    """Turn pairs to the source language, and count and leave out those of languages not asked for."""
    wanted = []
    for raw in pairs:
        pair = raw.swapped() if raw.target_lang == border.source_lang else raw
        if pair.source_lang == border.source_lang and border.wants(pair.target_lang):
            wanted.append(pair)
        else:
            tally.unwanted[f"{pair.source_lang}-{pair.target_lang}"] += 1
    return wanted


def _kept(pairs: Sequence[Pair], border: Border, config: CorpusConfig, tally: Tally) -> pa.RecordBatch:
    """Repair and judge some pairs, count the verdicts, and lay out the rows that stay."""
    import pyarrow as pa

    batch = batch_of(pairs, border.source_lang, config.clean)
    verdict = verdicts(batch, config.clean)
    corpora = np.fromiter(
        (tally.corpora.setdefault(pair.corpus, len(tally.corpora)) for pair in pairs), np.int64
    )
    first = tally.count(batch, corpora, verdict)
    _note_examples(batch, pairs, verdict, config.examples, tally)
    rows = np.flatnonzero(verdict == KEPT)
    sources = _chosen(batch.source.texts, rows)
    columns = {
        "number": rows + first,
        "place": positions(sources),
        "source": sources,
        "lang": _chosen(batch.languages, batch.language[rows]),
        "target": _chosen(batch.target.texts, rows),
        "corpus": corpora[rows],
    }
    return pa.RecordBatch.from_pydict(columns, schema=_staged_schema())


def _chosen(texts: Sequence[str], rows: NDArray[np.int64]) -> list[str]:
    return list(map(texts.__getitem__, rows.tolist()))


def _note_examples(
    batch: Batch, pairs: Sequence[Pair], verdict: NDArray[np.int64], most: int, tally: Tally
) -> None:
    for row in np.flatnonzero(verdict != KEPT).tolist():
        found = tally.examples[int(verdict[row]), pairs[row].target_lang]
        if len(found) < most:
            found.append((pairs[row].corpus, batch.source.texts[row], batch.target.texts[row]))


def _staged_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            ("number", pa.int64()), ("place", pa.uint64()), ("source", pa.string()), ("lang", pa.string()),
            ("target", pa.string()), ("corpus", pa.int32()),
        ]
    )  # fmt: skip


def _write_dropped(folder: Path, tally: Tally, arranged: Arranged) -> None:
    """Write the examples of dropped rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        (REASONS[verdict], tag, *example)
        for (verdict, tag), examples in tally.examples.items()
        for example in examples
    ]
    rows += arranged.examples
    columns = list(zip(*sorted(rows), strict=True)) or [()] * len(schemas()["dropped"])
    # a side that is not Unicode is shown with the mark that stands for an unknown character
    arrays = [[text.encode("utf-8", "replace").decode() for text in column] for column in columns]
    pq.write_table(pa.table(arrays, schema=schemas()["dropped"]), folder / DROPPED, compression="zstd")


def _nothing_kept(counts: dict[str, Any], border: Border) -> IsoglotError:
    reasons = ", ".join(
        f"{reason}: {rows}" for reason, rows in sorted(counts["dropped"].items(), key=lambda x: -x[1])
    )
    unwanted = sorted(counts["not asked for"].items(), key=lambda item: -item[1])
    seen = ", ".join(f"{pair}: {rows}" for pair, rows in unwanted[:_SHOWN]) + ", ..." * (
        len(unwanted) > _SHOWN
    )
    problem = f"No sentence pair was kept of {counts['read']} rows read"
    if reasons:
        problem += f" (dropped: {reasons})"
    if seen:
        wanted = ", ".join(sorted(border.wanted)) or "any language"
        problem += f"; other rows are not from {border.source_lang} to {wanted} ({seen})"
    return IsoglotError(
        f"{problem}.", "Loosen the corpus options or choose other sources, languages or --source-lang."
    )


def _write_notice(folder: Path, sources: Sequence[Source]) -> None:
    lines = ["This corpus was made from:", ""]
    for source in sources:
        line = f"- {source.corpus} (licence: {source.licence or 'not stated'}). {source.attribution}".rstrip()
        if line not in lines:
            lines.append(line)
        if source.licence_text:
            path = folder / "licences" / f"{source.corpus.replace('/', '-')}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(source.licence_text, "utf-8")
    (folder / NOTICE).write_text("\n".join(lines) + "\n", "utf-8")


def _in_words(counts: dict[str, Any]) -> str:
    kept = [tag for tag, of in counts["languages"].items() if of["kept"]]
    return (
        f"{counts['kept']:,} pairs of {counts['read']:,} rows in {len(kept)} languages, "
        f"{sum(counts['sources'].values()):,} distinct source sentences"
    )
