"""Every architecture beside sentence-transformers, and the pass without padding beside the network's own."""

from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import architectures
import tiny
from isoglot.encode import packed
from isoglot.encode.encoder import Encoder, load_encoder
from isoglot.encode.precision import autocast

TEXTS = [" ".join(tiny.sentence(number).split()[: number % 5 + 1]) for number in range(60)] + [
    "",
    "a [PAD] house",
    "the " * 60,
    " ".join(tiny.WORDS),
]
PACKED = ("bert", "roberta", "xlm-roberta", "camembert")


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    root = tmp_path_factory.mktemp("architectures")

    def folder(kind, **changes):
        name = "-".join([kind, *(f"{key}={value}" for key, value in changes.items())])
        return root / name if (root / name).is_dir() else architectures.write(root / name, kind, **changes)

    return folder


def reference(folder):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"attn_implementation": "eager"})
    return model.encode(TEXTS, batch_size=7)


@pytest.mark.parametrize("kind", architectures.SIZES)
def test_every_architecture_equals_sentence_transformers(folder_of, kind):
    encoder = load_encoder(folder_of(kind), precision="fp32")
    assert packed.is_known(encoder.model.backbone) == (kind in PACKED)
    assert np.abs(encoder.encode(TEXTS) - reference(folder_of(kind))).max() < 1e-5


# absolute positions move with padding on the left in sentence-transformers, so BERT is no reference there
@pytest.mark.parametrize(("kind", "side"), [("bert", "right"), ("qwen3", "right"), ("qwen3", "left")])
def test_the_last_token_is_pooled_whatever_the_side_of_the_padding(folder_of, kind, side):
    folder = folder_of(kind, pooling="lasttoken", padding_side=side)
    vectors = load_encoder(folder, precision="fp32").encode(TEXTS)
    assert np.abs(vectors - reference(folder)).max() < 1e-5
    assert np.abs(vectors - load_encoder(folder_of(kind), precision="fp32").encode(TEXTS)).max() > 1e-2


@pytest.mark.parametrize(
    "pooling", [("mean",), ("cls",), ("max",), ("lasttoken",), ("cls", "max", "mean", "lasttoken")]
)
@pytest.mark.parametrize("kind", PACKED)
def test_the_pass_without_padding_equals_the_networks_own(folder_of, kind, pooling):
    encoder = load_encoder(folder_of(kind), pooling=pooling, precision="fp32")
    tokens = encoder.tokenizer(TEXTS)
    ids, mask = tokens.padded(np.arange(len(TEXTS)))
    with torch.inference_mode():
        padded = encoder.model(ids, mask).numpy()
    assert np.abs(encoder.encode(TEXTS) - padded).max() < 2e-6


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
def test_other_activations_pass_without_padding_too(folder_of, activation):
    folder = folder_of("bert", hidden_act=activation)
    encoder = load_encoder(folder, precision="fp32")
    assert packed.is_known(encoder.model.backbone)
    assert np.abs(encoder.encode(TEXTS) - reference(folder)).max() < 1e-5


def test_bf16_follows_fp32(folder_of):
    encoder = load_encoder(folder_of("xlm-roberta"), precision="fp32")
    half = Encoder(encoder.model, encoder.tokenizer, "bf16").encode(TEXTS)
    cosines = (half * encoder.encode(TEXTS)).sum(axis=1) / np.linalg.norm(half, axis=1)
    assert 0.99 < cosines.min() < 0.9999999


class Casts(TorchDispatchMode):
    """Writes down which of a network's weights are cast."""

    def __init__(self, network):
        super().__init__()
        self.addresses = {weight.data_ptr() for weight in network.parameters()}
        self.found = []

    def __torch_dispatch__(self, function, _types, arguments=(), options=None):
        if function is torch.ops.aten._to_copy.default and arguments[0].data_ptr() in self.addresses:
            self.found.append(arguments[0].data_ptr())
        return function(*arguments, **(options or {}))


@pytest.mark.parametrize("threads", [1, 2])
def test_bf16_casts_a_weight_once_in_a_lane_for_all_batches(folder_of, monkeypatch, threads):
    encoder = load_encoder(folder_of("bert"), precision="bf16")
    casts = Casts(encoder.model)

    @contextmanager
    def watched(*asked):
        with autocast(*asked), casts:
            yield

    monkeypatch.setattr("isoglot.encode.precision.autocast", watched)
    monkeypatch.setattr("isoglot.encode.encoder.BATCH_TOKENS", 1)  # every text is a batch
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    encoder.encode(TEXTS)
    torch.set_num_threads(before)
    assert 0 < max(Counter(casts.found).values()) <= threads < len(TEXTS)


class Derived(torch.nn.Linear):
    """A linear layer that computes something else."""


def adapted(backbone):
    backbone.encoder.layer[1].output.dense.__class__ = Derived


def hooked(backbone):
    backbone.encoder.layer[0].attention.register_forward_hook(lambda *_: None)


def training(backbone):
    backbone.train()


def decoding(backbone):
    backbone.config.is_decoder = True


@pytest.mark.parametrize("change", [adapted, hooked, training, decoding])
def test_a_changed_network_runs_by_itself(folder_of, change):
    backbone = load_encoder(folder_of("bert")).model.backbone
    assert packed.is_known(backbone)
    change(backbone)
    assert not packed.is_known(backbone)
