"""One query asked both ways: what counts as the same text, and what both protocols keep of the hits."""

from __future__ import annotations

import numpy as np
import pytest

from isoglot.compat_config import CompatConfig
from isoglot.errors import RequestError
from isoglot.evaluate.compat.answers import Asked, is_document, labelled, unlabelled, without_identical
from isoglot.evaluate.compat.check import Answers, languages_of, threshold_of, with_relevance
from isoglot.evaluate.compat.measure import calibrate_labelled, calibrate_unlabelled
from isoglot.evaluate.compat.queries import Query
from isoglot.evaluate.indexes.index import Documents
from isoglot.evaluate.indexes.metric import scores

QUERY = Query("q", "de", "Wo ist die Tür?", "Where is the door?")


def hits(*texts: str, vectors=None) -> Documents:
    draw = np.random.default_rng(len(texts))
    table = draw.standard_normal((len(texts), 4), np.float32) if vectors is None else vectors
    return Documents(tuple(f"d{text}" for text in texts), texts, table)


def asked(expected: Documents, found: Documents, query: Query = QUERY) -> Asked:
    draw = np.random.default_rng(1)
    return Asked(query, *draw.standard_normal((2, 4), np.float32), expected, found)


def test_the_query_and_repeated_texts_are_dropped():
    every = hits("where is the DOOR", "a", "Wo ist  die Tür?", "b", "a.", *"cdefghijklmn")
    assert without_identical(every, QUERY).texts == ("a", "b", *"cdefghij")


def test_documents_without_text_are_told_apart_by_their_ids():
    every = Documents(("1", "2", "1"), ("", "", ""), np.eye(3, dtype=np.float32))
    assert without_identical(every, QUERY).ids == ("1", "2")


def test_a_query_that_is_a_document_is_known_by_either_text():
    assert is_document(asked(hits("x", "Where is the door?"), hits("y")))
    assert is_document(asked(hits("x"), hits("wo ist die tür")))
    assert not is_document(asked(hits("x"), hits("Where is the lamp?")))


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_pairs_hold_both_models_scores_of_what_either_found(metric):
    one = asked(hits("a", "b", "c"), hits("b", "z", vectors=np.eye(4, dtype=np.float32)[:2]))
    answer = unlabelled(one, metric)
    assert answer is not None
    assert answer.overlap == pytest.approx(1 / 3)
    assert answer.first == 3
    documents = np.concatenate([one.expected.vectors, one.found.vectors[1:]])
    expected = np.stack(
        [scores(one.teacher, documents, metric), scores(one.student, documents, metric)], axis=1
    )
    assert answer.pairs == pytest.approx(expected, abs=1e-6)


def test_nothing_but_the_query_itself_is_no_answer():
    assert unlabelled(asked(hits("Where is the door?"), hits("x")), "cosine") is None


def test_grades_stand_in_the_order_of_the_hits():
    one = asked(hits("a", "b"), hits("c", "a", "b"))
    answer = labelled(one, {"da": 2.0, "dc": 1.0, "dmissing": 3.0}, "cosine")
    assert answer.gains[:, :3].tolist() == [[2.0, 0.0, 0.0], [1.0, 2.0, 0.0]]
    assert answer.ideal[:4].tolist() == [3.0, 2.0, 1.0, 0.0]
    assert answer.relevant == 3
    assert np.isnan(answer.scores[0, 2:]).all()
    assert answer.scores[1, :3] == pytest.approx(scores(one.student, one.found.vectors, "cosine"))


def test_labels_and_no_labels_are_counted_apart():
    answers = Answers()
    answers.take(asked(hits("a"), hits("a")), {"q": {"da": 1.0}}, "cosine")
    answers.take(asked(hits("Where is the door?"), hits("a")), {"q": {"da": 1.0}}, "cosine")
    assert list(answers.labelled) == ["de"]
    assert not answers.unlabelled
    assert answers.left_out == {"the query is itself a document": 1}


def vectors_at(cosines):
    """Unit vectors of these cosines to the first axis."""
    return np.array([[c, np.sqrt(1 - c * c), 0, 0] for c in cosines], np.float32)


def at(cosines, factor: float, query: Query = QUERY) -> Asked:
    """The same hits for both models, whose student sees smaller cosines by `factor` (another angle to the query)."""
    documents = hits(*(f"t{number}" for number in range(len(cosines))), vectors=vectors_at(cosines))
    axis = np.array([1, 0, 0, 0], np.float32)
    shrunk = np.array([factor, 0, np.sqrt(1 - factor * factor), 0], np.float32)
    return Asked(query, axis, shrunk, documents, documents)


