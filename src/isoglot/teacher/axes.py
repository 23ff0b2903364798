"""The file with a reduced teacher's principal axes, beside the vectors that were made with them and in students."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_bytes
from isoglot.disk import write_atomic
from isoglot.errors import DamagedError

AXES = "teacher_axes.safetensors"


def write_axes(path: Path, axes: NDArray[np.float32], asked: int) -> None:
    """Write axes, float32 [whole, reduced], and how many sentences their fit was asked to use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, _content(axes, asked))


def read_axes(path: Path) -> tuple[NDArray[np.float32], int]:
    """Read what `write_axes` wrote.

    Raises:
        DamagedError: it is not, byte for byte, such a file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            axes = np.asarray(file.get_tensor("axes"), np.float32)
            asked = int(file.metadata()["sentences"])
        if axes.ndim != 2 or path.read_bytes() != _content(axes, asked):
            raise ValueError("its bytes are not those of two-dimensional axes")
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{path} holds no axes ({error}).", "Delete its folder and run again.") from error
    return axes, asked


def digest_axes(axes: NDArray[np.float32]) -> str:
    """Return the sha256 of the numbers, as a reduced teacher's space states it."""
    return digest_bytes(np.ascontiguousarray(axes).tobytes())


def axes_problem(folder: Path, space: Mapping[str, object]) -> str | None:
    """Compare the axes beside a store with those that its space states; say what is wrong, if anything is."""
    path = folder / AXES
    if not path.is_file():
        return f"{path} is missing" if "axes" in space else None
    try:
        axes, asked = read_axes(path)
    except DamagedError as error:
        return error.problem
    same = (digest_axes(axes), asked) == (space.get("axes"), space.get("pca_sentences"))
    return None if same else f"{path} does not hold the axes that the store was made with"


def _content(axes: NDArray[np.float32], asked: int) -> bytes:
    from safetensors.numpy import save

    return bytes(save({"axes": np.ascontiguousarray(axes)}, {"sentences": str(asked)}))
