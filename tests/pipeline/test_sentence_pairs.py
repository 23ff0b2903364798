"""NLI and graded pairs beside parallel text: what is read of a folder, and what is said of it."""

import pytest

from isoglot.corpus.benchmarks.record import Inference, Similarity
from isoglot.errors import RequestError
from isoglot.pipeline.compared.ranking import _labelled
from isoglot.pipeline.compared.sentence_pairs import Graded, notice_of, read_graded, read_nli

HEAD = "premise\thypothesis\tlabel\n"


@pytest.fixture
def folder(tmp_path):
    """English, German, and a split that is for evaluation; two spellings of a label, and a pair without one."""
    rows = {
        "eng": "a b\tc\tcontradictory\nd\te\tneutral\nf\tg\t-\n",
        "deu": "h\ti\tentailment\n",
    }
    (tmp_path / "nli").mkdir()
    for name, lines in rows.items():
        (tmp_path / "nli" / f"{name}.tsv").write_text(HEAD + lines)
    dev = "language\tgold_label\tsentence1\tsentence2\nen\tneutral\tj\tk\n"
    (tmp_path / "nli" / "xnli.dev.tsv").write_text(dev)
    return tmp_path / "nli"


def test_all_languages_or_one_and_never_what_is_for_evaluation(folder):
    premises = [row.premise for row in read_nli(str(folder), None)]
    assert sorted(premises) == ["a b", "d", "f", "h"]
    assert read_nli(str(folder), "de") == [Inference("h", "i", "entailment")]
    with pytest.raises(RequestError, match="holds none for training on NLI in fr"):
        read_nli(str(folder), "fr")
    with pytest.raises(RequestError, match="holds none for training on NLI in any language"):
        read_nli(str(folder / "xnli.dev.tsv"), None)


def test_ranking_takes_what_has_one_of_the_three_labels(folder):
    labels = sorted(row.label for row in _labelled(str(folder)))
    assert labels == ["contradiction", "entailment", "neutral"]
    (folder / "eng.tsv").write_text(f"{HEAD}f\tg\t-\n")
    with pytest.raises(RequestError, match="holds no inference labelled"):
        _labelled(str(folder / "eng.tsv"))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Write a split of a dataset in a hub's layout; gives the text that names it."""
    import datasets
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    def write(name, split, columns):
        (tmp_path / name).mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), tmp_path / name / f"{split}-0.parquet")
        return f"hf:{tmp_path / name}"

    return write


def test_a_hub_s_layout_is_read_too(hub):
    named = hub("all-nli", "train", {"premise": ["p", "q"], "hypothesis": ["h", "i"], "label": [0, -1]})
    assert _labelled(named) == [Inference("p", "h", "entailment")]


def test_graded_pairs_of_a_hub_need_no_dev_split(hub):
    def pairs(score):
        return {"sentence1": ["a"], "sentence2": ["b"], "score": [score]}

    named = hub("stsb", "train", pairs(3.0))
    assert read_graded(named, "en") == Graded([Similarity("a", "b", 3.0)], [])
    hub("stsb", "validation", pairs(2.0))
    assert read_graded(named, "en").dev == [Similarity("a", "b", 2.0)]


def test_a_notice_names_files_and_datasets():
    said = notice_of(
        {"inference": "hf:ORG/NAME/pair-class", "answers": "some/folder/answers.tsv", "none": None}
    )
    assert said.splitlines() == [
        "inference: hf:ORG/NAME/pair-class (its licence is that of its origin)",
        "answers: answers.tsv (its licence is that of its origin)",
    ]
