"""The decoder's loss is that of a plain loop, and nothing that it should see is overlooked."""

import numpy as np
import pytest
import torch

from isoglot.encode.tokens import Tokens
from isoglot.objective.translation import surprise
from isoglot.objective.translation.decoder import Decoder, pack
from isoglot.objective_config import TranslationConfig

PIECES = Tokens(
    np.array([3, 1, 4, 1, 5, 0, 2, 6], np.int32), np.array([0, 3, 5, 5, 8]), 0
)  # one text is empty
ROWS = np.array([0, 3, 1, 2])  # by falling length
VECTOR, VOCABULARY = 6, 7


@pytest.fixture(params=[1, 2], ids=["one layer", "two layers"])
def decoder(request):
    torch.manual_seed(0)
    config = TranslationConfig(
        embedding=5, decoder=8, decoder_layers=request.param, language=3, dropout=0.0, vocabulary=64
    )
    return Decoder(VECTOR, VOCABULARY, config)


@pytest.fixture
def vectors():
    return torch.randn(4, VECTOR, generator=torch.Generator().manual_seed(1))


LANGUAGES = torch.tensor([0, 1, 1, 0])
WEIGHTS = torch.tensor([1.0, 2.0, 0.5, 3.0])


@torch.no_grad()
def cell_by_cell(decoder, vector, language, pieces):
    """Negative log-probability of each step, computed with nothing but the equations of an LSTM."""
    layers, units = decoder.lstm.num_layers, decoder.lstm.hidden_size
    begin = decoder.begin.weight @ vector + decoder.begin.bias
    hidden, cell = begin[: layers * units].view(layers, units), begin[layers * units :].view(layers, units)
    hidden, cell = list(hidden), list(cell)
    said, last = [], decoder.boundary
    for piece in [*pieces, decoder.boundary]:
        x = torch.cat([decoder.pieces.weight[last], vector, decoder.languages.weight[language]])
        for layer in range(layers):
            own = {name: getattr(decoder.lstm, f"{name}_l{layer}") for name in
                   ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}  # fmt: skip
            gates = own["weight_ih"] @ x + own["bias_ih"] + own["weight_hh"] @ hidden[layer] + own["bias_hh"]
            enter, forget, new, leave = gates.chunk(4)
            cell[layer] = forget.sigmoid() * cell[layer] + enter.sigmoid() * new.tanh()
            x = hidden[layer] = leave.sigmoid() * cell[layer].tanh()
        scores = decoder.output.weight @ x + decoder.output.bias
        said.append(scores.exp().sum().log() - scores[piece])
        last = piece
    return said


def pieces_of(row):
    return PIECES.ids[PIECES.offsets[row] : PIECES.offsets[row + 1]].tolist()


def test_the_loss_is_that_of_a_plain_loop_over_texts_and_positions(decoder, vectors):
    total = steps = 0.0
    for place, row in enumerate(ROWS):
        said = cell_by_cell(decoder, vectors[place], int(LANGUAGES[place]), pieces_of(row))
        total += float(sum(said)) * float(WEIGHTS[place])
        steps += len(said) * float(WEIGHTS[place])
    loss = decoder.loss(vectors, LANGUAGES, pack(PIECES, ROWS, decoder.boundary), WEIGHTS)
    assert loss.item() == pytest.approx(total / steps, abs=1e-5)


def test_padding_does_not_change_the_loss(decoder, vectors):
    """Texts of other lengths beside it leave a text's own loss as it is."""
    together = decoder.loss(vectors, LANGUAGES, pack(PIECES, ROWS, decoder.boundary), torch.ones(4))
    alone = [
        decoder.loss(
            vectors[[place]], LANGUAGES[[place]], pack(PIECES, ROWS[[place]], decoder.boundary), torch.ones(1)
        )
        for place in range(4)
    ]
    lengths = PIECES.lengths[ROWS] + 1
    mean = sum(loss.item() * length for loss, length in zip(alone, lengths, strict=True)) / lengths.sum()
    assert together.item() == pytest.approx(mean, abs=1e-5)


def test_the_language_and_the_vector_are_seen_at_every_step(decoder, vectors):
    """Each of them changes a text that is the same but for it; were it only in the first state, this would fail."""
    with torch.no_grad():
        decoder.begin.weight.zero_()
    twins = np.array([0, 0])
    for changed in ("language", "vector"):
        own = vectors[[0, 0]] if changed == "language" else vectors[[0, 1]]
        languages = torch.tensor([0, 1 if changed == "language" else 0])
        losses = [
            decoder.loss(
                own[[place]], languages[[place]], pack(PIECES, twins[:1], decoder.boundary), torch.ones(1)
            )
            for place in (0, 1)
        ]
        assert abs((losses[0] - losses[1]).item()) > 1e-4, changed


