"""ONNX encoders: a small real graph, made with onnx's own helper."""

import json
import subprocess
import sys

import numpy as np
import pytest

import tiny
from isoglot.encode.onnx import load_onnx
from isoglot.errors import RequestError

TEXTS = [tiny.sentence(number) for number in range(40)] + ["xder neerg?", "", "the " * 60]
WIDTH = 12


def write_graph(
    folder, *, pooled=False, unit=False, width=WIDTH, names=("input_ids", "attention_mask"), scalar=False
):
    """A graph that looks tokens up in a table (and averages them); returns its path and the table."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    size = tiny.write_tokenizer(folder)
    table = np.random.default_rng(5).normal(size=(size, width)).astype(np.float32)
    nodes = [helper.make_node("Gather", ["table", names[0]], ["tokens"])]
    constants = {"table": table}
    output, shape = "tokens", ["batch", "length", width]
    if pooled:
        constants["axis"] = np.array([1], np.int64)
        nodes.append(helper.make_node("ReduceMean", ["tokens", "axis"], ["sentence_embedding"], keepdims=0))
        output, shape = "sentence_embedding", ["batch", width]
    if scalar:
        nodes.append(helper.make_node("ReduceSum", ["tokens"], ["total"], keepdims=0))
        output, shape = "total", []
    if unit:
        nodes.append(helper.make_node("LpNormalization", [output], ["sentence_vector"], axis=-1, p=2))
        output = "sentence_vector"
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in names]
    graph = helper.make_graph(
        nodes, "tiny", inputs, [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx", table


def token_vectors(encoder, table, text):
    return table[encoder.tokenizer([text]).ids]


@pytest.mark.parametrize("pooling", [None, ("mean",), ("cls",), ("max",), ("lasttoken",), ("cls", "mean")])
def test_token_vectors_are_pooled_without_their_padding(tmp_path, pooling):
    path, table = write_graph(tmp_path)
    encoder = load_onnx(path, pooling=pooling)
    found = encoder.encode(TEXTS)
    for row, text in enumerate(TEXTS):
        tokens = token_vectors(encoder, table, text)
        parts = {"mean": tokens.mean(0), "cls": tokens[0], "max": tokens.max(0), "lasttoken": tokens[-1]}
        expected = np.concatenate([parts[mode] for mode in pooling or ("mean",)])
        assert np.abs(found[row] - expected).max() < 1e-5
    assert encoder.dimension == found.shape[1] == WIDTH * len(pooling or ("mean",))


def test_unit_length_is_seen_or_made(tmp_path):
    assert load_onnx(write_graph(tmp_path / "whole")[0]).normalise is False
    assert load_onnx(write_graph(tmp_path / "unit", pooled=True, unit=True)[0]).normalise is True
    made = load_onnx(tmp_path / "whole" / "model.onnx", normalise=True)
    assert np.abs(np.linalg.norm(made.encode(TEXTS), axis=1) - 1).max() < 1e-5


def test_a_pooled_output_takes_no_pooling(tmp_path):
    path, table = write_graph(tmp_path, pooled=True)
    encoder = load_onnx(path)
    assert encoder.pooling == ()
    text = TEXTS[0]
    assert np.abs(encoder.encode([text]) - token_vectors(encoder, table, text).mean(0)).max() < 1e-5
    with pytest.raises(RequestError, match="a sentence vector already"):
        load_onnx(path, pooling=("cls",))


def test_options_change_vectors_and_space(tmp_path):
    path, _ = write_graph(tmp_path)
    plain = load_onnx(path)
    for options in ({"normalise": True}, {"prompt": "the river "}, {"max_tokens": 3}, {"pooling": ("max",)}):
        other = load_onnx(path, **options)
        assert np.abs(other.encode(TEXTS[:5]) - plain.encode(TEXTS[:5])).max() > 1e-3
        assert other.space()["fingerprint"] != plain.space()["fingerprint"]
    assert plain.tokenizer.max_tokens == 32  # what tokenizer_config.json says
    (tmp_path / "sentence_bert_config.json").write_text('{"do_lower_case": true}')
    with pytest.raises(RequestError, match="keeps capitals"):
        load_onnx(path)


def test_a_folder_of_sentence_transformers_says_what_follows_the_graph(tmp_path):
    """Its own exports stop at token vectors, in a folder called onnx."""
    folder = tmp_path / "model"
    origin, table = write_graph(tmp_path / "graph")
    (folder / "onnx").mkdir(parents=True)
    origin.rename(folder / "onnx" / "model.onnx")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "graph" / name).rename(folder / name)
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 5}))
    prompts = {"prompts": {"query": "the "}, "default_prompt_name": None}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    encoder = load_onnx(folder / "onnx" / "model.onnx", prompt="query")
    assert (encoder.pooling, encoder.normalise, encoder.prompt) == (("cls",), True, "the ")
    assert encoder.tokenizer.max_tokens == 5
    first = table[encoder.tokenizer(["red"]).ids[0]]
    assert np.abs(encoder.encode(["red"])[0] - first / np.linalg.norm(first)).max() < 1e-5
    assert load_onnx(folder / "onnx" / "model.onnx", pooling=("mean",), normalise=False).normalise is False
    modules.append({"path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(RequestError, match="lists Dense after the encoder; an ONNX"):
        load_onnx(folder / "onnx" / "model.onnx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(b"no model"), "not a model that onnxruntime loads"),
        (lambda path: (path.parent / "tokenizer.json").unlink(), "no tokenizer.json beside"),
    ],
)
def test_what_is_no_encoder_is_refused(tmp_path, change, message):
    path, _ = write_graph(tmp_path)
    change(path)
    with pytest.raises(RequestError, match=message):
        load_onnx(path)


def test_other_graphs_are_refused(tmp_path):
    with pytest.raises(RequestError, match="pixel_values"):
        load_onnx(write_graph(tmp_path / "a", names=("input_ids", "pixel_values"))[0])
    with pytest.raises(RequestError, match=r"output total .* has the shape \[\]"):
        load_onnx(write_graph(tmp_path / "b", scalar=True)[0])


def test_no_torch_is_loaded(tmp_path):
    path, _ = write_graph(tmp_path)
    code = (
        "import sys\nfrom isoglot.config import TeacherConfig\nfrom isoglot.teacher.kinds import open_teacher\n"
        f"teacher, _ = open_teacher(TeacherConfig(model={str(path)!r}))\n"
        "print(teacher.encode(['the red house']).shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["(1,", "12)", "False"]


@pytest.mark.slow  # loads torch and transformers
def test_equals_the_torch_encoder_that_it_was_exported_from(tmp_path):
    import warnings

    import torch

    from isoglot.encode.encoder import load_encoder

    folder = tiny.write_encoder(tmp_path / "encoder")
    ours = load_encoder(folder)

    class Hidden(torch.nn.Module):
        def __init__(self, backbone):
            super().__init__()
            self.backbone = backbone

        def forward(self, ids, mask):
            return self.backbone(input_ids=ids, attention_mask=mask).last_hidden_state

    ids, mask = ours.tokenizer(TEXTS[:3]).padded(np.arange(3))
    from isoglot.encode.model import load_model

    names = ["input_ids", "attention_mask", "last_hidden_state"]
    backbone = load_model(folder).backbone
    backbone.set_attn_implementation("eager")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old exporter warns about itself and about traced shapes
        torch.onnx.export(
            Hidden(backbone).eval(), (ids, mask), folder / "model.onnx", dynamo=False, opset_version=18,
            input_names=names[:2], output_names=names[2:],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in names},
        )  # fmt: skip
    found = load_onnx(folder / "model.onnx", max_tokens=32).encode(TEXTS)
    assert np.abs(found - load_encoder(folder, max_tokens=32, precision="fp32").encode(TEXTS)).max() < 1e-4
