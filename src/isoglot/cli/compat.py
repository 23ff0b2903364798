"""`isoglot compat`: does a student find in an index what the teacher that built it finds?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from isoglot.cli.console import JsonOption, count, handled
from isoglot.cli.corpus.tables import table

if TYPE_CHECKING:
    from isoglot.evaluate.compat.result import Calibration, CompatResult, LanguageCompat

_MEANS = {
    "labelled": "relative: nDCG@10 as a share of the teacher's with the English queries",
    "unlabelled": "overlap: share of the teacher's ten hits for the English query that the student finds too",
}


def _option(name: str, text: str) -> Any:  # noqa: ANN401  typer's own type
    return typer.Option(name, help=text)


ModelArgument = Annotated[str, typer.Argument(help="A student folder, or any encoder.")]
IndexOption = Annotated[
    str,
    _option(
        "--index",
        "A store, a file of vectors, FILE.faiss, lancedb:FOLDER#TABLE, qdrant:PLACE#COLLECTION or"
        " postgresql://USER@HOST/DATABASE?table=NAME.",
    ),
]
QueriesOption = Annotated[
    list[str] | None,
    _option("--queries", "TSV of queries and their English parallels; may be given again."),
]
RelevanceOption = Annotated[
    str | None, _option("--relevance", "TSV of query id, id of a relevant document, grade.")
]
LanguageOption = Annotated[
    str | None, _option("--language", "Language of queries in files without a header.")
]
TeacherOption = Annotated[
    str | None, _option("--teacher", "The model that built the index; by default the student's.")
]
PromptOption = Annotated[
    str | None, _option("--document-prompt", "What stood before the documents, where it was another prompt.")
]
ThresholdOption = Annotated[
    float | None, _option("--threshold", "The threshold in use today, in the index's measure.")
]
TextsOption = Annotated[
    str | None, _option("--texts", "Texts of an index without any: .txt, .jsonl or a corpus.")
]
TextColumnOption = Annotated[str | None, _option("--text-column", "Column of the texts.")]
VectorColumnOption = Annotated[str | None, _option("--vector-column", "Column of the vectors.")]
IdColumnOption = Annotated[str | None, _option("--id-column", "Column of the ids.")]
MetricOption = Annotated[
    str | None, _option("--metric", "cosine, dot or l2, where the index does not say it.")
]
KeyOption = Annotated[
    str | None, _option("--key-env", "NAME of the environment variable with the password or API key.")
]
SampleOption = Annotated[
    int | None, _option("--sample", "Texts that prove which model built the index (256).")
]
CosineOption = Annotated[
    float | None, _option("--min-cosine", "Cosine of a vector that is the teacher's (0.98).")
]
NdcgOption = Annotated[
    float | None, _option("--min-ndcg", "Labelled: share of the teacher's nDCG that works (0.9).")
]
OverlapOption = Annotated[float | None, _option("--min-overlap", "Unlabelled: overlap that works (0.5).")]
F1Option = Annotated[
    float | None, _option("--min-f1", "Share of the best F1 at which the threshold still holds (0.95).")
]


def compat(
    model: ModelArgument,
    index: IndexOption,
    queries: QueriesOption = None,
    relevance: RelevanceOption = None,
    language: LanguageOption = None,
    teacher: TeacherOption = None,
    document_prompt: PromptOption = None,
    threshold: ThresholdOption = None,
    texts: TextsOption = None,
    text_column: TextColumnOption = None,
    vector_column: VectorColumnOption = None,
    id_column: IdColumnOption = None,
    metric: MetricOption = None,
    key_env: KeyOption = None,
    sample: SampleOption = None,
    min_cosine: CosineOption = None,
    min_ndcg: NdcgOption = None,
    min_overlap: OverlapOption = None,
    min_f1: F1Option = None,
    as_json: JsonOption = False,
) -> None:
    """Check whether a student can query the index of its teacher."""
    with handled(as_json) as console:
        from isoglot.compat_config import CompatConfig
        from isoglot.pipeline.compat import check_index
        from isoglot.recipe import parse_options

        place = {
            "texts": texts, "text_column": text_column, "vector_column": vector_column, "id_column": id_column,
            "metric": metric, "key_env": key_env,
        }  # fmt: skip
        chosen = {
            "queries": queries, "relevance": relevance, "language": language, "threshold": threshold,
            "sample": sample, "min_cosine": min_cosine, "min_ndcg": min_ndcg, "min_overlap": min_overlap,
            "min_f1": min_f1, "document_prompt": document_prompt,
            "index": {key: value for key, value in place.items() if value is not None},
        }  # fmt: skip
        given = {key: value for key, value in chosen.items() if value is not None}
        config = parse_options(CompatConfig, given, "compat options")
        result = check_index(model, index, config, teacher, console)
        console.finish(result.as_dict(), overview(result))


def overview(result: CompatResult) -> str:
    """Describe a result in a few lines and one table."""
    facts, proof = result.index, result.proof
    lines = [
        f"index      {facts.name}: {facts.kind}, {count(facts.documents)} documents of {facts.dimension}"
        f" dimensions, by {facts.metric}",
        f"built by   the teacher: median cosine {proof.median:.4f} over {proof.sampled} sampled texts"
        f" (lowest {proof.lowest:.4f})",
        f"own texts  cosine of the student's vectors to the index's: {result.own_cosine:.3f}",
    ]
    if result.own_texts is not None and result.own_overlap is not None:
        lines.append(
            f"           it finds {result.own_overlap:.0%} of the ten hits that the teacher finds for them"
        )
        lines += [f"           {line}" for line in _held(result.own_texts)]
    if result.languages:
        lines += ["", _finds(result), _passes(result), _limits(result)]
    lines += [f"left out   {count(number)} × {reason}" for reason, number in result.left_out.items()]
    worst = result.worst
    if worst is not None:
        lines.append(f"worst      {worst.language}: {worst.value:.3f}, {worst.verdict}")
    return "\n".join([*lines, *([result.note] if result.note else [])])


def _finds(result: CompatResult) -> str:
    """What each language finds, and the verdict."""
    labelled = result.protocol == "labelled"
    measured = ["R@1", "R@5", "R@10", "MRR", "nDCG", "teacher", "relative"] if labelled else ["overlap"]
    heads = ["Language", "queries", *measured, "95 %", "verdict"]
    rows = [[row.language, count(row.queries), *_found(row), row.verdict] for row in result.languages]
    return table(heads, rows, right=range(1, len(heads) - 1))


def _found(row: LanguageCompat) -> list[str]:
    spread = "" if row.interval is None else f"{row.interval[0]:.3f}-{row.interval[1]:.3f}"
    if row.student is None or row.teacher is None:
        return [f"{row.value:.3f}", spread]
    own = row.student
    values = (own.recall_1, own.recall_5, own.recall_10, own.mrr_10, own.ndcg_10, row.teacher.ndcg_10)
    return [*(f"{value:.3f}" for value in (*values, row.value)), spread]


def _passes(result: CompatResult) -> str:
    """What passes the threshold in each language, and which one would be best."""
    heads = ["Language", "precision", "recall", "F1", "best F1", "at", "shift", ""]
    rows = []
    for row in result.languages:
        one = row.calibration
        numbers = (one.student.precision, one.student.recall, one.student.f1, one.own.f1, one.own_threshold)
        shift = f"{one.agreement.shift:+.3f}"
        rows.append([row.language, *(f"{number:.3f}" for number in numbers), shift, ""])
    return table(heads, rows, right=range(1, 7))


def _held(one: Calibration) -> tuple[str, str]:
    student, own = one.student, one.own
    return (
        f"threshold {one.threshold:.3f} lets pass what passes with the teacher: precision {student.precision:.3f},"
        f" recall {student.recall:.3f}, F1 {student.f1:.3f}",
        f"best F1 {own.f1:.3f} at {one.own_threshold:.3f}; scores shift by {one.agreement.shift:+.3f}",
    )


def _limits(result: CompatResult) -> str:
    threshold = result.languages[0].calibration.threshold
    right = (
        "relevant documents" if result.protocol == "labelled" else "what passes with the English query today"
    )
    return "\n".join([
        _MEANS[result.protocol],
        f"precision, recall, F1: of {right}, at the threshold {threshold:.3f} ({result.threshold_from})",
        f"works: at least {result.limits['value']:g}, and {result.limits['f1']:.0%} of the best F1 at that threshold",
    ])  # fmt: skip
