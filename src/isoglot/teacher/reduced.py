"""A teacher's space cut down to its principal axes, fitted once and kept beside the vectors that were made with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_json
from isoglot.config import TeacherConfig
from isoglot.encode.unit import unit
from isoglot.errors import IsoglotError, RequestError
from isoglot.progress import Progress
from isoglot.teacher.axes import AXES, digest_axes, read_axes, write_axes
from isoglot.teacher.protocol import Teacher, encode_each

_BLOCK = 1024


@dataclass(frozen=True)
class Reduced:
    """A teacher seen along few axes.

    Attributes:
        teacher: of the whole space.
        axes: float32 [teacher.dimension, dimension], orthonormal columns.
        asked: how many sentences the fit was asked to use.
    """

    teacher: Teacher
    axes: NDArray[np.float32]
    asked: int

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        return int(self.axes.shape[1])

    @property
    def normalise(self) -> bool:
        """Whether vectors get unit length again: when the whole ones have it."""
        return self.teacher.normalise

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [len(texts), dimension], row i for text i."""
        return self._reduced(self.teacher.encode(texts))

    def encode_each(self, lists: Sequence[Sequence[str]]) -> Iterator[NDArray[np.float32]]:
        """Encode lists one after another, ahead where the teacher can."""
        return map(self._reduced, encode_each(self.teacher, lists))

    def missing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which texts the teacher has no vector for, bool [len(texts)]."""
        return self.teacher.missing(texts)

    def space(self) -> dict[str, object]:
        """The whole space's parts, the axes, and the digest over both."""
        whole = self.teacher.space()
        axes = digest_axes(self.axes)
        return {
            **whole,
            "dimension": self.dimension,
            "pca_sentences": self.asked,
            "axes": axes,
            "fingerprint": digest_json([whole["fingerprint"], axes]),
        }

    def _reduced(self, whole: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = whole @ self.axes
        return unit(vectors) if self.normalise else vectors


def reduce(
    teacher: Teacher, config: TeacherConfig, texts: Sequence[str], folder: Path, progress: Progress
) -> Reduced:
    """Reduce a teacher to `config.dimension` axes: those that `folder` holds, or else fitted now and put there.

    The sample is a function of the texts alone, not of their order.

    Raises:
        RequestError: more axes are wanted than there are dimensions or sentences, or `folder` has other ones.
        IsoglotError: the teacher gave vectors that are not finite.
    """
    assert config.dimension is not None  # noqa: S101  the caller asks for a reduction
    if not (folder / AXES).is_file():
        axes, note = _fit(teacher, config.dimension, _sample(texts, config.pca_sentences), progress)
        write_axes(folder / AXES, axes, config.pca_sentences)
        progress.stage("axes", note)
    return held_axes(teacher, config, folder)


def held_axes(teacher: Teacher, config: TeacherConfig, folder: Path) -> Reduced:
    """Reduce a teacher to the axes that a store's folder holds.

    Raises:
        RequestError: they are other ones than `config` asks for.
        DamagedError: there are none, or their file is broken.
    """
    found = with_axes(teacher, folder / AXES)
    for name, there, now in (
        ("dimension", found.dimension, config.dimension),
        ("pca_sentences", found.asked, config.pca_sentences),
    ):
        if there != now:
            raise RequestError(
                f"{folder} holds vectors of another space: {name} is {there} there and {now} now.",
                "Give another store, or go back to its setting.",
            )
    return found


def with_axes(teacher: Teacher, path: Path) -> Reduced:
    """Reduce a teacher to the axes in a file.

    Raises:
        DamagedError: the file is broken, or was fitted on a space of another width.
    """
    axes, asked = read_axes(path)
    if axes.shape[0] != teacher.dimension:
        raise RequestError(
            f"{path} was fitted on vectors of {axes.shape[0]} dimensions, the teacher has {teacher.dimension}.",
            "Give the teacher that it was fitted on.",
        )
    return Reduced(teacher, axes, asked)


def principal_axes(second_moment: NDArray[np.float64], dimension: int) -> tuple[NDArray[np.float32], float]:
    """Give the axes along which vectors are longest, and the share of their squared length that they keep.

    The axes go through the origin, not through the mean: among all projections to so few dimensions this one loses
    least of the dot products (Eckart and Young 1936), and those are what a search ranks by.

    Args:
        second_moment: float64 [d, d], sum of x xᵀ over the sample.
        dimension: number of axes.

    Returns:
        float32 [d, dimension], columns by falling length, the largest entry of each positive; and the share, 0..1.
    """
    lengths, columns = np.linalg.eigh(second_moment)
    chosen = columns[:, ::-1][:, :dimension]
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(dimension)])
    kept = float(lengths[::-1][:dimension].sum() / lengths.sum())
    return (chosen * signs).astype(np.float32), kept


def _sample(texts: Sequence[str], size: int) -> list[str]:
    """Choose the sentences with the smallest hashes."""
    from isoglot.teacher.store import key_of

    by_key = {key_of(text): text for text in texts}
    return [by_key[key] for key in sorted(by_key)[:size]]


def _fit(
    teacher: Teacher, dimension: int, sample: Sequence[str], progress: Progress
) -> tuple[NDArray[np.float32], str]:
    if dimension > min(teacher.dimension, len(sample)):
        raise RequestError(
            f"{dimension} axes cannot be fitted on {len(sample)} sentences of {teacher.dimension} dimensions.",
            "Choose a smaller teacher.dimension, or give more sentences.",
        )
    total = np.zeros((teacher.dimension, teacher.dimension))
    with progress.task("principal axes", len(sample), "sentences") as task:
        for start in range(0, len(sample), _BLOCK):
            vectors = teacher.encode(sample[start : start + _BLOCK]).astype(np.float64)
            total += vectors.T @ vectors
            task.advance(len(vectors))
    if not np.isfinite(total).all():
        raise IsoglotError("The teacher gave vectors that are not finite.", "Nothing was stored.")
    axes, kept = principal_axes(total, dimension)
    of = f"{dimension} of {teacher.dimension} dimensions"
    note = f"{of} keep {kept:.1%} of the squared length of {len(sample)} sentences"
    return axes, note
