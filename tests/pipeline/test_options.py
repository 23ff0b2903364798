"""Every option of a recipe does something that can be seen in what a run leaves."""

import json

import numpy as np
import pytest

import tiny
from isoglot.pipeline.run import run
from isoglot.recipe import load_recipe

SMALL = ["train.epochs=0", "evaluate.pool=40"]


@pytest.fixture(scope="module")
def recipe_path(tiny_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("options") / "tiny.toml"
    return tiny.write_recipe(
        path, tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )


def finish(recipe_path, out, *settings, evaluate=False):
    finished = run(load_recipe(str(recipe_path), [*SMALL, *settings]), out, evaluate=evaluate)
    return finished.folder


def read(path):
    return json.loads(path.read_text())


def test_student_options_stand_in_the_folder(recipe_path, tmp_path):
    settings = ["student.pooling=['mean']", "student.prompt='the '", "student.max_tokens=9"]
    student = finish(recipe_path, tmp_path / "run", *settings).student
    pooling = read(student / "1_Pooling" / "config.json")
    assert [pooling[f"pooling_mode_{mode}"] for mode in ("cls_token", "mean_tokens", "max_tokens")] == [
        False, True, False,
    ]  # fmt: skip
    prompts = read(student / "config_sentence_transformers.json")
    assert prompts["prompts"][prompts["default_prompt_name"]] == "the "
    assert read(student / "sentence_bert_config.json")["max_seq_length"] == 9
    assert read(student / "2_Dense" / "config.json")["in_features"] == 32


def test_precision_is_that_of_the_features(recipe_path, tmp_path):
    exact, half = (
        dense(finish(recipe_path, tmp_path / name, f"student.precision={name}")) for name in ("fp32", "bf16")
    )
    assert np.abs(exact["0.weight"] - half["0.weight"]).max() > 0


def test_chunk_rows_set_the_number_of_shards(recipe_path, tmp_path):
    folder = finish(recipe_path, tmp_path / "run", "teacher.chunk_rows=100")
    assert len(list((folder.store / "shards").iterdir())) == 3


def test_evaluation_options_set_pool_and_queries(recipe_path, tmp_path):
    folder = finish(recipe_path, tmp_path / "run", "evaluate.queries=5", evaluate=True)
    scores = read(folder.scores)
    assert scores["pool"] == 40
    assert {stages["queries"] for stages in scores["languages"].values()} == {5}


def test_one_dev_sentence_of_a_language_is_looked_at_and_has_no_variance(recipe_path, tmp_path):
    folder = finish(recipe_path, tmp_path / "run", "evaluate.dev_queries=1", evaluate=True)
    score = read(folder.student / "isoglot.json")["dev"][0]["score"]
    assert set(score["languages"].values()) <= {0.0, 1.0}
    assert (score["r2"], score["spearman"]) == (None, None)


def dense(folder):
    from safetensors.numpy import load_file

    return load_file(folder.start / "dense.safetensors")


def test_warm_start_options_change_the_layers(recipe_path, tmp_path):
    plain = dense(finish(recipe_path, tmp_path / "plain"))
    assert plain["0.weight"].shape == (24, 96)
    for number, setting in enumerate(
        ["warm_start.ridge=10.0", "warm_start.sentences=100", "warm_start.sentences=0"]
    ):
        other = dense(finish(recipe_path, tmp_path / str(number), setting))
        assert np.abs(other["0.weight"] - plain["0.weight"]).max() > 1e-3
    head = dense(
        finish(recipe_path, tmp_path / "head", "warm_start.head_steps=5", "warm_start.head_width=10")
    )
    assert head["0.weight"].shape == (2 * 24 + 10, 96)
    assert head["1.weight"].shape == (24, 2 * 24 + 10)


def test_the_seed_changes_what_is_drawn(recipe_path, tmp_path):
    first = dense(finish(recipe_path, tmp_path / "a", "warm_start.sentences=100"))
    again = dense(finish(recipe_path, tmp_path / "b", "warm_start.sentences=100"))
    other = dense(finish(recipe_path, tmp_path / "c", "warm_start.sentences=100", "seed=1"))
    assert np.array_equal(first["0.weight"], again["0.weight"])
    assert not np.array_equal(first["0.weight"], other["0.weight"])


def test_the_small_head_stays_in_the_saved_student(recipe_path, tmp_path):
    from sentence_transformers import SentenceTransformer

    from isoglot.encode.encoder import load_encoder

    student = finish(
        recipe_path, tmp_path / "run", "warm_start.head_steps=5", "warm_start.head_width=10"
    ).student
    texts = [tiny.sentence(number) for number in range(20)]
    theirs = SentenceTransformer(str(student), device="cpu").encode(texts)
    assert np.abs(load_encoder(student, precision="fp32").encode(texts) - theirs).max() < 1e-5


def test_the_untouched_student_is_scored_with_its_own_pooling(recipe_path, tmp_path):
    """Whether the recipe's features hold the student's own pooling (mean) or not must not change "before"."""
    scores = [
        read(finish(recipe_path, tmp_path / mode, f"student.pooling=['{mode}']").start / "scores.json")[
            "before"
        ]
        for mode in ("mean", "max")
    ]
    assert scores[0] == scores[1]
