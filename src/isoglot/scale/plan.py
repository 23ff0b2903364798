"""A plan cuts work into fixed chunks, so that a resumed or distributed pass does the same pieces again.

What a chunk yields may depend on that chunk alone, never on what else is left to do. A chunk is named by its content,
so finished ones are recognised whatever order they were done in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from isoglot.artefact import digest_bytes


@dataclass(frozen=True)
class Chunk:
    """Items `start` to `stop` of a plan; `id` is the digest of their keys."""

    id: str
    start: int
    stop: int


def cut(keys: Sequence[bytes], rows: int) -> list[Chunk]:
    """Cut a sequence of item keys into chunks of `rows`; the last may be shorter."""
    return [
        Chunk(digest_bytes(b"".join(keys[start : start + rows]))[:32], start, min(start + rows, len(keys)))
        for start in range(0, len(keys), rows)
    ]


def run_in_process(
    plan: Sequence[Chunk], done: Collection[str], work: Callable[[Chunk], None]
) -> Iterator[Chunk]:
    """Do every chunk that is not in `done`, one after another, yielding each once its work is committed."""
    for chunk in plan:
        if chunk.id not in done:
            work(chunk)
            yield chunk
