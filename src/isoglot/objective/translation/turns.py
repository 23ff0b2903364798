"""What is translated into what: every text that is read, and what the decoder writes for it.

Each text of a group is a translation of all others. Of every group an epoch reads the source and some translations
(as many as `train.targets_per_group` says, drawn by `train.temperature`), and each text that is read is translated into
every target language in which the group has a text, but never into its own: nothing is copied, as in the paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoglot.config import TrainConfig
from isoglot.corpus.mixing import draw_translations
from isoglot.corpus.store import Groups
from isoglot.encode.tokens import Tokenizer, Tokens
from isoglot.errors import RequestError
from isoglot.objective.batching import length_batches
from isoglot.objective.texts import ParallelTexts, drawn_translations, parallel_texts


@dataclass(frozen=True)
class TranslationTexts:
    """Parallel texts, and those of them that the decoder may have to write.

    Attributes:
        read: what is read, by the student.
        pieces: of every text, but empty where its language is no target; without special tokens, as numbers of
            `alphabet`: the decoder chooses among the pieces that are ever written, and not those of other languages.
        alphabet: int32, ids of these pieces in the whole vocabulary, rising.
        target: int64 [n + m], which target language each text is in, -1 for none of them.
        targets: languages that are written, as tags.
    """

    read: ParallelTexts
    pieces: Tokens
    alphabet: NDArray[np.int32]
    target: NDArray[np.int64]
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """Some texts, each read once, and their translations.

    Attributes:
        read: int64 [b], rows of the texts that are read.
        origin: int64 [k], position in `read` of what each translation is of.
        written: int64 [k], rows of the translations.
        weights: float32 [k], of each translation in the loss.
    """

    read: NDArray[np.int64]
    origin: NDArray[np.int64]
    written: NDArray[np.int64]
    weights: NDArray[np.float32]


def translation_texts(
    groups: Groups,
    tokenizer: Tokenizer,
    prompt: str,
    source_language: str,
    targets: Sequence[str],
    weight: NDArray[np.float32] | None = None,
) -> TranslationTexts:
    """Tokenise a split once, for reading and for writing.

    Args:
        groups: the split.
        tokenizer: of the student.
        prompt: put before every text that is read.
        source_language: of the groups' sources, a canonical tag.
        targets: canonical tags of the languages to write.
        weight: float32 [m], of each translation in the loss; None: all 1.

    Raises:
        RequestError: no text is in one of the targets.
    """
    pairs = parallel_texts(groups, tokenizer, prompt, weight)
    codes = {source_language: -1, **{tag: number for number, tag in enumerate(groups.languages)}}
    target = np.full(len(pairs.texts), -1, np.int64)
    for number, tag in enumerate(targets):
        own = pairs.language == codes.get(tag, -2)
        if not own.any():
            known = ", ".join(sorted(codes))
            raise RequestError(
                f"objective.translation.targets names {tag}, and no training text is in it (they are in {known}).",
                "Name two languages of the corpus, those with the most translations.",
            )
        target[own] = number
    wanted = [text if number >= 0 else "" for text, number in zip(pairs.texts, target.tolist(), strict=True)]
    plain = Tokenizer(tokenizer.backend, tokenizer.pad_id, tokenizer.max_tokens, special=False)(wanted)
    alphabet, numbers = np.unique(plain.ids, return_inverse=True)
    pieces = Tokens(numbers.astype(np.int32), plain.offsets, 0)
    return TranslationTexts(pairs, pieces, alphabet, target, tuple(targets))


def epoch(texts: TranslationTexts, train: TrainConfig, seed: int, number: int) -> Iterator[Batch]:
    """Yield the batches of one epoch, a pure function of its arguments.

    A batch holds at most `train.batch_tokens` tokens, those that are read and those that are written, padded as if
    all its texts were as long as the longest one with its translations.
    """
    read, written = turns(texts, train, (seed, number))
    own, first, counts = np.unique(read, return_index=True, return_counts=True)
    steps = texts.pieces.lengths[written] + 1  # the end of a text is written too
    lengths = texts.read.tokens.lengths[own] + np.add.reduceat(steps, first)
    shuffled = np.random.default_rng((seed, number, 2)).permutation(len(own))
    for chosen in length_batches(lengths[shuffled], train.batch_tokens, (seed, number)):
        rows = shuffled[chosen]
        places = np.concatenate([np.arange(first[row], first[row] + counts[row]) for row in rows])
        origin = np.repeat(np.arange(len(rows)), counts[rows])
        outputs = written[places]
        yield Batch(own[rows], origin, outputs, _weights(texts.read, own[rows][origin], outputs))


def turns(
    texts: TranslationTexts, train: TrainConfig, seed: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw what an epoch translates into what.

    Where a group has several texts of a target language, one of them is drawn for the epoch.

    Returns:
        int64 [k] rows of the texts that are read, ascending, and int64 [k] rows of what is written for them.
    """
    pairs, first = texts.read, texts.read.sources
    read = np.concatenate([np.arange(first), drawn_translations(pairs, train, seed)])
    found = []
    for number in range(len(texts.targets)):
        rows = np.flatnonzero(texts.target == number)
        chosen = rows[draw_translations(pairs.group[rows], np.ones(len(rows)), 1, (*seed, 3, number))]
        written = np.full(first, -1, np.int64)
        written[pairs.group[chosen]] = chosen
        answer = written[pairs.group[read]]
        translated = (answer >= 0) & (texts.target[read] != number)
        found.append((read[translated], answer[translated]))
    sides = [np.concatenate(side) for side in zip(*found, strict=True)]
    order = np.argsort(sides[0], kind="stable")
    return sides[0][order], sides[1][order]


def _weights(
    pairs: ParallelTexts, read: NDArray[np.int64], written: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Weight of each translation: that of what is read times that of what is written; a source's is 1."""
    if pairs.weight is None:
        return np.ones(len(read), np.float32)
    own = np.concatenate([np.ones(pairs.sources, np.float32), pairs.weight])
    weights: NDArray[np.float32] = own[read] * own[written]
    return weights
