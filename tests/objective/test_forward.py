"""Training without padding: vectors and gradients are those of the network's own pass over padded rectangles."""

import numpy as np
import pytest
import torch

import architectures
import tiny
from isoglot.encode.encoder import Encoder, load_encoder
from isoglot.encode.tokens import Tokens
from isoglot.objective.forward import sentence_vectors

TEXTS = [" ".join(tiny.sentence(number).split()[: number % 5 + 1]) for number in range(30)]
ROWS = np.random.default_rng(0).permutation(len(TEXTS))


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    root = tmp_path_factory.mktemp("architectures")
    return lambda kind: root / kind if (root / kind).is_dir() else architectures.write(root / kind, kind)


def learn(student, run):
    """Vectors, and the gradient of every weight for a sum of them in which each number weighs another."""
    student.model.zero_grad(set_to_none=True)
    vectors = run()
    (vectors * torch.linspace(-1, 1, vectors.numel()).view_as(vectors)).sum().backward()
    weights = student.model.named_parameters()
    return vectors.detach(), {name: weight.grad for name, weight in weights if weight.grad is not None}


def padded(student, tokens):
    ids, mask = tokens.padded(ROWS)
    return student.model(ids, mask).float()


@pytest.mark.parametrize("pooling", [("mean",), ("cls", "max", "mean", "lasttoken")])
@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta", "camembert"])
def test_without_padding_vectors_and_gradients_are_the_networks_own(folder_of, monkeypatch, kind, pooling):
    student = load_encoder(folder_of(kind), pooling=pooling, precision="fp32")
    tokens = student.tokenizer(TEXTS)
    expected, theirs = learn(student, lambda: padded(student, tokens))
    monkeypatch.setattr(Tokens, "padded", None)  # whoever calls it fails
    found, ours = learn(student, lambda: sentence_vectors(student, tokens, ROWS))
    assert torch.allclose(found, expected, atol=2e-6)
    assert set(ours) == set(theirs)
    assert len(ours) > 20
    for name, gradient in theirs.items():
        assert torch.allclose(ours[name], gradient, atol=1e-5 * float(gradient.abs().max()) + 1e-6), name


@pytest.mark.parametrize("change", ["another family", "dropout", "a text without tokens"])
def test_others_are_padded(folder_of, monkeypatch, change):
    kind = "modernbert" if change == "another family" else "bert"
    student = load_encoder(folder_of(kind), precision="fp32")
    tokens, original, calls = student.tokenizer(TEXTS), Tokens.padded, []
    if change == "a text without tokens":
        first = int(tokens.lengths[0])
        tokens = Tokens(tokens.ids[first:], np.concatenate([[0], tokens.offsets[1:] - first]), tokens.pad_id)
        assert tokens.lengths[0] == 0
    monkeypatch.setattr(Tokens, "padded", lambda *asked: calls.append(1) or original(*asked))
    vectors = sentence_vectors(student, tokens, ROWS, dropout=change == "dropout")
    assert calls
    assert vectors.shape == (len(TEXTS), 32)


def test_in_bf16_gradients_follow_those_of_fp32(folder_of):
    student = load_encoder(folder_of("xlm-roberta"), precision="fp32")
    tokens = student.tokenizer(TEXTS)
    _, exact = learn(student, lambda: padded(student, tokens))
    half = Encoder(student.model, student.tokenizer, "bf16")
    _, found = learn(student, lambda: sentence_vectors(half, tokens, ROWS))
    assert all(gradient.dtype == torch.float32 for gradient in found.values())
    away = sum((one - found[name]).square().sum() for name, one in exact.items())
    assert 1e-3 < (away / sum(one.square().sum() for one in exact.values())).sqrt() < 0.03
