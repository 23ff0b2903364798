"""The packed e5 file: a packer written here, from the format's description, against our reader."""

import struct

import numpy as np
import pytest

from isoglot.encode import e5_small
from isoglot.errors import DamagedError

WIDTH, LAYERS, INNER, WORDS, POSITIONS = 32, 1, 64, 10, 6


def quantise(values):
    """Pack rows of 32 as fp16 scale and nibbles; give also what they stand for, one number at a time."""
    packed, meant = b"", []
    for block in values.reshape(-1, 32):
        scale = float(np.float16(np.abs(block).max() / 7))
        levels = [int(min(15, max(0, round(float(value) / scale) + 8))) for value in block]
        packed += struct.pack("<e", scale) + bytes(levels[j] | levels[j + 16] << 4 for j in range(16))
        meant += [(level - 8) * scale for level in levels]
    return packed, np.array(meant, np.float32).reshape(values.shape)


def pack(random):
    shapes = {"emb.word": (WORDS, WIDTH), "emb.pos": (POSITIONS, WIDTH), "emb.type": (2, WIDTH),
              "emb.ln.w": (WIDTH,), "emb.ln.b": (WIDTH,)}  # fmt: skip
    for name, (rows, columns) in {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH), "ao": (WIDTH, WIDTH),
                                  "fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}.items():  # fmt: skip
        shapes |= {f"l0.{name}.w": (rows, columns), f"l0.{name}.b": (rows,)}
    shapes |= {f"l0.{name}.{part}": (WIDTH,) for name in ("aln", "oln") for part in "wb"}
    head = struct.pack("<4sI7ifi", b"E5S1", 1, WIDTH, LAYERS, 4, INNER, WORDS, POSITIONS, 2, 1e-12, 32)
    head += (
        struct.pack("<5iQ", 2, 0, 2, 1, 3, 5)
        + bytes(4 * 3 + 4 * 2)
        + b"abcde"
        + struct.pack("<iI", 1, 9)
        + bytes(9)
    )
    bodies, meant, directory = [], {}, []
    size = len(head) + 4 + sum(2 + len(name) + 21 for name in shapes)
    for name, shape in shapes.items():
        values = random.normal(size=shape).astype(np.float32)
        four_bit = name == "emb.word" or (len(shape) == 2 and name.startswith("l"))
        body, meant[name] = quantise(values) if four_bit else (values.tobytes(), values)
        directory.append((name, int(four_bit), values.size, size + sum(map(len, bodies)), len(body)))
        bodies.append(body)
    listed = struct.pack("<i", len(directory)) + b"".join(
        struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", *rest)
        for name, *rest in directory
    )
    return head + listed + b"".join(bodies), meant


def test_dequantises_every_tensor_exactly():
    packed, meant = pack(np.random.default_rng(0))
    header, tensors = e5_small.unpack(packed)
    assert (header.hidden, header.layers, header.vocabulary, header.epsilon) == (WIDTH, LAYERS, WORDS, 1e-12)
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "l0.fi.w": "encoder.layer.0.intermediate.dense.weight",
        "l0.q.b": "encoder.layer.0.attention.self.query.bias",
        "l0.oln.w": "encoder.layer.0.output.LayerNorm.weight",
    }
    for source, target in names.items():
        assert np.array_equal(tensors[target], meant[source])
    assert len(tensors) == len(meant) + 2
    assert not tensors["pooler.dense.weight"].any()


def test_the_tensors_are_a_bert_encoder():
    from transformers import BertConfig, BertModel

    header, tensors = e5_small.unpack(pack(np.random.default_rng(1))[0])
    config = BertConfig(
        vocab_size=header.vocabulary, hidden_size=header.hidden, num_hidden_layers=header.layers,
        num_attention_heads=header.heads, intermediate_size=header.intermediate,
        max_position_embeddings=header.positions,
    )  # fmt: skip
    expected = {name: tuple(value.shape) for name, value in BertModel(config).state_dict().items()}
    assert {name: value.shape for name, value in tensors.items()} == expected


@pytest.mark.parametrize("damage", ["magic", "cut", "empty"])
def test_damaged_files_are_named(damage):
    packed, _ = pack(np.random.default_rng(0))
    broken = {"magic": b"XXXX" + packed[4:], "cut": packed[: len(packed) // 2], "empty": b""}[damage]
    with pytest.raises(DamagedError, match="not a packed e5"):
        e5_small.unpack(broken)
