"""Torch tensors to and from disk."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from isoglot.errors import DamagedError, RequestError

if TYPE_CHECKING:
    from torch import Tensor


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file.

    Raises:
        RequestError: there is no such file.
        DamagedError: it is broken.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise RequestError(
            f"{path} is missing.",
            "isoglot never unpickles: load the model once with sentence-transformers and save it again.",
        )
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise DamagedError(f"{path} is not a readable safetensors file ({error}).") from error
    return tensors


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write torch tensors as safetensors; a disk error comes as the OSError that it is.

    Raises:
        OSError: the disk is full or broken.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(whole, path, metadata={"format": "pt"})
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))  # the library wraps what the system said in a text
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
