"""From sources to a corpus folder: read, filter, stage, and let DuckDB deduplicate, group and sort."""

from __future__ import annotations

import functools
import itertools
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.artefact import Manifest, is_current, publish
from isoglot.config import CorpusConfig
from isoglot.corpus.arrange import arrange
from isoglot.corpus.clean import normalise, reason_to_drop
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.corpus.source import Source, open_source
from isoglot.corpus.split import SPLITS, key, position, split_at
from isoglot.corpus.store import KIND, NOTICE, Corpus
from isoglot.errors import IsoglotError, RequestError
from isoglot.progress import SILENT, Progress, Task

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 16_384
_SHOWN = 10  # language pairs named in an error
_CACHED = 1 << 16  # sentences and pairs that come again, mostly soon after one another


@dataclass
class Tally:
    """What happened to every row, while reading."""

    read: Counter[str] = field(default_factory=Counter)  # target language -> rows
    dropped: dict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )  # language -> reason -> rows
    unwanted: Counter[str] = field(default_factory=Counter)  # language that was not asked for -> rows


def build(config: CorpusConfig, out: Path, progress: Progress = SILENT) -> Corpus:
    """Build the corpus folder `out`, or open it when it already is the answer to this request.

    Raises:
        RequestError: no sources, or one that cannot be read.
        DamagedError: an input is damaged.
        IsoglotError: no row was kept; the message says why the rows were dropped.
    """
    border = Border(config.source_lang, config.languages)
    sources = _open_all(config.sources)
    counts: dict[str, Any] = {}  # filled while working, written by publish
    inputs = {source.text: source.sha256 for source in sources}
    manifest = Manifest(KIND, inputs, _resolved(config, border), counts)
    if is_current(out, manifest):
        progress.stage("corpus", f"{out} is already built")
        return Corpus.open(out)
    with publish(out, manifest) as folder:
        staged = folder / "staged.parquet"
        tally = _stage(sources, border, config, staged, progress)
        counts.update(_counts(tally, arrange(staged, folder, config.max_sources)))
        counts["codes"] = {tag: sorted(codes) for tag, codes in sorted(border.given.items())}
        counts["licences"] = {source.text: source.licence or "not stated" for source in sources}
        if not counts["kept"]:
            raise _nothing_kept(counts, border)
        _write_notice(folder, sources)
        staged.unlink()
        shutil.rmtree(folder / "spill", ignore_errors=True)
    progress.stage("corpus", _summary(counts))
    return Corpus.open(out)


def _open_all(texts: Sequence[str]) -> list[Source]:
    if not texts:
        raise RequestError("No SOURCE was given.", "Name files or package:NAME==VERSION.")
    return [open_source(text) for text in dict.fromkeys(texts)]


def _resolved(config: CorpusConfig, border: Border) -> dict[str, Any]:
    """Options with canonical languages, so that `deu` and `de` are the same request."""
    languages = sorted(border.wanted)
    return {**config.model_dump(mode="json"), "languages": languages, "source_lang": border.source_lang}


def _stage(
    sources: Sequence[Source], border: Border, config: CorpusConfig, staged: Path, progress: Progress
) -> Tally:
    """Write all rows that pass the filters to one Parquet file, with key, place and split of their source."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tally, numbers = Tally(), itertools.count()
    with pq.ParquetWriter(staged, _staged_schema(), compression="zstd") as writer:
        for source in sources:
            with progress.task(f"reading {source.corpus}", None, "rows") as task:
                pairs = _kept(source.read(border), border, config, tally)
                for rows in _batched(_keyed(pairs, numbers, config), task):
                    writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=_staged_schema()))
    return tally


def _kept(pairs: Iterator[Pair], border: Border, config: CorpusConfig, tally: Tally) -> Iterator[Pair]:
    """Turn pairs to the source language, normalise them, and count and drop what the filters refuse."""
    judge = functools.lru_cache(_CACHED)(functools.partial(reason_to_drop, config=config.clean))
    for raw in pairs:
        pair = raw.swapped() if raw.target_lang == border.source_lang else raw
        if pair.source_lang != border.source_lang or not border.wants(pair.target_lang):
            tally.unwanted[f"{pair.source_lang}-{pair.target_lang}"] += 1
            continue
        source, target = _normalised(pair.source), normalise(pair.target)
        tally.read[pair.target_lang] += 1
        reason = judge(source, target)
        if reason is None:
            yield Pair(source, target, pair.source_lang, pair.target_lang, pair.corpus)
        else:
            tally.dropped[pair.target_lang][reason] += 1


def _keyed(pairs: Iterator[Pair], numbers: Iterator[int], config: CorpusConfig) -> Iterator[dict[str, Any]]:
    for pair in pairs:
        source_key, place, split = _placed(pair.source, config.dev_percent, config.test_percent)
        yield {
            "number": next(numbers), "key": source_key, "place": place, "split": split, "source": pair.source,
            "lang": pair.target_lang, "target": pair.target, "corpus": pair.corpus,
        }  # fmt: skip


_normalised = functools.lru_cache(_CACHED)(normalise)


@functools.lru_cache(_CACHED)
def _placed(source: str, dev_percent: float, test_percent: float) -> tuple[str, int, str]:
    source_key = key(source)
    place = position(source_key)
    return source_key, place, split_at(place, dev_percent, test_percent)


def _batched(rows: Iterator[dict[str, Any]], task: Task) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH_ROWS:
            yield batch
            task.advance(len(batch))
            batch = []
    yield batch
    task.advance(len(batch))


def _staged_schema() -> pa.Schema:
    import pyarrow as pa

    texts = ("key", "split", "source", "lang", "target", "corpus")
    return pa.schema(
        [("number", pa.int64()), ("place", pa.uint64()), *((name, pa.string()) for name in texts)]
    )


def _counts(tally: Tally, arranged: dict[str, Any]) -> dict[str, Any]:
    """One record for the manifest: totals, and the same per language."""
    languages = {}
    for tag in sorted(tally.read):
        splits = arranged["targets"].get(tag, dict.fromkeys(SPLITS, 0))
        late = {reason: arranged[reason].get(tag, 0) for reason in ("duplicate", "over the cap")}
        dropped = Counter(tally.dropped[tag]) + Counter(late)
        kept = sum(splits.values())
        languages[tag] = {"read": tally.read[tag], "kept": kept, "splits": splits, "dropped": dict(dropped)}
    return {
        "read": tally.read.total(),
        "kept": sum(counts["kept"] for counts in languages.values()),
        "dropped": dict(sum((Counter(counts["dropped"]) for counts in languages.values()), Counter())),
        "not asked for": dict(sorted(tally.unwanted.items())),
        "sources": arranged["sources"],
        "languages": languages,
        "corpora": arranged["corpora"],
    }


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
        lines.append(
            f"- {source.corpus} (licence: {source.licence or 'not stated'}). {source.attribution}".rstrip()
        )
        if source.licence_text:
            path = folder / "licences" / f"{source.corpus.replace('/', '-')}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(source.licence_text, "utf-8")
    (folder / NOTICE).write_text("\n".join(lines) + "\n", "utf-8")


def _summary(counts: dict[str, Any]) -> str:
    kept = [tag for tag, of in counts["languages"].items() if of["kept"]]
    return (
        f"{counts['kept']:,} pairs of {counts['read']:,} rows in {len(kept)} languages, "
        f"{sum(counts['sources'].values()):,} distinct source sentences"
    )
