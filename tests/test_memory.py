"""Every way in which a full memory shows becomes one error that says what to do; other errors stay what they are."""

import mmap

import numpy as np
import pytest

from isoglot.errors import IsoglotError
from isoglot.memory import explaining_full_memory


def torch_tensor():
    import torch

    return torch.empty(1 << 50)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: bytearray(1 << 60), "Memory ran out in a test: MemoryError."),
        (lambda: np.empty(1 << 50), "Memory ran out in a test: Unable to allocate 8.00 PiB"),
        (torch_tensor, "Memory ran out in a test: .*allocate memory"),
        (lambda: mmap.mmap(-1, 1 << 60), "Memory ran out in a test: .*Cannot allocate memory"),
    ],
    ids=["python", "numpy", "torch", "system"],
)
def test_a_full_memory_is_explained(ask, said):
    with pytest.raises(IsoglotError, match=said) as caught, explaining_full_memory("in a test", "Do less."):
        ask()
    assert caught.value.next_step == "Do less."


@pytest.mark.parametrize("words", ["could not create a primitive", "can't start new thread"])
def test_what_onednn_and_threads_say_is_understood(words):
    """The real cases are among the fault tests: `faults/test_runs.py`, in the teacher's pass and the warm start."""
    with pytest.raises(IsoglotError, match=f"Memory ran out: {words}"), explaining_full_memory():
        raise RuntimeError(words)


@pytest.mark.parametrize("error", [RuntimeError("something else"), FileNotFoundError("no such file")])
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error), match=str(error)), explaining_full_memory():
        raise error
