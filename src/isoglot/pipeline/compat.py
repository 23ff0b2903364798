"""`isoglot compat`: can a student query the index that its teacher built?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from isoglot.artefact import read_json
from isoglot.compat_config import CompatConfig
from isoglot.config import TeacherConfig
from isoglot.encode.unit import unit
from isoglot.errors import RequestError
from isoglot.evaluate.compat.answers import Unlabelled
from isoglot.evaluate.compat.ask import Embedded, Vectors, ask
from isoglot.evaluate.compat.check import (
    NO_RELEVANT,
    Answers,
    data_digest,
    languages_of,
    limits_of,
    protocol_of,
    threshold_of,
    with_relevance,
)
from isoglot.evaluate.compat.measure import calibrate_unlabelled
from isoglot.evaluate.compat.proof import prove, refuse_width
from isoglot.evaluate.compat.queries import Query, Relevance, read_queries, read_relevance
from isoglot.evaluate.compat.result import CompatResult, Proof
from isoglot.evaluate.indexes.address import open_index
from isoglot.evaluate.indexes.index import Documents, Index, IndexFacts
from isoglot.evaluate.score import Signature
from isoglot.pipeline.alone import teacher_config, teacher_of
from isoglot.progress import SILENT, Progress
from isoglot.student.folder import CARD
from isoglot.teacher.axes import AXES
from isoglot.teacher.documents import open_documents
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher

_BLOCK = 1024  # texts between two reports of progress
_NO_QUERIES = (
    "There were no queries: only the calibration on the index's own texts, in their own language, was measured."
    " Whether other languages find anything is not known; give --queries."
)


@dataclass(frozen=True)
class Models:
    """Student and teacher, and how the user named them; `documents` is the teacher as it made the index."""

    student: Teacher
    teacher: Teacher
    documents: Teacher
    student_name: str
    teacher_name: str


@dataclass(frozen=True)
class Request:
    """What the user's files ask: queries, those of them that can be judged, and what is relevant."""

    queries: list[Query]
    judged: list[Query]
    relevance: Relevance | None


def check_index(
    model: str, address: str, config: CompatConfig, teacher: str | None = None, progress: Progress = SILENT
) -> CompatResult:
    """Check whether a student finds in an index what its teacher finds, per language.

    Args:
        model: a student folder; or any encoder, with its teacher or as its own.
        address: of the index; see `evaluate.indexes.address`.
        config: queries, relevance, limits.
        teacher: the model that built the index; by default the one that the student's card names.
        progress: where to report.

    Raises:
        RequestError: the index is empty or was built by something else, widths differ, or a file cannot be used.
        DamagedError: a file is cut or broken.
        IsoglotError: a server does not answer.
    """
    request = read_request(config)
    with open_index(address, config.index) as index:
        models = open_models(model, teacher, config.document_prompt)
        return check(index, models, request, config, progress)


def read_request(config: CompatConfig) -> Request:
    """Read queries and relevance.

    Raises:
        RequestError: a file is missing or empty, or no query has a relevant document.
        DamagedError: a row is broken.
    """
    if config.relevance is not None and not config.queries:
        raise RequestError("--relevance says nothing without queries.", "Name them with --queries.")
    queries = [
        query for path in config.queries for query in read_queries(Path(path).expanduser(), config.language)
    ]
    relevance = None if config.relevance is None else read_relevance(Path(config.relevance).expanduser())
    return Request(queries, with_relevance(queries, relevance), relevance)


def open_models(model: str, teacher: str | None, document_prompt: str | None) -> Models:
    """Open the student and the teacher of its space.

    Args:
        model: student folder or encoder.
        teacher: by default the one that the student's card names; another encoder is its own teacher.
        document_prompt: what stood before the documents; None: what the card says, else what stands before the
            teacher's queries.

    Raises:
        RequestError: there is no such model, or the student lives in another teacher's space.
    """
    student, _ = open_teacher(TeacherConfig(model=model))
    folder = Path(model)
    prompt = {} if document_prompt is None else {"document_prompt": document_prompt}
    about = read_json(folder / CARD).get("teacher") if (folder / CARD).is_file() else None
    if about is not None:
        owner, config = teacher_of(folder, about, teacher), teacher_config(about, teacher)
    else:
        config = TeacherConfig(model=teacher or model)
        owner = student if teacher is None else open_teacher(config)[0]
    documents = open_documents(config.model_copy(update=prompt), folder / AXES)
    return Models(student, owner, owner if documents is None else documents, model, config.label)


