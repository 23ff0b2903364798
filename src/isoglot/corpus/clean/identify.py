"""Which language each text of a batch is in: the model that py3langid ships, computed for all texts at once.

py3langid (a fork of langid.py: Lui and Baldwin 2012, "langid.py: An Off-the-shelf Language Identification Tool")
reads a text byte by byte through an automaton that knows where a feature, a telling sequence of bytes, ends, and
sums naive Bayes weights of the features found. Here the automata of all texts take each step together, and the sums
of all texts are one sparse matrix product.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Memory = dict[str, tuple[int, float]]  # text -> its most probable label, and how probable that is

_REMEMBERED = 1 << 18  # texts, some 50 MB
_BLOCK = 16_384  # texts worked on together; text x feature must fit 32 bits


@dataclass(frozen=True)
class Model:
    """The parameters of the model: f features, s states, l labels, and c >= l classes.

    Attributes:
        labels: codes of the languages it can name, as py3langid writes them; the first l classes.
        twins: (label, class) of the classes behind them: a language written in two scripts has two classes.
        next_state: int32 [rows * 256], the automaton: the state after a byte.
        row: int64 [s], where the 256 entries of a state begin in `next_state`.
        feature: int32 [s], the feature that ends in a state, or -1.
        weights: float32 [f, c], log P(feature | class), centred over the classes, which no probability notices.
        prior: float32 [c], log P(class), centred.
    """

    labels: tuple[str, ...]
    twins: tuple[tuple[int, int], ...]
    next_state: NDArray[np.int32]
    row: NDArray[np.int64]
    feature: NDArray[np.int32]
    weights: NDArray[np.float32]
    prior: NDArray[np.float32]


class Visits(NamedTuple):
    """Which features the texts hold, sorted by text and feature: v entries."""

    text: NDArray[np.uint32]
    feature: NDArray[np.uint32]
    times: NDArray[np.int64]


@functools.cache
def model() -> Model:
    """Load the model; about a second, and 110 MB while the process lives."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    loaded = LanguageIdentifier.from_model_file(MODEL_FILE)
    labels, codes = list(loaded.labels), list(loaded.nb_classes)
    first = [codes.index(label) for label in labels]
    classes = first + [place for place in range(len(codes)) if place not in first]
    weights = np.asarray(loaded.nb_ptc, np.float32)[:, classes]
    prior = np.asarray(loaded.nb_pc, np.float32)[classes]
    return Model(
        labels=tuple(labels),
        twins=tuple((labels.index(codes[classes[at]]), at) for at in range(len(labels), len(classes))),
        next_state=np.array(loaded.tk_nextmove, np.int32),
        row=np.array(loaded.tk_row, np.int64) * 256,
        feature=np.array(loaded.tk_output, np.int32),
        # small numbers keep more digits in the sums
        # and row by row in memory, or the product would copy them every time
        weights=np.ascontiguousarray(weights - weights.mean(axis=1, keepdims=True)),
        prior=prior - prior.mean(),
    )


def most_probable(texts: Sequence[str], memory: Memory) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the most probable label of each text, as a place in `model().labels`, and its probability.

    Args:
        texts: n texts; those that come again are looked at once.
        memory: what was found for texts before, to use and to add to; emptied when it holds 2**18.

    Returns:
        int64 [n] and float32 [n].
    """
    new = [text for text in dict.fromkeys(texts) if text not in memory]
    if len(memory) + len(new) > _REMEMBERED:
        new = list(dict.fromkeys(texts))
        memory.clear()
    found = probabilities(new)
    best = found.argmax(axis=1)
    memory.update(
        zip(new, zip(best.tolist(), found.max(axis=1, initial=0.0).tolist(), strict=True), strict=True)
    )
    labels, chances = zip(*map(memory.__getitem__, texts), strict=True) if len(texts) else ((), ())
    return np.array(labels, np.int64), np.array(chances, np.float32)


def probabilities(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return how probable each language is for each text.

    The numbers are those of py3langid with `norm_probs=True`: the posterior, tempered by the square root of the
    text's bytes; a text without any known feature is equally probable in all classes.

    Returns:
        float32 [n, l], rows sum to 1; columns are `model().labels`.
    """
    found = np.empty((len(texts), len(model().labels)), np.float32)
    for start in range(0, len(texts), _BLOCK):
        found[start : start + _BLOCK] = _block(texts[start : start + _BLOCK], model())
    return found


def _block(texts: Sequence[str], model: Model) -> NDArray[np.float32]:
    encoded = [_encoded(text) for text in texts]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    # longest first: the texts that still have a byte at a step are the first ones
    order = np.argsort(-lengths, kind="stable")
    lengths = lengths[order]
    starts = np.cumsum(lengths) - lengths
    data = np.frombuffer(b"".join([encoded[place] for place in order]), np.uint8)
    scores = _scores(_visits(data, starts, lengths, model), lengths, model)
    found = np.empty((len(texts), len(model.labels)), np.float32)
    found[order] = _softmax(scores, model)
    return found


def _encoded(text: str) -> bytes:
    """Encode a text as py3langid does."""
    shown = text.lower() if text.isupper() else text
    return unicodedata.normalize("NFC", shown).encode("utf-8", "surrogatepass")


def _visits(
    data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], model: Model
) -> Visits:
    """Walk the automaton over n texts, longest first; count the features."""
    longest = int(lengths[0]) if len(lengths) else 0
    alive = len(lengths) - np.searchsorted(lengths[::-1], np.arange(longest), side="right")
    states = np.empty(len(data), np.int32)
    row = np.full(len(lengths), model.row[0])
    place, done = starts.copy(), 0
    for count in alive:
        ahead = states[done : done + count]
        np.take(model.next_state, row[:count] + data[place[:count]], out=ahead, mode="clip")
        np.take(model.row, ahead, out=row[:count], mode="clip")
        place[:count] += 1
        done += count
    features = model.feature[states]
    ended = np.flatnonzero(features >= 0)
    texts = np.concatenate([np.arange(count, dtype=np.uint32) for count in alive] or [np.empty(0, np.uint32)])
    return _counted(texts[ended], features[ended].astype(np.uint32), len(model.weights))


def _counted(texts: NDArray[np.uint32], features: NDArray[np.uint32], of: int) -> Visits:
    keys = texts * np.uint32(of) + features
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=keys[:1] + np.uint32(1)))
    text, feature = np.divmod(keys[first], np.uint32(of))
    return Visits(text, feature, np.diff(first, append=len(keys)))


def _scores(visits: Visits, lengths: NDArray[np.int64], model: Model) -> NDArray[np.float32]:
    """Sum log(1 + count) x weight over the features of each text: float32 [n, c], tempered."""
    from scipy.sparse import csr_array

    ends = np.searchsorted(visits.text, np.arange(len(lengths) + 1, dtype=np.uint32))
    damped = np.log1p(visits.times.astype(np.float32))
    shape = (len(lengths), len(model.weights))
    scores: NDArray[np.float32] = csr_array((damped, visits.feature, ends), shape=shape) @ model.weights
    scores += model.prior
    scores[np.diff(ends) == 0] = 0
    scores /= np.sqrt(np.maximum(lengths, 1)).astype(np.float32)[:, None]
    return scores


def _softmax(scores: NDArray[np.float32], model: Model) -> NDArray[np.float32]:
    """Turn scores of classes into probabilities of labels: float32 [n, l]."""
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    found = scores[:, : len(model.labels)]
    for label, twin in model.twins:
        found[:, label] += scores[:, twin]
    return found
