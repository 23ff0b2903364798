"""NLI and graded pairs become the columns that the losses expect."""

import pytest

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.benchmarks.record import LABELS, Inference, Similarity
from isoglot.errors import DamagedError
from isoglot.objective.siamese.columns import entailed, graded, labelled, sizes, texts_of
from objective.siamese.siamese_data import inferences, write_nli


def test_labels_of_the_file_become_the_class_numbers_of_the_head(tmp_path):
    [benchmark] = open_benchmarks([write_nli(tmp_path)])
    table = labelled(benchmark.records(Inference))["pairs"]
    rows = inferences()
    assert list(zip(table["sentence1"], table["sentence2"], strict=True)) == [row[:2] for row in rows]
    named = {"contradictory": "contradiction"}
    assert [LABELS[number] for number in table["label"]] == [named.get(row[2], row[2]) for row in rows]
    assert set(table["label"]) == {0, 1, 2}


def test_pairs_that_nobody_could_label_are_left_out():
    records = [Inference("a", "b", "-"), Inference("c", "d", "neutral")]
    assert labelled(records)["pairs"] == {"sentence1": ["c"], "sentence2": ["d"], "label": [2]}


def test_contradictions_are_hard_negatives_of_their_own_premise_only():
    records = [
        Inference("p", "e1", "entailment"),
        Inference("p", "c1", "contradiction"),
        Inference("p", "e2", "entailment"),
        Inference("p", "c2", "contradiction"),
        Inference("p", "e3", "entailment"),
        Inference("q", "e4", "entailment"),
        Inference("q", "n", "neutral"),
        Inference("r", "c3", "contradiction"),
    ]
    tables = entailed(records)
    assert tables["triplets"] == {
        "anchor": ["p", "p", "p"], "positive": ["e1", "e2", "e3"], "negative": ["c1", "c2", "c1"],
    }  # fmt: skip
    assert tables["pairs"] == {"anchor": ["q"], "positive": ["e4"]}
    assert sizes(tables) == {"triplets": 3, "pairs": 1}
    assert set(texts_of(tables)) == {"p", "q", "e1", "e2", "e3", "e4", "c1", "c2"}


def test_an_entailed_pair_that_stands_twice_counts_once():
    assert entailed([Inference("p", "e", "entailment")] * 2) == {
        "pairs": {"anchor": ["p"], "positive": ["e"]}
    }


def test_scores_become_cosines():
    records = [Similarity("a", "b", 5.0), Similarity("c", "d", 0.0), Similarity("e", "f", 2.5)]
    assert graded(records)["pairs"]["score"] == [1.0, 0.0, 0.5]


def test_scores_from_0_to_1_are_cosines_already():
    records = [Similarity("a", "b", 1.0), Similarity("c", "d", 0.25)]
    assert graded(records)["pairs"]["score"] == [1.0, 0.25]


@pytest.mark.parametrize("score", [-0.1, 5.1])
def test_a_score_that_is_none_is_refused(score):
    with pytest.raises(DamagedError, match="from 0 to 5"):
        graded([Similarity("a", "b", score)])
