"""MTEB itself on a small real encoder with local data, offline, beside MTEB on the same encoder by other hands."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

import tiny
from isoglot.encode.encoder import load_encoder
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.evaluate.statistics import value
from isoglot.pipeline.mteb import run_mteb

pytestmark = [
    pytest.mark.slow,  # importing mteb and sentence_transformers takes half a minute
    # of the libraries, not of ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
DATA = Path(os.environ.get("ISOGLOT_DATA", "unset"))
TASKS = ["STS17", "STSBenchmarkMultilingualSTS", "STSBenchmark", "Tatoeba", "BUCC", "BUCC.v2"]
SENTENCES = [tiny.sentence(number * 11) for number in range(60)]
GERMAN = [tiny.translation("de", text) for text in SENTENCES]
FRENCH = [tiny.translation("fr", text) for text in SENTENCES]
GOLD = np.random.default_rng(0).integers(0, 51, 60) / 10


def put(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def scored(first, second):
    rows = zip(GOLD, first, [*second[7:], *second[:7]], strict=True)
    return ["score\tsentence1\tsentence2", *(f"{gold}\t{one}\t{two}" for gold, one, two in rows)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    put(folder / "sts17" / "de-en.tsv", scored(GERMAN, SENTENCES))  # MTEB has this pair as en-de
    put(folder / "sts17" / "en-en.tsv", scored(SENTENCES, SENTENCES))
    for language, texts in (("de", GERMAN), ("en", SENTENCES), ("fr", FRENCH)):
        for split in ("dev", "test"):
            put(folder / "stsb" / f"{language}-{split}.tsv", scored(texts, texts))
    (folder / "stsb" / "fr-test.tsv").unlink()  # a language that has only one of the splits
    for code, texts in (("deu", GERMAN), ("fra", FRENCH)):
        pairs = [f"{text}\t{english}" for text, english in zip(texts, SENTENCES, strict=True)]
        put(folder / "tatoeba-v1" / f"{code}.tsv", ["source\ttarget", *pairs])
    put(folder / "bucc2018" / "de-en.training.de", [f"de-{n}\t{text}" for n, text in enumerate(GERMAN)])
    put(folder / "bucc2018" / "de-en.training.en", [f"en-{n}\t{text}" for n, text in enumerate(SENTENCES)])
    put(folder / "bucc2018" / "de-en.training.gold", [f"de-{n}\ten-{n}" for n in range(5, 45)])
    return folder


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(tiny_folder / "teacher", precision="fp32")


@pytest.fixture(scope="module")
def measured(tiny_folder, encoder, data, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, run_mteb(encoder, str(tiny_folder / "teacher"), TASKS, [], [data], out)


def held(task):
    """The same rows, put into MTEB's tasks by hand."""
    turned = [*SENTENCES[7:], *SENTENCES[:7]]
    turned_german = [*GERMAN[7:], *GERMAN[:7]]
    turned_french = [*FRENCH[7:], *FRENCH[:7]]
    english = {"sentence1": SENTENCES, "sentence2": turned, "score": GOLD.tolist()}
    german = {"sentence1": GERMAN, "sentence2": turned_german, "score": GOLD.tolist()}
    french = {"sentence1": FRENCH, "sentence2": turned_french, "score": GOLD.tolist()}
    return {
        "STS17": {"test": {
            "en-de": {"sentence1": turned, "sentence2": GERMAN, "score": GOLD.tolist()}, "en-en": english,
        }},
        "STSBenchmarkMultilingualSTS": {
            "dev": {"de": german, "en": english, "fr": french}, "test": {"de": german, "en": english},
        },
        "STSBenchmark": {"test": {"default": english}},
        "Tatoeba": {"test": {
            "deu-eng": {"sentence1": GERMAN, "sentence2": SENTENCES},
            "fra-eng": {"sentence1": FRENCH, "sentence2": SENTENCES},
        }},
        "BUCC.v2": {"test": {"de-en": {"sentence1": GERMAN[5:45], "sentence2": SENTENCES[5:45]}}},
        "BUCC": {"test": {"de-en": {
            "sentence1": GERMAN[5:45], "sentence2": SENTENCES, "gold": [(n, n + 5) for n in range(40)],
        }}},
    }[task]  # fmt: skip


@pytest.mark.parametrize("name", TASKS)
def test_scores_are_those_of_mteb_with_sentence_transformers(name, measured, tiny_folder):
    import mteb
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_folder / "teacher"))
    expected = {}
    for split, subsets in held(name).items():
        task = mteb.get_task(name, eval_splits=[split], hf_subsets=list(subsets))
        task.dataset = {
            subset: {split: rows if "gold" in rows else Dataset.from_dict(rows)}
            for subset, rows in subsets.items()
        }
        task.data_loaded = True
        (result,) = mteb.evaluate(model, task, cache=None, show_progress_bar=False).task_results
        for entry in result.scores[split]:
            expected[split, entry["hf_subset"]] = entry
    ours = {(one.split, one.subset): one for one in measured[1] if one.task == f"mteb:{name}"}
    assert set(ours) == set(expected)
    for key, one in ours.items():
        assert one.value == pytest.approx(expected[key]["main_score"], abs=1e-6)
        assert one.metrics[one.metric] == one.value
        for metric, number in one.metrics.items():
            assert number == pytest.approx(expected[key][metric], abs=1e-6), metric


