"""A batch in parts: its vectors and gradients are those of the batch in one, and the same again bit for bit."""

import threading

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

import tiny
from isoglot.encode import encoder as encoder_module
from isoglot.encode.backbones import BiLstm, TokenTable
from isoglot.encode.encoder import load_encoder
from isoglot.encode.model import SentenceModel, Shape
from isoglot.objective import parts as module
from isoglot.objective.forward import sentence_vectors
from isoglot.objective.parts import equal_parts, profits


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def student(tiny_folder):
    return load_encoder(tiny_folder / "student", precision="fp32")


TEXTS = [tiny.sentence(number) for number in range(50)]


def learn(student, part_tokens, monkeypatch, *, dropout=False, table_gradient=None):
    """Vectors, and the gradient of a weighted sum of them, with parts of so many tokens."""
    monkeypatch.setattr(encoder_module, "BATCH_TOKENS", part_tokens)
    tokens = student.tokenizer(TEXTS, "")
    student.model.zero_grad(set_to_none=True)
    student.model.backbone.get_input_embeddings().weight.grad = table_gradient
    rows = np.random.default_rng(0).permutation(len(TEXTS))
    torch.manual_seed(0)
    vectors = sentence_vectors(student, tokens, rows, dropout=dropout)
    weights = torch.linspace(-1, 1, vectors.numel()).view_as(vectors)
    (vectors * weights).sum().backward()
    gradients = {name: weight.grad for name, weight in student.model.named_parameters()}
    return vectors.detach(), gradients


def test_parts_give_the_vectors_and_gradients_of_the_whole(student, threads, monkeypatch):
    vectors, gradients = learn(student, 10_000, monkeypatch)
    parted, others = learn(student, 60, monkeypatch)
    assert torch.allclose(vectors, parted, atol=1e-6)
    assert {name for name, one in gradients.items() if one is None} == {
        name for name, one in others.items() if one is None
    }
    for name, gradient in gradients.items():
        if gradient is not None:
            assert torch.allclose(gradient, others[name], atol=1e-5 * float(gradient.abs().max()) + 1e-6), (
                name
            )


def test_the_same_parts_give_the_same_bits_again(student, threads, monkeypatch):
    first = learn(student, 60, monkeypatch)
    for _ in range(5):
        vectors, gradients = learn(student, 60, monkeypatch)
        assert torch.equal(vectors, first[0])
        assert all(one is None or torch.equal(one, first[1][name]) for name, one in gradients.items())


def test_gradients_that_share_memory_are_summed_apart():
    """As those of two weights whose sum was used: autograd gives both the same tensor, or views of one."""
    one, both = torch.ones(2), torch.ones(4)
    first = (one, one, both[:2], torch.ones(1).expand(2), None)
    second = (torch.ones(2), torch.ones(2), torch.ones(2), torch.ones(2), torch.ones(2))
    third = (None, torch.ones(2), None, None, torch.ones(2))
    found = module._sum([first, second, third])
    assert [one.tolist() for one in found] == [[2, 2], [3, 3], [2, 2], [2, 2], [2, 2]]
    assert second[4].tolist() == [1, 1]


@pytest.mark.parametrize("part_tokens", [60, 10_000])
def test_a_gradient_in_memory_gets_the_rows_in_use_and_the_same_bits_again(
    student, threads, monkeypatch, part_tokens
):
    table = student.model.backbone.get_input_embeddings()
    _, gradients = learn(student, part_tokens, monkeypatch)
    plain = next(gradients[name] for name, one in student.model.named_parameters() if one is table.weight)
    found = []
    for _ in range(3):
        before = torch.zeros_like(table.weight)
        _, gradients = learn(student, part_tokens, monkeypatch, table_gradient=before)
        assert table.weight.grad is before
        found.append(before)
    assert torch.allclose(found[0], plain, atol=1e-5 * float(plain.abs().max()))
    assert all(torch.equal(found[0], again) for again in found)
    assert not table.sparse


def test_parts_are_run_side_by_side_forward_and_backward(student, monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    seen = []
    lanes = module.in_lanes

    def watched(work, items, ready):
        def named(item):
            seen.append(threading.current_thread().name.rsplit("_", 1)[0])
            return work(item)

        return lanes(named, items, ready)

    monkeypatch.setattr(module, "in_lanes", watched)
    learn(student, 60, monkeypatch)
    torch.set_num_threads(before)
    assert len(seen) > 4
    assert set(seen) == {"isoglot-lane"}


def test_bf16_goes_in_parts_too(tiny_folder, monkeypatch):
    student = load_encoder(tiny_folder / "student", precision="bf16")
    vectors, gradients = learn(student, 10_000, monkeypatch)
    parted, others = learn(student, 60, monkeypatch)
    assert torch.nn.functional.cosine_similarity(vectors, parted).min() > 0.999
    flat = [
        torch.cat([one.flatten() for one in each.values() if one is not None]) for each in (gradients, others)
    ]
    assert torch.nn.functional.cosine_similarity(*flat, dim=0) > 0.99


def test_with_dropout_the_batch_is_run_in_one(student, monkeypatch):
    vectors, _ = learn(student, 10_000, monkeypatch, dropout=True)
    again, _ = learn(student, 60, monkeypatch, dropout=True)
    assert torch.equal(vectors, again)  # the same draws, so the same pass


def test_a_frozen_weight_stays_without_a_gradient(student, monkeypatch):
    frozen = student.model.backbone.get_input_embeddings().weight.requires_grad_(False)
    learn(student, 60, monkeypatch)
    assert frozen.grad is None


@pytest.mark.parametrize(("tokens", "parts"), [(100, 4), (300, 3), (450, 2), (2000, 1)])
def test_parts_are_of_equally_many_tokens_and_hold_every_text_once(tokens, parts):
    lengths = np.random.default_rng(0).integers(3, 30, 60)
    assert 900 < lengths.sum() < 1050
    found = equal_parts(lengths, tokens)
    assert sorted(np.concatenate(found)) == list(range(len(lengths)))
    assert len(found) == parts
    for part in found:
        assert abs(lengths[part].sum() - lengths.sum() / len(found)) <= 2 * lengths.max()
    assert (np.diff(np.concatenate([lengths[part] for part in found])) <= 0).all()


def test_few_long_texts_leave_no_part_empty():
    assert [part.tolist() for part in equal_parts(np.array([500, 1, 1]), 100)] == [[0], [1, 2]]


def test_only_a_transformer_is_run_in_parts():
    bert = BertModel(BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2))
    rows = torch.zeros(5, 4)
    found = [
        profits(SentenceModel(backbone, Shape())) for backbone in (bert, TokenTable(rows), BiLstm(rows, 3, 1))
    ]
    assert found == [True, False, False]
