"""The whole audit: open the test sets, index them, and stream every corpus past them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from isoglot.corpus.audit.index import build_index, sentence_digest
from isoglot.corpus.audit.rows import read_rows, source_language
from isoglot.corpus.audit.scan import Audit, Example, scan
from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.benchmarks.record import Benchmark
from isoglot.corpus.languages import Border
from isoglot.corpus.split import key
from isoglot.errors import RequestError
from isoglot.progress import SILENT, Progress


def audit(
    corpora: Sequence[str],
    against: Sequence[Path],
    near: float | None,
    source_lang: str = "en",
    progress: Progress = SILENT,
) -> Audit:
    """Count the rows of some corpora that are in some test sets.

    Memory is that of the test sets' index, at its peak about 100 bytes per test sentence and, when near matches are
    asked for, 70 bytes per 5-gram; rows are read once and none is kept.

    Args:
        corpora: folders of `isoglot corpus build`, SOURCEs, or tables of premise and hypothesis.
        against: folders, archives or files with test sets.
        near: least share of a test sentence's 5-grams in a near match, in (0, 1]; None: exact matches only.
        source_lang: code of the corpora's source language; a corpus folder knows its own.
        progress: where to report.

    Raises:
        RequestError: something is no corpus or no test set, or `near` is not a share.
        DamagedError: something is damaged.
    """
    if near is not None and not 0 < near <= 1:
        raise RequestError(
            f"--near {near} is no share of 5-grams.", "Give one above 0 and up to 1, such as 0.75."
        )
    border = Border(source_language(corpora, source_lang))
    benchmarks = open_benchmarks(against)
    index = build_index(benchmarks, border.source_lang, with_ngrams=near is not None)
    progress.stage("test sets", f"{index.sentences:,} distinct sentences of {len(index.test_sets)} test sets")
    found = Audit(index.test_sets)
    rows = (row for corpus in corpora for row in read_rows(corpus, border))
    with progress.task("auditing", None, "rows") as task:
        scan(rows, index, near, task, found)
    found.examples = _with_sentences(found.examples, benchmarks)
    return found


def _with_sentences(examples: list[Example], benchmarks: Sequence[Benchmark]) -> list[Example]:
    """Put the test sentences beside the texts that leak them; the index has only their digests."""
    wanted = {(example.test_set, example.digest) for example in examples}
    test_sets = {test_set for test_set, _ in wanted}
    texts: dict[tuple[str, bytes], str] = {}
    for benchmark in benchmarks:
        if benchmark.test_set in test_sets:
            for _, text in benchmark.sentences():
                known = benchmark.test_set, sentence_digest(key(text))
                if known in wanted:
                    texts.setdefault(known, text)
    return [replace(example, test_sentence=texts[example.test_set, example.digest]) for example in examples]
