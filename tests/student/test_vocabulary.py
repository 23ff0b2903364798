import numpy as np
import pytest
import torch

from isoglot.encode.encoder import load_encoder
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
