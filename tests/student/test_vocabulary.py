import numpy as np
import pytest
import torch

from isoglot.encode.encoder import load_encoder
from isoglot.encode.model import SentenceModel, Shape
from isoglot.student.vocabulary import SubVocabulary

TEXTS = ["the red house sings today", "xeht xder xesuoh"]


def prepared(folder):
    student = load_encoder(folder)
    tokens = student.tokenizer(TEXTS)
    used = np.concatenate([tokens.ids, [student.tokenizer.pad_id]])
    full = student.model.backbone.get_input_embeddings().weight.detach().clone()
    before = student.encode(TEXTS)
    vocabulary = SubVocabulary(student.model, used)
    student.remap = vocabulary.remap
    return student, vocabulary, full, before


def test_the_small_network_computes_the_same(tiny_folder):
    student, vocabulary, _, before = prepared(tiny_folder / "student")
    assert student.model.backbone.get_input_embeddings().num_embeddings == len(vocabulary.rows) < 20
    assert np.array_equal(student.encode(TEXTS), before)


def test_trained_rows_are_written_back_and_the_rest_is_bit_equal(tiny_folder):
    student, vocabulary, full, _ = prepared(tiny_folder / "student")
    with torch.no_grad():
        student.model.backbone.get_input_embeddings().weight.add_(1.0)
    trained = student.encode(TEXTS)
    vocabulary.restore(student.model)
    student.remap = None
    restored = student.model.backbone.get_input_embeddings().weight.detach()
    used = torch.from_numpy(vocabulary.rows)
    rest = torch.ones(len(full), dtype=torch.bool)
    rest[used] = False
    assert torch.equal(restored[rest], full[rest])
    assert torch.equal(restored[used], full[used] + 1.0)
    assert np.array_equal(student.encode(TEXTS), trained)


def test_a_word_outside_is_an_error_and_not_another_word(tiny_folder):
    student, _, _, _ = prepared(tiny_folder / "student")
    with pytest.raises(ValueError, match="outside the training vocabulary"):
        student.encode(["the garden opens"])


def roberta(pad_token_id):
    """A small random XLM-R; its positions count on from the padding id."""
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=20, pad_token_id=pad_token_id,
    )  # fmt: skip
    return SentenceModel(XLMRobertaModel(config).eval(), Shape())


@pytest.mark.parametrize("pad_id", [1, 4])
def test_positions_stay_where_no_token_before_the_padding_id_is_used(pad_id):
    """As in CamemBERT, whose texts begin with token 5 where XLM-R's begin with token 0."""
    model = roberta(pad_id)
    ids = torch.tensor([[5, 9, 7, 6], [5, 8, 6, pad_id]])
    mask = (ids != pad_id).long()
    before = model(ids, mask)
    vocabulary = SubVocabulary(model, np.unique(ids.numpy()))
    new = torch.from_numpy(np.searchsorted(vocabulary.rows, ids.numpy()))
    assert torch.allclose(model(new, mask), before, atol=1e-6)
    assert len(vocabulary.rows) < 20


def test_a_padding_row_that_no_text_uses_takes_no_other_row_s_place(tiny_folder):
    """The network's own padding id may be another one than the tokenizer's."""
    student = load_encoder(tiny_folder / "student")
    for padding_idx, used in ((6, [0, 2, 3, 7, 8]), (30, [0, 2, 3, 7])):
        student.model.backbone.get_input_embeddings().padding_idx = padding_idx
        vocabulary = SubVocabulary(student.model, np.array(used))
        assert student.model.backbone.get_input_embeddings().padding_idx is None
        vocabulary.restore(student.model)
        assert student.model.backbone.get_input_embeddings().padding_idx == padding_idx
