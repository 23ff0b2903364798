"""What the loop asks for when it looks at the dev split, and which of two looks is the better one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from isoglot.encode.encoder import Embedder

_EXPLAINS = 0.1  # R2 that no collapsed student has
_FINDS = 0.1  # retrieval that none has, in a pool of more than a few sentences


@dataclass(frozen=True)
class DevScore:
    """One look at the dev split; every figure is a macro average over languages unless it says otherwise.

    Attributes:
        retrieval: top-1 accuracy of student(x) -> teacher(source), 0..1; without a teacher student(x) ->
            student(source).
        spearman: rank correlation of the student's pair cosines with the teacher's, -1..1, over languages of two
            sentences or more; None without a teacher or such a language.
        r2: share of the teacher vectors' variance that the student explains; over the same, and None where it is.
        worst_language: language with the lowest retrieval.
        worst_retrieval: its accuracy.
        effective_rank: of all dev vectors, 1..dimension; a collapsed student has a low one.
        mean_cosine: between random dev vectors; a collapsed student has one near 1.
        languages: retrieval of each language.
    """

    retrieval: float
    spearman: float | None
    r2: float | None
    worst_language: str
    worst_retrieval: float
    effective_rank: float
    mean_cosine: float
    languages: Mapping[str, float] = field(default_factory=dict)

    @property
    def selection(self) -> float:
        """What the shipped checkpoint is the best in: the mean of retrieval and Spearman; without one, retrieval."""
        return self.retrieval if self.spearman is None else (self.retrieval + self.spearman) / 2

    def __str__(self) -> str:
        """Give the figures that tell how training goes."""
        correlation = "" if self.spearman is None else f", Spearman {self.spearman:.3f}"
        worst = f"worst {self.worst_language} {self.worst_retrieval:.1%}"
        return f"dev retrieval {self.retrieval:.1%} ({worst}){correlation}"


Validate = Callable[[Embedder], DevScore]


def beats(candidate: DevScore, best: DevScore, start: DevScore) -> bool:
    """Tell whether `candidate` should be shipped rather than `best`.

    It must be better in the mean of retrieval and Spearman, and worse than the start in neither: neighbours found at
    the price of a bent space are no gain for an existing index. Without a teacher retrieval alone decides.
    """
    bent = (
        candidate.spearman is not None and start.spearman is not None and candidate.spearman < start.spearman
    )
    return not bent and candidate.retrieval >= start.retrieval and candidate.selection > best.selection


def gained(start: DevScore, best: DevScore) -> str:
    """Say from where to where the figures went by which weights are chosen."""
    found = f"retrieval {start.retrieval:.1%} to {best.retrieval:.1%}"
    if start.spearman is None or best.spearman is None:
        return found
    return f"{found}, Spearman with the teacher's similarities {start.spearman:.3f} to {best.spearman:.3f}"


def harmed(now: DevScore, start: DevScore, protected: Iterable[str], margin: float) -> list[str]:
    """Name the protected languages whose retrieval fell by more than `margin` since the start."""
    return [
        tag
        for tag in protected
        if tag in start.languages and now.languages.get(tag, 0.0) < start.languages[tag] - margin
    ]


def collapse(now: DevScore, start: DevScore) -> str | None:
    """Say what is wrong when the student's vectors have fallen together, else None.

    The mean vector alone explains nothing; a student that explains more than at its start is only as narrow as its
    teacher is. Without a teacher one that finds more than at its start is not: where all vectors are one, nothing is
    found.
    """
    if _still_tells_apart(now, start):
        return None
    if now.effective_rank < 0.25 * start.effective_rank:
        return f"effective rank fell from {start.effective_rank:.0f} to {now.effective_rank:.0f}"
    if now.mean_cosine > 0.9 and now.mean_cosine > start.mean_cosine + 0.2:
        return f"mean cosine of random sentences rose from {start.mean_cosine:.2f} to {now.mean_cosine:.2f}"
    return None


def _still_tells_apart(now: DevScore, start: DevScore) -> bool:
    """Whether a student's vectors say more of the sentences than they did at the start."""
    if now.r2 is None or start.r2 is None:
        return now.retrieval > max(start.retrieval, _FINDS)
    return now.r2 > max(start.r2, _EXPLAINS)
