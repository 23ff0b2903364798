"""A look at the dev split: languages of a single sentence, and a student that has left the numbers."""

import numpy as np
import pytest

from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.stages import dev_score, score
from isoglot.train.validation import collapse


class Table:
    """An encoder whose vectors of the queries are these."""

    def __init__(self, vectors):
        self.vectors = vectors

    def encode(self, texts):
        assert len(texts) == len(self.vectors)
        return self.vectors


def held_out(counts):
    """Pool texts whose translations are shared out: so many of each language."""
    language = np.repeat(np.arange(len(counts)), counts).astype(np.int16)
    texts = [f"sentence {number}" for number in range(len(language))]
    return HeldOut(
        texts, texts, np.arange(len(texts)), language, tuple("abc"[number] for number in range(len(counts)))
    )


@pytest.fixture(scope="module")
def vectors():
    """Teacher's vectors of thirty-one sentences, and a student's near them."""
    random = np.random.default_rng(0)
    teacher = random.normal(size=(31, 16)).astype(np.float32)
    teacher /= np.linalg.norm(teacher, axis=1, keepdims=True)
    return teacher, teacher + random.normal(scale=0.05, size=teacher.shape).astype(np.float32)


def test_a_language_of_one_sentence_is_searched_and_has_neither_variance_nor_pairs(vectors):
    teacher, student = vectors
    both = dev_score(Table(student), teacher, held_out([30, 1]), seed=0)
    assert both.languages == {"a": 1.0, "b": 1.0}
    assert 0.5 < both.r2 < 1
    assert both.spearman > 0.8
    alone = dev_score(Table(student[:1]), teacher, held_out([1]), seed=0)
    assert (alone.retrieval, alone.r2, alone.spearman) == (1.0, None, None)
    assert score(student[:1], np.array([0]), teacher, teacher).r2 is None
    assert score(student[:2], np.arange(2), teacher, teacher).r2 > 0.5


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_student_that_gives_no_numbers_has_collapsed(vectors, value):
    teacher, student = vectors
    start = dev_score(Table(student), teacher, held_out([31]), seed=0)
    lost = dev_score(Table(np.full_like(student, value)), teacher, held_out([31]), seed=0)
    assert "effective rank fell" in collapse(lost, start)