def test_sts_equals_our_own_spearman(measured, encoder):
    one = next(one for one in measured[1] if (one.task, one.subset) == ("mteb:STS17", "en-de"))
    first, second = encoder.encode(GERMAN), encoder.encode([*SENTENCES[7:], *SENTENCES[:7]])
    items = np.stack([(first * second).sum(axis=1), GOLD], axis=1).astype(np.float32)
    assert one.value == pytest.approx(value("spearman", items), abs=1e-6)
    assert one.value == pytest.approx(spearmanr(items[:, 0], items[:, 1]).statistic, abs=1e-6)
    assert one.languages == ("en", "de")


def test_mteb_loads_the_results(measured, encoder):
    import mteb
    from mteb.results import TaskResult

    out, scores = measured
    cache = mteb.ResultCache(out / "mteb")
    (model,) = cache.load_results(models=["isoglot/teacher"]).model_results
    assert model.model_revision == encoder.space()["fingerprint"]
    assert sorted(result.task_name for result in model.task_results) == sorted(TASKS)
    for one in scores:
        result = TaskResult.from_disk(out / one.file)
        (entry,) = (entry for entry in result.scores[one.split] if entry["hf_subset"] == one.subset)
        assert entry["main_score"] == pytest.approx(one.value, abs=1e-6)  # files have six decimals
        assert result.dataset_revision == one.data
        assert result.mteb_version == one.version
    folder = (out / scores[0].file).parent
    assert json.loads((folder / "model_meta.json").read_text())["name"] == "isoglot/teacher"
    settings = [json.loads(line) for line in (folder / "run_settings.jsonl").read_text().splitlines()]
    assert {entry["task"] for entry in settings} == set(TASKS)
    assert not list(out.rglob("*.partial"))


def test_local_data_are_never_given_the_revision_of_the_hub(measured):
    import mteb

    assert all(one.data.startswith("isoglot-local-") for one in measured[1])
    assert mteb.get_task(
        "STS17"
    ).metadata.revision.isalnum()  # and MTEB's own record of the task is untouched


def test_nearest_neighbour_bucc_is_not_called_ours(measured):
    bucc = [one for one in measured[1] if "BUCC" in one.task]
    assert {one.task for one in bucc} == {"mteb:BUCC", "mteb:BUCC.v2"}
    assert {one.protocol for one in bucc} == {
        "BitextMining: nearest neighbour of gold sentences, no margin mining"
    }
    assert {one.protocol for one in measured[1] if "STS" in one.task} == {"STS"}


class Counting:
    """An encoder that notes what it is asked."""

    def __init__(self, encoder):
        self.inner, self.asked = encoder, []
        self.dimension, self.normalise = encoder.dimension, encoder.normalise
        self.space, self.missing = encoder.space, encoder.missing

    def encode(self, texts):
        self.asked += texts
        return self.inner.encode(texts)


class Stages:
    """A progress that keeps what stages say."""

    def __init__(self):
        from isoglot.progress import SILENT

        self.task, self.said = SILENT.task, {}

    def stage(self, name, summary):
        self.said[name] = summary


def test_what_is_known_is_not_computed_again(encoder, data, tmp_path):
    counting, stages = Counting(encoder), Stages()

    def run(*languages):
        counting.asked.clear()
        return run_mteb(counting, "teacher", ["Tatoeba"], languages, [data], tmp_path, stages)

    (german,) = run("de")
    assert sorted(counting.asked) == sorted([*GERMAN, *SENTENCES])
    both = run("de", "fr")
    assert sorted(counting.asked) == sorted([*FRENCH, *SENTENCES])
    assert [one.subset for one in both] == ["deu-eng", "fra-eng"]
    assert both[0].value == pytest.approx(german.value, abs=1e-6)
    again = run("de")
    assert counting.asked == []
    assert [one.subset for one in again] == ["deu-eng"]
    assert stages.said == {"mteb": "Tatoeba: 1 scores"}
    run("de", "tr")
    assert stages.said == {"mteb": "Tatoeba: 1 scores; not in --data: tur-eng"}


