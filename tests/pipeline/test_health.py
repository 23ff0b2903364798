"""Health of a small real model beside its teacher, on a test set in files and on held-out sentences."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import tiny
from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.encode.encoder import load_encoder
from isoglot.evaluate.closeness import fit, mean_cosine
from isoglot.evaluate.health import SAMPLE
from isoglot.evaluate.heldout import HeldOut
from isoglot.evaluate.lengths import reader_of
from isoglot.evaluate.task import Space
from isoglot.pipeline.health import measure_health, parallel_texts
from isoglot.teacher.joined import Joined
from isoglot.teacher.reduced import Reduced

DATA = Path(os.environ.get("ISOGLOT_DATA", "unset"))
SENTENCES = [tiny.sentence(number * 7) for number in range(120)]
LONG = " ".join(SENTENCES[:8])  # 40 words: more than the 32 tokens that the small models read


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(tiny_folder / "teacher")


def space(encoder):
    return Space(encoder.encode, str(encoder.space()["fingerprint"]))


def write_test_set(folder, language, sentences):
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["source\ttarget", *(f"{tiny.translation(language, text)}\t{text}" for text in sentences)]
    (folder / f"{language}.tsv").write_text("\n".join(lines) + "\n", "utf-8")


def held_out(sentences):
    queries = [tiny.translation("fr", text) for text in sentences]
    numbers = np.arange(len(sentences))
    return HeldOut(list(sentences), queries, numbers, np.zeros(len(sentences), np.int16), ("fr",))


def rows_of(measured):
    return {(row["language"], row["length"]): row for row in measured["rows"]}


def test_translations_are_collected_from_test_sets_and_held_out_sentences(tmp_path):
    write_test_set(tmp_path / "trees", "de", [*SENTENCES[:3], SENTENCES[0]])
    write_test_set(tmp_path / "houses", "de", SENTENCES[2:5])
    texts = parallel_texts(open_benchmarks([tmp_path]), held_out(SENTENCES[:2]))
    assert set(texts.pairs) == {"de", "fr"}
    assert texts.test_sets == ("houses", "trees", "held-out")
    assert sorted(texts.pairs["de"]) == sorted((tiny.translation("de", text), text) for text in SENTENCES[:5])
    assert texts.pairs["fr"] == [(tiny.translation("fr", text), text) for text in SENTENCES[:2]]
    assert parallel_texts(open_benchmarks([tmp_path]), source_language="fr").pairs == {}
    assert parallel_texts(open_benchmarks([tmp_path])).digest != texts.digest


def test_no_language_has_more_than_a_thousand_sentences(tmp_path):
    write_test_set(tmp_path / "many", "de", [tiny.sentence(number) for number in range(2100)])
    pairs = parallel_texts(open_benchmarks([tmp_path])).pairs["de"]
    assert len(pairs) == len(set(pairs)) == SAMPLE


def test_health_is_that_of_the_vectors(tmp_path, encoder):
    write_test_set(tmp_path / "houses", "de", [*SENTENCES, LONG])
    texts = parallel_texts(open_benchmarks([tmp_path]))
    measured = measure_health(texts, space(encoder), space(encoder), encoder, encoder)
    assert json.loads(json.dumps(measured)) == measured
    rows = rows_of(measured)
    spans = ["1-8 tokens", "over 32 tokens"]  # five words and two special tokens; nothing in between
    assert set(rows) == {(who, what) for who in (None, "en", "de") for what in (None, *spans)}
    translations, originals = (encoder.encode([pair[side] for pair in texts.pairs["de"]]) for side in (0, 1))
    one = fit(translations, originals)
    german = rows["de", None]
    assert (german["mse"], german["r2"], german["cosine"]) == pytest.approx(
        (one.mean_squared_error, one.r_squared, one.mean_cosine), abs=1e-9
    )
    assert german["model"]["anisotropy"] == pytest.approx(mean_cosine(translations), abs=1e-6)
    assert rows["en", None]["mse"] == 0.0
    assert rows["en", None]["r2"] == 1.0
    assert rows["de", "over 32 tokens"]["sentences"] == 1
    assert (measured["limit"], measured["tokens_of"]) == (32, "teacher")
    assert (measured["test_sets"], measured["data"]) == (["houses"], texts.digest)


def test_without_a_teacher_only_the_models_own_geometry_is_measured(tmp_path, encoder):
    write_test_set(tmp_path / "houses", "de", SENTENCES)
    texts = parallel_texts(open_benchmarks([tmp_path]))
    measured = measure_health(texts, space(encoder), None, encoder, None)
    german = rows_of(measured)["de", None]
    assert german["mse"] is None
    assert german["teacher"] is None
    assert german["model"]["effective_rank"] > 1
    assert measured["tokens_of"] == "student"


class Endpoint:
    """A teacher whose tokens nobody can count."""

    dimension, normalise = 4, True


def test_tokens_are_counted_before_anything_is_cut(tiny_folder, encoder):
    reader = reader_of(encoder)
    assert reader.lengths([LONG, SENTENCES[0], ""]).tolist() == [42, 7, 2]
    assert encoder.tokenizer([LONG]).lengths.tolist() == [32]  # and the encoder itself still cuts
    prompted = load_encoder(tiny_folder / "teacher", prompt="the old ", max_tokens=16)
    assert reader_of(prompted).lengths([SENTENCES[0]]).tolist() == [9]
    assert reader_of(prompted).limit == 16
    assert reader_of(Reduced(prompted, np.eye(24, 4, dtype=np.float32), 100)).limit == 16
    assert reader_of(Joined((encoder, prompted, Endpoint()), (1.0, 1.0, 1.0), True)).limit == 16
    assert reader_of(Endpoint()) is None
    assert reader_of(Joined((Endpoint(), Endpoint()), (1.0, 1.0), True)) is None


def test_lengths_are_left_out_when_nobody_can_count_them(tmp_path, encoder):
    write_test_set(tmp_path / "houses", "de", SENTENCES)
    texts = parallel_texts(open_benchmarks([tmp_path]))
    measured = measure_health(texts, space(encoder), None, Endpoint(), Endpoint())
    assert measured["tokens_of"] is None
    assert measured["limit"] is None
    assert {row["length"] for row in measured["rows"]} == {None}


@pytest.mark.skipif(not DATA.is_dir(), reason="ISOGLOT_DATA names no data folder")
def test_all_languages_of_tatoeba_are_read():
    texts = parallel_texts(open_benchmarks([DATA / "eval" / "tatoeba-v1"]))
    assert len(texts.pairs) == 112
    assert texts.test_sets == ("tatoeba-v1",)
    for pairs in texts.pairs.values():
        assert 50 < len(pairs) == len(set(pairs)) <= SAMPLE
