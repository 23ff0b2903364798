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
    ours = load_encoder(folders[0], precision="fp32").encode(TEXTS)
    assert ours.dtype == np.float32
    assert np.abs(ours - reference(folders[0], TEXTS)).max() < 1e-5


@pytest.mark.parametrize("pooling", [("mean",), ("cls",), ("max",), ("cls", "max", "mean")])
def test_saved_folder_equals_sentence_transformers(folders, tmp_path, pooling):
    backbone = load_backbone(folders[1])
    torch.manual_seed(3)
    dense = (Dense(32 * len(pooling), 48, torch.nn.GELU()), Dense(48, 24))
    model = SentenceModel(backbone, Shape(pooling=pooling, normalise=True, max_tokens=32), dense)
    target = save_whole(model, folders[1], tmp_path / "saved")
    ours = load_encoder(target, precision="fp32")
    assert ours.dimension == 24
    assert ours.model.shape.pooling == pooling
    assert np.abs(ours.encode(TEXTS) - reference(target, TEXTS)).max() < 1e-5


def test_default_prompt_is_applied_like_theirs(folders, tmp_path):
    import json

    model = load_model(folders[1])
    target = save_whole(model, folders[1], tmp_path / "saved")
    prompts = {"prompts": {"isoglot": "the river "}, "default_prompt_name": "isoglot"}
    (target / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    ours = load_encoder(target, precision="fp32")
    with_prompt = ours.encode(TEXTS)
    assert np.abs(with_prompt - reference(target, TEXTS)).max() < 1e-5
    assert np.abs(with_prompt - load_encoder(target, prompt="", precision="fp32").encode(TEXTS)).max() > 1e-3


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


def test_a_folder_of_version_6_keeps_its_length_limit(folders, tmp_path):
    """sentence-transformers 6 writes no max_seq_length of its own: the tokenizer's limit is all there is."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folders[0]), device="cpu")
    model.max_seq_length = 7
    model.save(str(tmp_path / "saved"))
    assert "max_seq_length" not in (tmp_path / "saved" / "sentence_bert_config.json").read_text()
    ours = load_encoder(tmp_path / "saved", precision="fp32")
    assert ours.tokenizer.max_tokens == 7
    assert np.abs(ours.encode(TEXTS) - reference(tmp_path / "saved", TEXTS)).max() < 1e-5


def test_a_tokenizer_that_tells_the_capitals_a_folder_does_not_want_is_refused(folders, tmp_path):
    import shutil

    from sentence_transformers import SentenceTransformer

    folder = shutil.copytree(folders[0], tmp_path / "lower")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 32, "do_lower_case": true}')
    with pytest.raises(RequestError, match="says do_lower_case, and its tokenizer keeps capitals") as caught:
        load_encoder(folder)
    assert "Save the model once with sentence-transformers 6" in caught.value.next_step
    SentenceTransformer(str(folder), device="cpu").save(str(tmp_path / "saved"))
    texts = ["The RED House sings today"]
    assert (
        np.abs(
            load_encoder(tmp_path / "saved", precision="fp32").encode(texts) - reference(folder, texts)
        ).max()
        < 1e-5
    )


def test_refuses_what_would_give_other_vectors(folders, tmp_path):
    import json
    import shutil

    prompted = shutil.copytree(folders[0], tmp_path / "prompted")
    pooling = json.loads((prompted / "1_Pooling" / "config.json").read_text())
    (prompted / "1_Pooling" / "config.json").write_text(json.dumps({**pooling, "include_prompt": False}))
    with pytest.raises(RequestError, match="leaves the prompt's tokens out"):
        load_encoder(prompted)
    dense = save_whole(
        SentenceModel(load_backbone(folders[1]), Shape(normalise=True), (Dense(32, 8),)),
        folders[1],
        tmp_path / "dense",
    )
    modules = json.loads((dense / "modules.json").read_text())
    (dense / "modules.json").write_text(json.dumps([*modules[:2], modules[3], modules[2]]))
    with pytest.raises(RequestError, match="Normalize, Dense; isoglot runs"):
        load_encoder(dense)
    (dense / "modules.json").write_text(json.dumps(modules))
    (dense / "2_Dense" / "model.safetensors").rename(dense / "2_Dense" / "pytorch_model.bin")
    with pytest.raises(
        RequestError, match=r"2_Dense/model\.safetensors is missing\. isoglot never unpickles"
    ):
        load_encoder(dense)


def test_refuses_weights_that_are_cut_and_networks_with_a_decoder(folders, tmp_path):
    import shutil

    from transformers import T5Config, T5Model

    cut = shutil.copytree(folders[0], tmp_path / "cut")
    (cut / "model.safetensors").write_bytes((cut / "model.safetensors").read_bytes()[:-100])
    with pytest.raises(RequestError, match="not an encoder that transformers loads"):
        load_encoder(cut)
    both = tmp_path / "both"
    both.mkdir()
    config = T5Config(
        vocab_size=tiny.write_tokenizer(both), d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=4,
        decoder_start_token_id=0,
    )  # fmt: skip
    T5Model(config).save_pretrained(both)
    with pytest.raises(RequestError, match=r"an encoder with its decoder \(t5\)"):
        load_encoder(both)


def test_a_static_folder_of_sentence_transformers_is_an_encoder_too(tmp_path):
    from encode.test_static import sentence_transformers_folder
    from isoglot.encode.static import load_static

    folder = sentence_transformers_folder(tmp_path, normalise=True)
    texts = TEXTS[:20]
    assert (
        np.abs(load_encoder(folder, precision="fp32").encode(texts) - load_static(folder).encode(texts)).max()
        < 1e-5
    )
