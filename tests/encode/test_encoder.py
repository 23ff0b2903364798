"""Our encoder against sentence-transformers on the same folders."""

import dataclasses

import numpy as np
import pytest
import torch

import tiny
from isoglot.encode import attention
from isoglot.encode.encoder import load_encoder
from isoglot.encode.fingerprint import space
from isoglot.encode.model import Dense, SentenceModel, Shape, load_backbone, load_model, save_modules
from isoglot.encode.tokens import load_tokenizer
from isoglot.errors import RequestError

TEXTS = [tiny.sentence(number) for number in range(80)] + [
    "xder neerg?",
    "",
    "unknown words only",
    "the " * 60,
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return tiny.write_teacher(root / "teacher"), tiny.write_encoder(root / "student")


def reference(folder, texts):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu").encode(texts, batch_size=7)


def save_whole(model, origin, target):
    import shutil

    shutil.copytree(origin, target)
    (target / "sentence_bert_config.json").write_text('{"max_seq_length": 32}')
    save_modules(model, target)
    return target


def test_equals_sentence_transformers_on_a_teacher_folder(folders):
    ours = load_encoder(folders[0]).encode(TEXTS)
    assert ours.dtype == np.float32
    assert np.abs(ours - reference(folders[0], TEXTS)).max() < 1e-5


@pytest.mark.parametrize("pooling", [("mean",), ("cls",), ("max",), ("cls", "max", "mean")])
def test_saved_folder_equals_sentence_transformers(folders, tmp_path, pooling):
    backbone = load_backbone(folders[1])
    torch.manual_seed(3)
    dense = (Dense(32 * len(pooling), 48, torch.nn.GELU()), Dense(48, 24))
    model = SentenceModel(backbone, Shape(pooling=pooling, normalise=True, max_tokens=32), dense)
    target = save_whole(model, folders[1], tmp_path / "saved")
    ours = load_encoder(target)
    assert ours.dimension == 24
    assert ours.model.shape.pooling == pooling
    assert np.abs(ours.encode(TEXTS) - reference(target, TEXTS)).max() < 1e-5


def test_default_prompt_is_applied_like_theirs(folders, tmp_path):
    import json

    model = load_model(folders[1])
    target = save_whole(model, folders[1], tmp_path / "saved")
    prompts = {"prompts": {"isoglot": "the river "}, "default_prompt_name": "isoglot"}
    (target / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    ours = load_encoder(target)
    with_prompt = ours.encode(TEXTS)
    assert np.abs(with_prompt - reference(target, TEXTS)).max() < 1e-5
    assert np.abs(with_prompt - load_encoder(target, prompt="").encode(TEXTS)).max() > 1e-3


def test_rows_come_back_in_order_and_do_not_depend_on_company(folders):
    encoder = load_encoder(folders[0])
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-5
    assert encoder.encode([]).shape == (0, 24)


def test_length_limit_cuts(folders):
    short = load_encoder(folders[0], max_tokens=8)
    long_text = " ".join(tiny.WORDS)
    cut = " ".join(tiny.WORDS[:6])  # two of the eight tokens are special
    vectors = short.encode([long_text, cut])
    assert np.abs(vectors[0] - vectors[1]).max() < 1e-6
    assert np.abs(load_encoder(folders[0]).encode([long_text]) - vectors[:1]).max() > 1e-3


def test_lone_surrogates_do_not_stop_it(folders):
    encoder = load_encoder(folders[0])
    assert np.isfinite(encoder.encode(["the \ud800 house", "\udfff"])).all()
    assert len(load_tokenizer(folders[0], 32)(["the \ud800 house"])) == 1


@pytest.mark.parametrize(
    "tokens", [5, *(n for longest in attention.LONGEST_SHORT.values() for n in (longest, longest + 1))]
)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
def test_attention_equals_torchs(tokens, padded, dtype, tolerance):
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 4, tokens, 8) for _ in range(3))
    mask = torch.zeros(2, 1, tokens, tokens)
    if padded:
        mask[1, :, :, tokens - 2 :] = torch.finfo(torch.float32).min
    theirs = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    asked = [part.to(dtype) for part in (query, key, value)]
    ours, _ = attention.attend(torch.nn.Module(), *asked, mask.to(dtype) if padded else None)
    assert ours.dtype == dtype
    assert torch.allclose(ours.float(), theirs.transpose(1, 2), atol=tolerance)