def test_other_rows_are_measured_anew(encoder, data, tmp_path):
    counting = Counting(encoder)
    run_mteb(counting, "teacher", ["STS17"], ["en"], [data], tmp_path / "out")
    put(tmp_path / "sts17" / "en-en.tsv", scored(SENTENCES, GERMAN))
    counting.asked.clear()
    (one,) = run_mteb(counting, "teacher", ["STS17"], ["en"], [tmp_path / "sts17"], tmp_path / "out")
    assert counting.asked
    assert one.data in (tmp_path / "out" / one.file).read_text()


def test_mteb_is_told_what_is_known_of_the_model(tiny_folder):
    from isoglot.evaluate.mteb.model import MtebModel
    from isoglot.progress import SILENT

    prompted = load_encoder(tiny_folder / "teacher", prompt="the old ", max_tokens=16)
    meta = MtebModel(prompted, "teacher", SILENT).mteb_model_meta
    assert meta.revision == prompted.space()["fingerprint"]
    assert (meta.name, meta.embed_dim, meta.max_tokens) == ("isoglot/teacher", 24, 16)
    assert meta.use_instructions
    assert not MtebModel(
        load_encoder(tiny_folder / "teacher"), "teacher", SILENT
    ).mteb_model_meta.use_instructions


def test_every_text_task_of_mteb_can_use_our_encoders(encoder):
    """MTEB's own check of models: tiny made-up tasks of every type."""
    import mteb

    from isoglot.evaluate.mteb.model import MtebModel
    from isoglot.progress import SILENT

    checked = mteb.mock_run(MtebModel(encoder, "teacher", SILENT)).task_results
    assert {name: result for name, result in checked.items() if type(result).__name__ == "TaskError"} == {}
    assert len([result for result in checked.values() if result is not None]) > 20


@pytest.mark.parametrize(
    ("tasks", "languages", "message"),
    [
        (["STS71"], [], r"MTEB [\d.]+ has no task STS71\. Did you mean STS17\?"),
        (
            ["STS17"],
            ["sw"],
            r"MTEB has STS17 in none of the languages sw\. It has ar, de, en, es, fr, it, ko, nl, tr",
        ),
        (["VidoreDocVQARetrieval"], [], "is not about text alone"),
        (["STS17"], ["klingonian"], "is not a language code"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_encoded(tasks, languages, message, encoder, tmp_path):
    counting = Counting(encoder)
    with pytest.raises(RequestError, match=message):
        run_mteb(counting, "teacher", ["Tatoeba", *tasks], languages, [], tmp_path)
    assert counting.asked == []


def test_a_task_made_of_others_names_them(encoder, tmp_path):
    with pytest.raises(RequestError, match=r"made of other tasks\. Name them: mteb:CQADupstack\w+,"):
        run_mteb(encoder, "teacher", ["CQADupstackRetrieval"], [], [], tmp_path)


def test_offline_a_task_without_local_data_says_what_to_give(encoder, tmp_path):
    with pytest.raises(IsoglotError, match=r"MTEB's STS17 .* cannot be fetched .* Give sts17 with --data"):
        run_mteb(encoder, "teacher", ["STS17"], ["en"], [], tmp_path)
    with pytest.raises(IsoglotError, match=r"MTEB's NFCorpus .* Go online without HF_HUB_OFFLINE"):
        run_mteb(encoder, "teacher", ["NFCorpus"], [], [], tmp_path)
    assert not list(tmp_path.rglob("*.json"))


def test_a_broken_result_of_an_earlier_run_is_named(encoder, data, tmp_path):
    (one,) = run_mteb(encoder, "teacher", ["STS17"], ["en"], [data], tmp_path)
    (tmp_path / one.file).write_text("{", "utf-8")
    with pytest.raises(DamagedError, match=r"STS17\.json is no result of MTEB .* Delete it"):
        run_mteb(encoder, "teacher", ["STS17"], ["en"], [data], tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason="ISOGLOT_DATA names no data folder")
def test_the_published_test_sets_are_found_for_every_language_of_mteb():
    from isoglot.corpus.benchmarks.layout import open_benchmarks
    from isoglot.evaluate.mteb.tasks import MtebTask

    benchmarks = open_benchmarks([DATA / "eval"])
    tatoeba = MtebTask.of("Tatoeba", [], benchmarks)
    assert len(tatoeba.rows["test"]) == len(tatoeba.subsets) == 112
    assert tatoeba.lacking == []
    german = tatoeba.rows["test"]["deu-eng"]
    assert len(german["sentence1"]) == len(german["sentence2"]) == 1000
    stsb = MtebTask.of("STSBenchmarkMultilingualSTS", [], benchmarks)
    assert stsb.lacking == []
    assert {len(rows["score"]) for rows in stsb.rows["dev"].values()} == {1500}
    assert set(MtebTask.of("STS17", [], benchmarks).rows["test"]) == {"en-en", "es-en", "es-es"}
    assert MtebTask.of("BUCC", [], benchmarks).rows == {}  # what only resembles BUCC is not BUCC
