"""What the tasks of ranking learn from: parallel text, and beside it inferences and questions with their answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isoglot.corpus.benchmarks.entry import Entry
from isoglot.corpus.benchmarks.record import LABELS, Inference
from isoglot.errors import RequestError
from isoglot.objective.ranking.known import number_keys
from isoglot.objective.texts import ParallelTexts, parallel_texts

if TYPE_CHECKING:
    from isoglot.corpus.store import Groups
    from isoglot.encode.tokens import Tokenizer, Tokens

_HEAD = ["question", "answer"]


class Response(NamedTuple):
    """A question, or anything that was said, and what answers it."""

    question: str
    answer: str


@dataclass(frozen=True)
class TextPairs:
    """Pairs of a task, as rows of `RankingTexts`.

    Attributes:
        first: int64 [p].
        second: int64 [p].
        labels: int64 [p], index into `LABELS`; 0 where the task has none.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True, kw_only=True)
class RankingTexts(ParallelTexts):
    """Parallel text with what the other tasks need behind it; `group` and `language` end where the translations do.

    Attributes:
        keys: int64 [texts], equal for texts that are equal when normalised.
        nli: premises and hypotheses.
        responses: questions and answers.
    """

    keys: NDArray[np.int64]
    nli: TextPairs
    responses: TextPairs


def ranking_texts(
    groups: Groups,
    tokenizer: Tokenizer,
    prompt: str,
    weight: NDArray[np.float32] | None = None,
    *,
    nli: Iterable[Inference] = (),
    responses: Iterable[Response] = (),
) -> RankingTexts:
    """Tokenise everything once; `weight` is that of each translation, float32 [m]."""
    parallel = parallel_texts(groups, tokenizer, prompt, weight)
    inferred, answered = list(nli), list(responses)
    further = [
        *(item.premise for item in inferred), *(item.hypothesis for item in inferred),
        *(item.question for item in answered), *(item.answer for item in answered),
    ]  # fmt: skip
    texts = parallel.texts + further
    labels = np.array([LABELS.index(item.label) for item in inferred], np.int64)
    start = len(parallel.texts)
    return RankingTexts(
        texts=texts,
        tokens=_joined(parallel.tokens, tokenizer(further, prompt)),
        group=parallel.group,
        language=parallel.language,
        languages=parallel.languages,
        weight=weight,
        keys=number_keys(texts),
        nli=_rows(start, len(inferred), labels),
        responses=_rows(start + 2 * len(inferred), len(answered), np.zeros(len(answered), np.int64)),
    )


def read_responses(path: Path) -> list[Response]:
    """Read a table of questions and answers: tab-separated, packed or plain; a first line `question answer` is a head.

    Rows with an empty side are left out.

    Raises:
        RequestError: there is no such file, or nothing in it.
        DamagedError: it is broken, or a line has fewer than two columns.
    """
    if not path.is_file():
        raise RequestError(f"{path} is no file.", "Give a .tsv file of questions and answers.")
    cells = (cells[:2] for _, cells in Entry(path).rows(2))
    rows = [Response(*pair) for pair in cells if pair != _HEAD and all(text.strip() for text in pair)]
    if not rows:
        raise RequestError(f"{path} holds no question with an answer.", "Give one pair a line.")
    return rows


def _joined(one: Tokens, other: Tokens) -> Tokens:
    from isoglot.encode.tokens import Tokens

    offsets = np.concatenate([one.offsets, other.offsets[1:] + one.offsets[-1]])
    return Tokens(np.concatenate([one.ids, other.ids]), offsets, one.pad_id)


def _rows(start: int, pairs: int, labels: NDArray[np.int64]) -> TextPairs:
    first = np.arange(start, start + pairs, dtype=np.int64)
    return TextPairs(first, first + pairs, labels)