def test_fingerprint_follows_the_space_and_not_the_place(folders, tmp_path):
    import shutil

    copy = shutil.copytree(folders[0], tmp_path / "elsewhere")
    base = load_encoder(folders[0])
    assert space(base) == space(load_encoder(copy))
    prompted = load_encoder(folders[0], prompt="query: ")
    shorter = load_encoder(folders[0], max_tokens=9)
    other = load_encoder(tiny.write_teacher(tmp_path / "other", seed=9))
    prints = {space(encoder)["fingerprint"] for encoder in (base, prompted, shorter, other)}
    assert len(prints) == 4
    changed = load_encoder(folders[0])
    changed.model.shape = dataclasses.replace(changed.model.shape, pooling=("cls",))
    assert space(changed)["fingerprint"] != space(base)["fingerprint"]


def test_refuses_what_it_cannot_run(folders, tmp_path):
    import json
    import shutil

    with pytest.raises(RequestError, match="no safetensors"):
        load_encoder(tmp_path)
    foreign = shutil.copytree(folders[0], tmp_path / "foreign")
    modules = json.loads((foreign / "modules.json").read_text())
    modules[1]["type"] = "evil_module.Runs"
    (foreign / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(RequestError, match="Runs"):
        load_encoder(foreign)
    odd = shutil.copytree(folders[0], tmp_path / "odd")
    (odd / "1_Pooling" / "config.json").write_text('{"pooling_mode": "weightedmean"}')
    with pytest.raises(RequestError, match="weightedmean"):
        load_encoder(odd)
    danger = save_whole(
        SentenceModel(load_backbone(folders[1]), Shape(), (Dense(32, 8),)), folders[1], tmp_path / "danger"
    )
    config = json.loads((danger / "2_Dense" / "config.json").read_text())
    (danger / "2_Dense" / "config.json").write_text(
        json.dumps({**config, "activation_function": "os.system"})
    )
    with pytest.raises(RequestError, match=r"os\.system"):
        load_encoder(danger)


@pytest.mark.parametrize("pooling", [("cls",), ("max", "cls")])
def test_options_of_a_bare_encoder_say_what_a_folder_would(folders, tmp_path, pooling):
    ordered = tuple(sorted(pooling))
    whole = SentenceModel(load_backbone(folders[1]), Shape(pooling=ordered, normalise=True, max_tokens=32))
    stated = load_encoder(save_whole(whole, folders[1], tmp_path / "stated"))
    by_option = load_encoder(folders[1], pooling=pooling, normalise=True, max_tokens=32)
    assert by_option.normalise is stated.normalise is True
    assert np.array_equal(by_option.encode(TEXTS), stated.encode(TEXTS))
    assert by_option.space()["fingerprint"] == stated.space()["fingerprint"]
    assert by_option.space()["precision"] == by_option.precision
    assert not by_option.missing(TEXTS).any()
    plain = load_encoder(save_whole(whole, folders[1], tmp_path / "plain"), normalise=False)
    assert np.abs(np.linalg.norm(plain.encode(TEXTS), axis=1) - 1).min() > 1e-3


def test_dense_layers_take_no_other_pooling(folders, tmp_path):
    model = SentenceModel(load_backbone(folders[1]), Shape(max_tokens=32), (Dense(32, 8),))
    target = save_whole(model, folders[1], tmp_path / "dense")
    assert load_encoder(target, pooling=("mean",)).dimension == 8
    with pytest.raises(RequestError, match="fit its own pooling"):
        load_encoder(target, pooling=("cls",))
