"""`isoglot evaluate`: an encoder on test sets and held-out sentences, and two evaluations side by side."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isoglot.cli.console import Console, JsonOption, handled

if TYPE_CHECKING:
    from isoglot.pipeline.alone import Wanted

ModelArgument = Annotated[
    str | None,
    typer.Argument(
        help="A student folder or any other encoder: folder, hub id, package:NAME, model.onnx, https://HOST/v1#MODEL.",
        show_default=False,
    ),
]
SuiteOption = Annotated[
    str | None,
    typer.Option(
        "--suite",
        help="Tasks: heldout, sts, search, mining, bias, clustering, compat, health, mteb:TASK,...; all but MTEB's by"
        " default. With --compare: which of them.",
    ),
]
DataOption = Annotated[
    list[Path] | None,
    typer.Option("--data", metavar="PATH", help="Folder, zip or file of test sets. May be repeated."),
]
CorpusOption = Annotated[
    Path | None, typer.Option("--corpus", help="Corpus folder whose test split is used.")
]
OwnerOption = Annotated[
    str | None,
    typer.Option(
        "--teacher", help="Whose space the model should be in; by default what a student's card names."
    ),
]
TagsOption = Annotated[
    str | None,
    typer.Option("--languages", help="Only test sets in these languages, comma separated: de,fr,zh-Hans."),
]
IndexOption = Annotated[
    str | None,
    typer.Option(
        "--index", help="Index that the teacher built, for compat; isoglot compat has more options."
    ),
]
IndexTextsOption = Annotated[
    str | None,
    typer.Option(
        "--index-texts", metavar="PATH", help="Texts of an index without any: .txt, .jsonl or a corpus."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Where scores and report go; MODEL-evaluation by default. It can be resumed."),
]
CompareOption = Annotated[
    tuple[Path, Path] | None,
    typer.Option("--compare", metavar="A B", help="Two finished evaluations, instead of a model."),
]
PoolOption = Annotated[
    int | None, typer.Option("--pool", help="English texts that every held-out query is searched in.")
]
QueriesOption = Annotated[
    int | None, typer.Option("--queries", help="At most so many held-out sentences per language.")
]


def evaluate(
    model: ModelArgument = None,
    suite: SuiteOption = None,
    data: DataOption = None,
    corpus: CorpusOption = None,
    teacher: OwnerOption = None,
    languages: TagsOption = None,
    index: IndexOption = None,
    index_texts: IndexTextsOption = None,
    out: OutOption = None,
    compare: CompareOption = None,
    pool: PoolOption = None,
    queries: QueriesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score an encoder on test sets, or compare two; write the report."""
    with handled(as_json) as console:
        from isoglot.config import EvaluateConfig
        from isoglot.errors import RequestError
        from isoglot.pipeline.evaluate_suite import parse_languages, parse_suite

        tags = parse_languages(languages)
        if compare is not None:
            if model is not None:
                raise RequestError("--compare takes two evaluations and no model.", "Leave out MODEL.")
            return _compare(compare, suite, tags, out, console)
        if model is None:
            raise RequestError("There is no model to evaluate.", "Give MODEL, or --compare A B.")
        from isoglot.pipeline.alone import Wanted

        given = {key: value for key, value in (("pool", pool), ("queries", queries)) if value is not None}
        wanted = Wanted(
            model,
            parse_suite(suite),
            tuple(data or ()),
            tags,
            teacher,
            corpus,
            index,
            index_texts,
            EvaluateConfig(**given),
        )
        return _evaluate(wanted, out or _default_out(model), console)


def _evaluate(wanted: Wanted, out: Path, console: Console) -> None:
    from isoglot.cli.evaluate_tables import scores_text
    from isoglot.pipeline.alone import evaluate

    scores = evaluate(wanted, out, console)
    console.finish(dict(scores), f"{scores_text(scores)}\n\nreport   {out / 'report.html'}")


def _default_out(model: str) -> Path:
    """Beside a local model; else in the working folder, under the last part of its name."""
    path = Path(model)
    if path.exists():
        return path.resolve().with_name(f"{path.resolve().name}-evaluation")
    last = model.rstrip("/").split("/")[-1]
    return Path("".join(c if c.isalnum() or c in "-_." else "-" for c in last) + "-evaluation")


def _compare(
    pair: tuple[Path, Path], suite: str | None, languages: tuple[str, ...], out: Path | None, console: Console
) -> None:
    from isoglot.cli.evaluate_tables import comparison_text
    from isoglot.evaluate.compare import ADJUSTMENT
    from isoglot.pipeline.evaluate_compare import compare_folders
    from isoglot.pipeline.evaluate_suite import parse_suite

    chosen = None if suite is None else parse_suite(suite)
    compared = compare_folders(pair, chosen, languages, out, console)
    rows = [{**asdict(row), "noise": row.noise} for row in compared.rows]
    page = "" if out is None else f"\n\nreport   {out / 'report.html'}"
    console.finish(
        {**asdict(compared), "rows": rows, "adjustment": ADJUSTMENT},
        f"{comparison_text(compared)}\n\n{ADJUSTMENT}{page}",
    )