def test_a_shrunk_cosine_finds_the_same_and_needs_a_new_threshold():
    answers = [unlabelled(at([0.9, 0.8, 0.5, 0.4], 0.6), "cosine")]
    found = calibrate_unlabelled(answers, 0.7, "cosine")
    assert (found.student.precision, found.student.recall) == (1.0, 0.0)
    assert found.own.f1 == 1.0
    assert found.own_threshold == pytest.approx(0.6 * 0.65, abs=1e-5)
    assert found.agreement.shift == pytest.approx(-0.4 * np.mean([0.9, 0.8, 0.5, 0.4]), abs=1e-5)
    assert (found.agreement.kept, found.agreement.added) == (0.0, 0.0)
    assert found.holds == 0.0
    assert found.teacher.f1 == 1.0


def test_distances_are_given_back_as_distances():
    answers = [unlabelled(at([0.9, 0.8, 0.5, 0.4], 0.9), "l2")]
    found = calibrate_unlabelled(answers, -0.8, "l2")
    assert found.threshold == 0.8
    assert found.own_threshold > 0
    assert found.agreement.shift > 0  # farther
    assert all(0 <= one.low < one.high for one in found.curve)
    assert [one.low for one in found.curve] == sorted(one.low for one in found.curve)
    assert next(one.share for one in found.curve if one.pairs) == 1.0  # the nearest pass


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "works"), (0.6, "usable with a new threshold")])
def test_the_threshold_decides_between_two_verdicts(factor, verdict):
    answers = Answers()
    answers.take(at([0.9, 0.8, 0.5, 0.4], factor), None, "cosine")
    found = languages_of(answers, 0.7, CompatConfig(), "cosine")
    assert [(one.language, one.verdict, one.overlap) for one in found] == [("de", verdict, 1.0)]


def test_the_limits_are_options():
    answers = Answers()
    one = asked(hits("a", "b", "c", "d"), hits("a", "x", "y", "z"))
    answers.take(one, None, "cosine")
    below = languages_of(answers, 0.0, CompatConfig(min_overlap=0.3), "cosine")[0]
    above = languages_of(answers, 0.0, CompatConfig(min_overlap=0.2, min_f1=0.01), "cosine")[0]
    assert (below.value, below.verdict) == (0.25, "does not work")
    assert above.verdict in ("works", "usable with a new threshold")
    answers = Answers()
    answers.take(at([0.9, 0.8, 0.5, 0.4], 0.8), None, "cosine")  # at 0.7 two of three are kept: F1 0.667
    verdicts = [
        languages_of(answers, 0.45, CompatConfig(min_f1=least), "cosine")[0].verdict for least in (0.5, 0.9)
    ]
    assert verdicts == ["works", "usable with a new threshold"]


def test_labelled_value_is_relative_to_the_teacher():
    answers = Answers()
    for number, order in enumerate((("a", "b", "c"), ("b", "a", "c"))):
        one = asked(hits("a", "b", "c"), hits(*order), Query(str(number), "de", f"x{number}", f"e{number}"))
        answers.take(one, {str(number): {"da": 1.0}}, "cosine")
    found = languages_of(answers, 0.0, CompatConfig(), "cosine")[0]
    assert found.teacher.ndcg_10 == 1.0
    assert found.value == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert found.student.mrr_10 == 0.75
    assert found.student.recall_1 == 0.5


def test_the_threshold_comes_from_the_user_the_labels_or_the_median():
    answers, nothing = Answers(), Answers()
    answers.take(at([0.9, 0.8, 0.5, 0.4], 1.0), {"q": {"dt0": 1.0, "dt1": 1.0}}, "cosine")
    own = [unlabelled(at([0.9, 0.8, 0.5, 0.4], 1.0), "cosine")]
    given = CompatConfig(threshold=0.33)
    assert threshold_of(answers, own, given, "cosine") == (0.33, "given")
    assert threshold_of(answers, own, given, "l2") == (-0.33, "given")
    chosen, origin = threshold_of(answers, own, CompatConfig(), "cosine")
    assert (round(chosen, 3), origin) == (0.65, "best F1 of the teacher")
    median, origin = threshold_of(nothing, own, CompatConfig(), "cosine")
    assert (round(median, 3), origin) == (0.65, "median of the teacher's hits")
    with pytest.raises(RequestError, match="--threshold"):
        threshold_of(nothing, [], CompatConfig(), "cosine")


def test_labelled_calibration_counts_relevant_documents_that_were_not_found():
    answer = labelled(at([0.9, 0.8, 0.5, 0.4], 1.0), {"dt0": 1.0, "elsewhere": 1.0}, "cosine")
    found = calibrate_labelled([answer], 0.85, "cosine")
    assert (found.student.precision, found.student.recall) == (1.0, 0.5)
    assert found.teacher == found.student


def test_queries_without_labels_are_left_out_and_none_is_an_error():
    queries = [Query("1", "de", "a", "b"), Query("2", "de", "c", "d")]
    assert with_relevance(queries, {"2": {"x": 1.0}}) == queries[1:]
    assert with_relevance(queries, None) == queries
    with pytest.raises(
        RequestError, match="None of the 2 queries has a relevant document, such as the query '1'"
    ):
        with_relevance(queries, {"9": {"x": 1.0}})
