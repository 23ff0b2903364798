"""A small multi-task material: tiny's made-up languages, inferences and answers of the same words."""

import numpy as np

import tiny
from isoglot.corpus.benchmarks.record import Inference
from isoglot.corpus.store import Groups
from isoglot.encode.encoder import load_encoder
from isoglot.objective.ranking.texts import Response, ranking_texts


def groups_of(sources, languages=("de", "fr")):
    targets = [tiny.translation(language, text) for text in sources for language in languages]
    many = len(languages)
    return Groups(
        list(sources),
        targets,
        np.repeat(np.arange(len(sources)), many).astype(np.int32),
        np.tile(np.arange(many), len(sources)).astype(np.int16),
        tuple(languages),
    )


def inferences(count):
    labels = ("entailment", "neutral", "contradiction")
    return [Inference(tiny.sentence(n), tiny.sentence(n * 3 + 1), labels[n % 3]) for n in range(count)]


def responses(count):
    return [Response(tiny.sentence(n * 5), tiny.sentence(n * 5 + 2)) for n in range(count)]


def material(folder, sources=60, nli=0, answers=0, weight=None):
    """A student and the texts of all tasks."""
    student = load_encoder(folder / "student")
    groups = groups_of([tiny.sentence(number * 7) for number in range(sources)])
    texts = ranking_texts(
        groups, student.tokenizer, "", weight, nli=inferences(nli), responses=responses(answers)
    )
    return student, texts
