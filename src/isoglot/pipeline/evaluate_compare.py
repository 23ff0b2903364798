"""Two finished evaluations, compared and shown on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from isoglot.corpus.benchmarks.matching import matches
from isoglot.errors import RequestError
from isoglot.evaluate.compare import ADJUSTMENT, Compared, compare
from isoglot.evaluate.report import page
from isoglot.evaluate.report.data import Report
from isoglot.evaluate.report.measured import Comparison, ComparisonRow
from isoglot.evaluate.results import Evaluation, Result, read_evaluation
from isoglot.pipeline.evaluate_suite import Suite
from isoglot.pipeline.layout import REPORT
from isoglot.progress import SILENT, Progress


def compare_folders(
    pair: tuple[Path, Path],
    suite: Suite | None = None,
    languages: Sequence[str] = (),
    out: Path | None = None,
    progress: Progress = SILENT,
) -> Compared:
    """Compare two evaluations in the scores that both have.

    Args:
        pair: folders of evaluations, or their scores.json.
        suite: only these tasks; None: all.
        languages: only scores in these languages; empty: all.
        out: where the page goes; None: there is none.
        progress: where to report.

    Raises:
        RequestError: one is no evaluation, they measured different things (names the field), or nothing is in both.
        DamagedError: one is damaged.
    """
    first, second = (_narrowed(read_evaluation(path), suite, languages) for path in pair)
    if first.model == second.model:  # two stages of one student, say: told apart by where they are
        first, second = replace(first, model=str(pair[0])), replace(second, model=str(pair[1]))
    compared = compare(first, second, progress=progress)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        page.write(_report(compared, first), out / REPORT)
    return compared


def _narrowed(evaluation: Evaluation, suite: Suite | None, languages: Sequence[str]) -> Evaluation:
    """Keep some tasks and languages."""

    def wanted(result: Result) -> bool:
        named = not languages or any(matches(test, tag) for test in result.languages for tag in languages)
        return named and (suite is None or result.task in suite.names)

    kept = {key: result for key, result in evaluation.results.items() if wanted(result)}
    if not kept:
        raise RequestError(
            f"{evaluation.path} has no score of these tasks and languages.", "Name others, or none for all."
        )
    return replace(evaluation, results=kept)


def _report(compared: Compared, first: Evaluation) -> Report:
    rows = tuple(
        ComparisonRow(
            row.task, row.test_set, row.languages or (f"mean of {row.over}",), row.metric, row.first, row.second,
            row.difference, row.low, row.high, row.p, row.noise,
        )
        for row in compared.rows
        if row.main  # the page calls a higher value better
    )  # fmt: skip
    return Report(
        title=f"{compared.second} beside {compared.first}",
        model=compared.second,
        comparison=Comparison(compared.first, compared.second, rows),
        provenance={"isoglot": version("isoglot"), "compared": ADJUSTMENT},
        signatures=tuple(dict.fromkeys(str(one.signature) for one in first.results.values())),
    )
