"""The bench of the objectives: what it counts, and all of them on tiny models."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

import tiny

ROOT = Path(__file__).parents[2]
CODES = {"deu": "de", "fra": "fr", "tur": "tr"}


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    import objectives

    return objectives


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data" / "parallel" / "tatoeba"
    folder.mkdir(parents=True)
    for code, tag in CODES.items():
        with gzip.open(folder / f"eng-{code}.tsv.gz", "wt", encoding="utf-8") as file:
            file.write("source_lang\ttarget_lang\tsource\ttarget\n")
            for number in range(120):
                text = tiny.sentence(number * 7)
                file.write(f"eng\t{code}\t{text}\t{tiny.translation(tag, text)}\n")
    return tmp_path / "data"


def test_an_lstm_multiplies_its_input_and_its_state_in_every_layer_and_direction(bench):
    from torch import nn

    found = bench.lstm_products(nn.LSTM(5, 3, num_layers=2, bidirectional=True), 7)
    forward = sum(product.operations for product in found) / 3
    assert forward == 2 * 7 * 2 * 12 * ((5 + 3) + (6 + 3))


def test_sentences_with_most_translations_are_read(bench, data):
    groups = bench.read(data / "parallel", ["tatoeba"], list(CODES), 50)
    assert len(groups.sources) == 50 and groups.languages == ("de", "fr", "tr")
    assert len(groups.targets) == 150 and (groups.group[1:] >= groups.group[:-1]).all()
    first = groups.group.tolist().index(3)
    language = groups.languages[groups.language[first]]
    assert groups.targets[first] == tiny.translation(language, groups.sources[3])


@pytest.mark.slow
def test_every_objective_is_timed_in_the_same_loop(data, tiny_folder):
    done = subprocess.run(
        [
            sys.executable, ROOT / "bench" / "objectives.py", "--data", data, "--sets", "tatoeba", "--steps", "2",
            "--languages", *CODES, "--groups", "100", "--threads", "1", "--student", tiny_folder / "student",
            "--targets", "en", "de", "--decoder", "32", "--vocabulary", "300", "--json",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    base = found["distillation"]
    for name in ("ranking", "ranking, hard negatives", "translation"):
        one = found[name]
        assert one["sentences/s"] > 0 and 0 < one["share"] <= 1.5
        assert one["of distillation"] == pytest.approx(one["share"] / base["share"], rel=0.05)
    assert found["siamese"]["loop"] == "sentence-transformers' trainer"
    assert found["siamese"]["sentences/s"] > 0
