"""NLI and graded pairs in a hub's layout, with the real `datasets` on folders made here."""

import pytest

from isoglot.corpus.benchmarks.hub import inferences, similarities
from isoglot.corpus.benchmarks.record import Inference, Similarity
from isoglot.corpus.sources.hf import open_dataset
from isoglot.errors import DamagedError, RequestError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hub")


def dataset(folder, **splits):
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    for split, columns in splits.items():
        pq.write_table(pa.table(columns), folder / f"{split}-0.parquet")
    return open_dataset(str(folder))


def nli(labels):
    return {
        "premise": ["p"] * len(labels),
        "hypothesis": [f"h{n}" for n in range(len(labels))],
        "label": labels,
    }


def test_numbered_labels_have_the_hub_s_order(tmp_path):
    found = list(inferences(dataset(tmp_path / "pair-class", train=nli([0, 1, 2, -1]), dev=nli([0]))))
    assert [record.label for record in found] == ["entailment", "neutral", "contradiction", "-"]
    assert found[1] == Inference("p", "h1", "neutral")


def test_labels_may_be_words(tmp_path):
    found = list(inferences(dataset(tmp_path / "words", train=nli(["neutral", "entailment"]))))
    assert [record.label for record in found] == ["neutral", "entailment"]


def test_a_number_that_is_no_label(tmp_path):
    with pytest.raises(DamagedError, match="7 is no label"):
        list(inferences(dataset(tmp_path / "words", train=nli([7]))))


def test_a_sentence_of_several_lines_becomes_one(tmp_path):
    """Sentences are compared many at a time, joined by line feeds."""
    lines = {"premise": ["a\nb\n"], "hypothesis": ["c\r\nd"], "label": [0]}
    assert list(inferences(dataset(tmp_path / "lines", train=lines))) == [
        Inference("a b", "c d", "entailment")
    ]


def graded(scores):
    return {"sentence1": ["a"] * len(scores), "sentence2": ["b"] * len(scores), "score": scores}


def test_scores_are_read_as_they_stand(tmp_path):
    """Whether they go to 1 or to 5 is for whoever trains on them: a rank correlation does not ask."""
    opened = dataset(tmp_path / "stsb", train=graded([1.0, 0.5, 0.0]), validation=graded([4.0, 0.2]))
    assert similarities(opened, "train") == [Similarity("a", "b", score) for score in (1.0, 0.5, 0.0)]
    assert [pair.score for pair in similarities(opened, "validation")] == [4.0, 0.2]


def test_what_lacks_a_column_or_a_split_says_so(tmp_path):
    opened = dataset(tmp_path / "stsb", train=graded([4.0]))
    with pytest.raises(DamagedError, match="has no premise"):
        list(inferences(dataset(tmp_path / "other", train={**graded([1.0]), "label": [0]})))
    with pytest.raises(RequestError, match="has no split validation"):
        similarities(opened, "validation")