def test_the_first_state_is_made_from_the_vector(decoder, vectors):
    laid = pack(PIECES, ROWS, decoder.boundary)
    before = decoder.loss(vectors, LANGUAGES, laid, WEIGHTS)
    with torch.no_grad():
        decoder.begin.weight.mul_(2)
    assert abs((before - decoder.loss(vectors, LANGUAGES, laid, WEIGHTS)).item()) > 1e-4


def test_texts_are_laid_out_step_after_step():
    laid = pack(PIECES, ROWS, boundary=9)
    assert laid.sizes.tolist() == [4, 3, 3, 2]
    assert laid.text.tolist() == [0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 0, 1]
    assert laid.given.tolist() == [9, 9, 9, 9, 3, 0, 1, 1, 2, 5, 4, 6]
    assert laid.wanted.tolist() == [3, 0, 1, 9, 1, 2, 5, 4, 6, 9, 9, 9]


def test_writing_takes_the_likeliest_piece_until_the_boundary(decoder, vectors):
    decoder.output.bias.data[decoder.boundary] -= 0.2  # so that some text has a few pieces
    with torch.no_grad():
        written = decoder.write(vectors, LANGUAGES, longest=6)
        for place, text in enumerate(written):
            for end in range(len(text) + 1):
                best = min(
                    range(VOCABULARY + 1),
                    key=lambda piece: float(
                        next_surprise(decoder, vectors[place], LANGUAGES[place], text[:end], piece)
                    ),
                )
                wanted = text[end] if end < len(text) else decoder.boundary
                assert best == wanted or end == 6
    assert all(decoder.boundary not in text for text in written)


def next_surprise(decoder, vector, language, before, piece):
    """Of a piece behind others: the last but one step of the text that ends with it."""
    if piece == decoder.boundary:
        return cell_by_cell(decoder, vector, int(language), before)[-1]
    return cell_by_cell(decoder, vector, int(language), [*before, piece])[-2]


def test_writing_stops_at_the_longest(decoder, vectors):
    decoder.output.bias.data[decoder.boundary] = -1e9
    with torch.no_grad():
        assert [len(text) for text in decoder.write(vectors, LANGUAGES, longest=4)] == [4] * 4


def test_dropout_is_for_training_only(vectors):
    config = TranslationConfig(embedding=5, decoder=8, language=3, dropout=0.5, vocabulary=64)
    torch.manual_seed(0)
    decoder = Decoder(VECTOR, VOCABULARY, config)
    laid = pack(PIECES, ROWS, decoder.boundary)

    def twice():
        return [decoder.loss(vectors, LANGUAGES, laid, WEIGHTS).item() for _ in range(2)]

    trained, still = twice(), (decoder.eval(), twice())[1]
    assert trained[0] != trained[1]
    assert still[0] == still[1]


@pytest.mark.parametrize("at_once", [1, 24, 1 << 22], ids=["row by row", "some rows", "all rows"])
def test_surprise_and_its_gradients_are_those_of_cross_entropy(monkeypatch, at_once):
    monkeypatch.setattr(surprise, "_LOGITS_AT_ONCE", at_once)
    random = torch.Generator().manual_seed(0)
    shapes = ((10, 6), (8, 6), (8,))
    ours = [torch.randn(shape, generator=random).requires_grad_() for shape in shapes]
    theirs = [tensor.detach().clone().requires_grad_() for tensor in ours]
    wanted, weights = torch.arange(10) % 8, torch.rand(10, generator=random) + 0.1
    own = surprise.mean_surprise(*ours, wanted, weights) * 3
    scores = torch.nn.functional.linear(*theirs)
    plain = torch.nn.functional.cross_entropy(scores, wanted, reduction="none")
    reference = (plain * weights).sum() / weights.sum() * 3
    own.backward()
    reference.backward()
    assert own.item() == pytest.approx(reference.item(), abs=1e-6)
    for a, b in zip(ours, theirs, strict=True):
        assert (a.grad - b.grad).abs().max() < 1e-6


def test_the_gradient_has_the_same_bits_every_time():
    """A resumed run needs that; adding up at an index is done in the order of the threads, if torch is let."""
    torch.manual_seed(0)
    wide = Decoder(96, VOCABULARY, TranslationConfig(embedding=16, decoder=16, language=3, dropout=0.0))
    lengths = np.sort(np.random.default_rng(0).integers(20, 90, 48))[::-1]
    ids = np.random.default_rng(1).integers(0, VOCABULARY, lengths.sum()).astype(np.int32)
    texts = pack(Tokens(ids, np.concatenate([[0], lengths.cumsum()]), 0), np.arange(48), wide.boundary)
    vectors = torch.randn(48, 96, requires_grad=True)
    languages, weights = torch.zeros(48, dtype=torch.int64), torch.ones(48)
    seen = set()
    for _ in range(40):
        loss = wide.loss(vectors, languages, texts, weights)
        seen.add(torch.autograd.grad(loss, vectors)[0].numpy().tobytes())
    assert len(seen) == 1
