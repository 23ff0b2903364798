"""A plan cuts work into fixed chunks, so that a resumed or distributed pass does the same pieces again.

What a chunk yields may depend on that chunk alone, never on what else is left to do. A chunk is named by its content,
so finished ones are recognised whatever order they were done in.

An executor is a function from the chunks that are left and the work to pairs of chunk and result, in the order of the
plan: `run_in_process` here, `pool.run_in_processes` for several processes. Whoever iterates commits each result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from isoglot.artefact import digest_bytes
from isoglot.errors import RequestError

R = TypeVar("R")


@dataclass(frozen=True)
class Chunk:
    """Items `start` to `stop` of a plan; `id` is the digest of their keys."""

    id: str
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """Items of the chunk."""
        return self.stop - self.start


@dataclass(frozen=True)
class Part:
    """Every `of`-th chunk of a plan, beginning with chunk `number` (from 1): the share of one of `of` machines."""

    number: int = 1
    of: int = 1

    def chunks(self, plan: Sequence[Chunk]) -> Sequence[Chunk]:
        """Chunks of a plan that belong to this part."""
        return plan[self.number - 1 :: self.of]


WHOLE = Part()


def cut(keys: Sequence[bytes], rows: int) -> list[Chunk]:
    """Cut a sequence of item keys into chunks of `rows`; the last may be shorter."""
    return [
        Chunk(digest_bytes(b"".join(keys[start : start + rows]))[:32], start, min(start + rows, len(keys)))
        for start in range(0, len(keys), rows)
    ]


def parse_part(text: str) -> Part:
    """Read "2/8": the second of eight parts.

    Raises:
        RequestError: it is no such thing.
    """
    found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if found is None or int(found[1]) > int(found[2]):
        raise RequestError(f"--shard {text} is no part of a whole.", "Give 1/8 to 8/8 on eight machines.")
    return Part(int(found[1]), int(found[2]))


def run_in_process(chunks: Iterable[Chunk], work: Callable[[Chunk], R]) -> Iterator[tuple[Chunk, R]]:
    """Do chunks one after another in this process."""
    for chunk in chunks:
        yield chunk, work(chunk)
