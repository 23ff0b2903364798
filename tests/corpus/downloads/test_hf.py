"""`hf:` with the real `datasets` on small folders made here, and what is said when a hub cannot be asked."""

import importlib.util
import json

import pytest

from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.corpus.sources.hf import config_languages
from isoglot.errors import DamagedError, RequestError

CARD = """---
license: cc-by-4.0
pretty_name: Toy talks
configs:
- config_name: en-de
  data_files:
  - split: train
    path: talks/train-*
  - split: test
    path: talks/test-*
---
# Toy
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hub")
    monkeypatch.chdir(tmp_path)


def parquet(path, columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def talks(folder):
    parquet(
        folder / "talks" / "train-0.parquet",
        {"english": ["The door.", "A house."], "non_english": ["Die Tür.", "Ein Haus."]},
    )
    parquet(
        folder / "talks" / "test-0.parquet", {"english": ["Not for training."], "non_english": ["Nicht."]}
    )
    (folder / "README.md").write_text(CARD)
    return folder


def rows(source, border=None):
    return [pair[:4] for pair in source.read(border or Border())]


TALKS = [("The door.", "Die Tür.", "en", "de"), ("A house.", "Ein Haus.", "en", "de")]


def test_a_configuration_of_a_folder_with_its_terms(tmp_path):
    talks(tmp_path / "toy")
    for uri in (f"hf:{tmp_path}/toy/en-de", "hf:./toy/en-de"):
        source = open_source(uri)
        assert rows(source) == TALKS
        assert (source.corpus, source.licence, source.attribution) == (
            "toy",
            "cc-by-4.0",
            "Dataset Toy talks.",
        )


@pytest.mark.parametrize(
    ("columns", "uri"),
    [
        (
            {"translation": [{"en": "The door.", "de": "Die Tür."}, {"en": "A house.", "de": "Ein Haus."}]},
            "hf:toy",
        ),
        ({"sentence1": ["The door.", "A house."], "sentence2": ["Die Tür.", "Ein Haus."]}, "hf:toy#en-de"),
        ({"source": ["The door.", "A house."], "target": ["Die Tür.", "Ein Haus."]}, "hf:toy#en-de"),
        ({"en": ["The door.", "A house."], "de": ["Die Tür.", "Ein Haus."]}, "hf:toy"),
    ],
)
def test_columns(tmp_path, columns, uri):
    parquet(tmp_path / "toy" / "data.parquet", columns)
    assert sorted(rows(open_source(uri))) == sorted(TALKS)


def test_json_lines_in_a_folder_that_is_named_like_its_languages(tmp_path):
    (tmp_path / "de-en").mkdir()
    lines = [{"sentence1": german, "sentence2": english} for english, german, *_ in TALKS]
    (tmp_path / "de-en" / "train.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert rows(open_source("hf:de-en")) == [(german, english, "de", "en") for english, german, *_ in TALKS]


def test_the_digest_is_that_of_the_files(tmp_path):
    talks(tmp_path / "toy")
    before = open_source("hf:toy").sha256
    (tmp_path / "toy" / ".cache").mkdir()
    (tmp_path / "toy" / ".cache" / "lock").write_text("x")
    assert open_source("hf:toy").sha256 == before
    parquet(tmp_path / "toy" / "talks" / "train-0.parquet", {"english": ["a"], "non_english": ["b"]})
    assert open_source("hf:toy").sha256 != before


@pytest.mark.parametrize(
    ("prepare", "uri", "said"),
    [
        (talks, "hf:./toy/en-fr", r"toy/en-fr cannot be opened \(.*en-fr"),
        (lambda folder: folder.mkdir(), "hf:toy", "There is no dataset in toy"),
        (lambda folder: folder.mkdir(), "hf:./nobody/none", "There is no dataset in nobody"),
        (lambda folder: parquet(folder / "x.parquet", {"label": [1]}), "hf:toy", "names no sentence pair"),
        (lambda folder: parquet(folder / "x.parquet", {"source": ["a"], "target": ["b"]}), "hf:toy", "which languages"),
        (talks, "hf:toy#german", "'german' does not name two languages"),
        (talks, "hf:a/b/c/d", "names no dataset"),
        (talks, "hf:", "names no dataset"),
    ],
)  # fmt: skip
def test_requests_that_cannot_work(tmp_path, prepare, uri, said):
    prepare(tmp_path / "toy")
    with pytest.raises(RequestError, match=said):
        rows(open_source(uri))


def test_several_splits_without_train(tmp_path):
    for split in ("validation", "test"):
        parquet(tmp_path / "toy" / f"{split}.parquet", {"en": ["a"], "de": ["b"]})
    with pytest.raises(RequestError, match="has no split train, but "):
        rows(open_source("hf:toy"))


def test_a_broken_file(tmp_path):
    talks(tmp_path / "toy")
    path = tmp_path / "toy" / "talks" / "train-0.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    with pytest.raises((DamagedError, RequestError), match=r"hf:toy.* cannot be"):
        rows(open_source("hf:./toy/en-de"))


def test_a_broken_card(tmp_path):
    talks(tmp_path / "toy")
    (tmp_path / "toy" / "README.md").write_text("---\nlicense: [\n---\n")
    with pytest.raises(DamagedError, match=r"README\.md: its head is not YAML"):
        open_source("hf:toy")


@pytest.mark.parametrize("uri", ["hf:org/toy/en-de", "hf:toy/en-de@main", "hf:org/toy"])
def test_offline_means_offline(uri):
    with pytest.raises(RequestError, match="HF_HUB_OFFLINE forbids") as caught:
        open_source(uri)
    assert "hf:FOLDER" in caught.value.next_step


def test_a_missing_extra_says_how_to_get_it(monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "datasets" else there(name))
    with pytest.raises(RequestError, match="needs the package datasets") as caught:
        open_source("hf:toy/en-de")
    assert caught.value.next_step == "Run: pip install 'isoglot[hf]'"


@pytest.mark.parametrize(
    ("name", "languages"),
    [
        ("en-de", ("en", "de")),
        ("en-fr-ca", ("en", "fr-ca")),
        ("pt-br-en", ("pt-br", "en")),
        ("sr-Latn-en", ("sr-Latn", "en")),
        ("all", None),
        ("plain_text", None),
    ],
)
def test_names_of_configurations(name, languages):
    assert config_languages(name) == languages