def check(
    index: Index, models: Models, request: Request, config: CompatConfig, progress: Progress = SILENT
) -> CompatResult:
    """Check an open index; see `check_index`."""
    facts = index.facts
    refuse_width(facts, models.documents.dimension, models.teacher_name)
    refuse_width(facts, models.student.dimension, models.student_name)
    sample = _with_text(index.sample(config.sample), facts)
    expected = _embed(models.documents, sample.texts, "document", progress, scaled=False)
    stacked = np.stack([expected[text] for text in sample.texts])
    proof = prove(sample.vectors, stacked, config.min_cosine, facts, models.teacher_name)
    own, own_cosine = _own_texts(index, models, sample, proof, progress)
    answers = _answers(index, models, request, proof, progress)
    threshold, origin = threshold_of(answers, own, config, facts.metric)
    protocol = protocol_of(request.queries, request.relevance)
    space = str(models.teacher.space()["fingerprint"])
    fingerprint = str(models.student.space()["fingerprint"])
    how = f"{protocol}, top 10 by {facts.metric} of {facts.documents}"
    data = data_digest(request.judged, request.relevance)
    return CompatResult(
        model=models.student_name,
        fingerprint=fingerprint,
        space=space,
        index=facts,
        protocol=protocol,
        proof=proof,
        threshold_from=origin,
        limits=limits_of(protocol, config),
        own_texts=calibrate_unlabelled(own, threshold, facts.metric) if own else None,
        own_cosine=own_cosine,
        own_overlap=fmean(answer.overlap for answer in own) if own else None,
        languages=languages_of(answers, threshold, config, facts.metric),
        left_out=dict(answers.left_out),
        signature=str(Signature("index compatibility", how, data, fingerprint, space)),
        note="" if request.queries else _NO_QUERIES,
    )


def _with_text(sample: Documents, facts: IndexFacts) -> Documents:
    kept = sample.chosen([row for row, text in enumerate(sample.texts) if text.strip()])
    if not kept.ids:
        raise RequestError(
            f"The sampled documents of {facts.name} have no texts.", "Name their column with --text-column."
        )
    return kept


def _own_texts(
    index: Index, models: Models, sample: Documents, proof: Proof, progress: Progress
) -> tuple[list[Unlabelled], float]:
    """Ask for the sample's own texts: the teacher's view of them, and the mean cosine to their vectors."""
    queries = [Query(name, "", text, text) for name, text in zip(sample.ids, sample.texts, strict=True)]
    student = _embed(models.student, sample.texts, "student", progress, scaled=proof.unit)
    # without prompts of their own, documents are what queries are: their vectors need no second pass
    stored: Vectors = dict(zip(sample.texts, sample.vectors, strict=True))
    if models.documents is not models.teacher:
        stored = _embed(models.teacher, sample.texts, "teacher", progress, scaled=proof.unit)
    vectors = Embedded(stored, student)
    answers = Answers()
    with progress.task("own texts", len(queries), "queries") as task:
        for asked in ask(index, queries, vectors, task):
            answers.take(asked, None, index.facts.metric)
    near = unit(np.stack([student[text] for text in sample.texts])) * unit(sample.vectors)
    return answers.unlabelled[""], float(near.sum(axis=1).mean())


def _answers(index: Index, models: Models, request: Request, proof: Proof, progress: Progress) -> Answers:
    answers = Answers()
    if len(request.judged) < len(request.queries):
        answers.left_out[NO_RELEVANT] = len(request.queries) - len(request.judged)
    if not request.judged:
        return answers
    english, texts = (
        list(dict.fromkeys(found))
        for found in zip(*((q.english, q.text) for q in request.judged), strict=True)
    )
    vectors = Embedded(
        _embed(models.teacher, english, "teacher", progress, scaled=proof.unit),
        _embed(models.student, texts, "student", progress, scaled=proof.unit),
    )
    with progress.task("queries", len(request.judged), "queries") as task:
        for asked in ask(index, request.judged, vectors, task):
            answers.take(asked, request.relevance, index.facts.metric)
    if not answers.labelled and not answers.unlabelled:
        reasons = ", ".join(f"{count} × {reason}" for reason, count in answers.left_out.items())
        raise RequestError(f"No query could be judged: {reasons}.", "Give queries that are no documents.")
    return answers


def _embed(model: Teacher, texts: Sequence[str], name: str, progress: Progress, *, scaled: bool) -> Vectors:
    """Embed distinct texts, with unit length where the index has it."""
    distinct = list(dict.fromkeys(texts))
    parts = []
    with progress.task(f"{name} vectors", len(distinct), "texts") as task:
        for start in range(0, len(distinct), _BLOCK):
            parts.append(model.encode(distinct[start : start + _BLOCK]))
            task.advance(len(parts[-1]))
    vectors = np.concatenate(parts)
    return dict(zip(distinct, unit(vectors) if scaled else vectors, strict=True))
