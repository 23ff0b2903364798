"""A name becomes a teacher of the right kind, or a sentence that says why not."""

import numpy as np
import pytest

from encode.test_onnx import write_graph
from encode.test_static import sentence_transformers_folder
from isoglot.config import TeacherConfig
from isoglot.encode.onnx import OnnxEncoder
from isoglot.encode.static import StaticEncoder
from isoglot.errors import RequestError
from isoglot.recipe import distil_recipe, parse_recipe, parse_teacher
from isoglot.teacher.embed import embed
from isoglot.teacher.endpoint import Endpoint
from isoglot.teacher.joined import Joined
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.vectors import FinishedVectors
from teacher.embedding_server import running
from teacher.test_combined import index


def test_the_name_says_the_kind(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    static = sentence_transformers_folder(tmp_path / "static")
    graph, _ = write_graph(tmp_path / "graph")
    vectors = index(tmp_path / "index.jsonl")
    with running() as server:
        cases = {
            str(static): StaticEncoder, str(graph): OnnxEncoder, server.url: Endpoint,
            vectors: FinishedVectors, "~/index.jsonl": FinishedVectors, (vectors, str(static)): Joined,
        }  # fmt: skip
        for name, kind in cases.items():
            teacher, credit = open_teacher(TeacherConfig(model=name))
            assert type(teacher) is kind
            assert credit.label == (name if isinstance(name, str) else " + ".join(name))
            width = teacher.encode(["the red house sings quickly"]).shape[1]
            assert teacher.space()["dimension"] == teacher.dimension == width


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.npy", "There is no file missing.npy"), ("missing.onnx", "There is no file missing.onnx"),
        ("ftp://host/v1#m", "only http and https"), ("https://host/v1", "names no model"),
        ("./nothing/here", "not a model folder"),
    ],
)  # fmt: skip
def test_what_is_no_teacher_is_said(name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match=message):
        open_teacher(TeacherConfig(model=name))


def test_options_that_cannot_act_are_refused(tmp_path):
    static = str(sentence_transformers_folder(tmp_path / "static"))
    with pytest.raises(RequestError, match=r"teacher\.pooling has no effect .*: a static encoder is a mean"):
        open_teacher(TeacherConfig(model=static, pooling=("cls",)))
    with pytest.raises(RequestError, match="a static encoder has no products"):
        open_teacher(TeacherConfig(model=static, precision="bf16"))
    with running() as server:
        for options in ({"pooling": ("cls",)}, {"max_tokens": 9}, {"precision": "fp32"}):
            with pytest.raises(RequestError, match="the server decides that"):
                open_teacher(TeacherConfig(model=server.url, **options))
        assert server.requests == []


def test_arithmetic_is_chosen_and_part_of_what_a_store_holds(tiny_folder, tmp_path):
    found = {}
    for precision in ("fp32", "bf16"):
        config = TeacherConfig(model=str(tiny_folder / "teacher"), precision=precision)
        teacher, _ = open_teacher(config)
        assert teacher.space()["precision"] == precision
        found[precision] = teacher.encode(["the red house sings"])
        embed(["the red house sings"], teacher, config, tmp_path / precision)
    assert 1e-6 < np.abs(found["fp32"] - found["bf16"]).max() < 0.05
    with pytest.raises(RequestError, match="precision is bf16 there and fp32 now") as caught:
        embed(
            ["hello"],
            open_teacher(config.model_copy(update={"precision": "fp32"}))[0],
            config,
            tmp_path / "bf16",
        )
    assert "teacher.precision" in caught.value.next_step


def test_a_prompt_may_be_one_of_the_folders_own(tmp_path):
    static = str(sentence_transformers_folder(tmp_path / "static"))  # its prompt "query" is "the old "
    for given, text in (("query", "the old "), ("a text: ", "a text: "), (None, "")):
        teacher, _ = open_teacher(TeacherConfig(model=static, prompt=given))
        assert teacher.space()["prompt"] == text


def test_options_of_the_command_line():
    config = parse_teacher(["a", "b"], ["weights=[1, 2]", "endpoint.batch=7", "missing=drop"])
    assert config.models == ("a", "b") and config.weights == (1.0, 2.0)
    assert config.endpoint.batch == 7 and config.missing == "drop"
    assert parse_teacher(["a"]).model == "a"
    assert distil_recipe(["a"], "s", ["x"], None, 1).teacher.model == "a"
    assert distil_recipe(["a", "b"], "s", ["x"], None, 1).teacher.model == ("a", "b")
    with pytest.raises(RequestError, match=r"unknown key endpoint\.bach \(did you mean endpoint\.batch\?\)"):
        parse_teacher(["a"], ["endpoint.bach=7"])
    with pytest.raises(RequestError, match="model is empty"):
        parse_teacher([""])


def test_teachers_in_a_recipe_survive_json():
    raw = {
        "name": "x", "student": {"model": "s"},
        "teacher": {"model": ["a", "https://host/v1#m"], "weights": [1, 2], "endpoint": {"key_env": "KEY"}},
    }  # fmt: skip
    recipe = parse_recipe(raw, "x")
    assert type(recipe).model_validate_json(recipe.model_dump_json()) == recipe
    for model in (True, 5, ["a", 5], {"a": "b"}):
        with pytest.raises(
            RequestError, match=r"teacher\.model: Input should be a valid string, or a list of them"
        ):
            parse_recipe({**raw, "teacher": {"model": model}}, "x")


def test_a_length_limit_that_the_model_undercuts_is_refused(tiny_folder, tmp_path):
    from encode.test_static import model2vec_folder

    graph, _ = write_graph(tmp_path / "graph")
    static, _ = model2vec_folder(tmp_path / "static")
    for model, limit in ((tiny_folder / "teacher", 32), (graph, 32), (static, 512)):
        assert open_teacher(TeacherConfig(model=str(model), max_tokens=limit))[0].dimension
        with pytest.raises(
            RequestError, match=f"reads at most {limit} tokens, so teacher.max_tokens = {limit + 1}"
        ):
            open_teacher(TeacherConfig(model=str(model), max_tokens=limit + 1))


def test_options_of_another_kind_are_refused(tmp_path):
    vectors = index(tmp_path / "index.jsonl")
    static = str(sentence_transformers_folder(tmp_path / "static"))
    named = {"text_column": "text", "vector_column": "vector", "texts": "elsewhere.txt"}
    for model, options in ((vectors, {"endpoint": {"batch": 7}}), (static, {"vectors": named})):
        with pytest.raises(RequestError, match=f"teacher.{next(iter(options))} has no effect on {model}"):
            open_teacher(TeacherConfig(model=model, **options))
    assert open_teacher(TeacherConfig(model=(static, vectors), vectors=named))[0].dimension
    with pytest.raises(RequestError, match="pca_sentences has no effect without dimension"):
        parse_teacher([static], ["pca_sentences=100"])
