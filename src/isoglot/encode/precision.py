"""Which arithmetic this machine should use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["fp32", "bf16"]


def choose(wanted: Literal["auto", "fp32", "bf16"], device: torch.device) -> Precision:
    """Resolve "auto": bf16 where the hardware multiplies it natively, else fp32 (emulated bf16 is 8 times slower)."""
    import torch

    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    # builds without oneDNN, such as those for Apple's processors, do not know the question
    known = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return "bf16" if known and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "fp32"


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Run matrix products in `precision`; weights stay fp32."""
    import torch

    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


@contextmanager
def only_forward(precision: Precision, device: torch.device) -> Iterator[None]:
    """Compute vectors in `precision`, without a gradient.

    Without inference mode too: in it autocast casts every weight again for every product.
    """
    import torch

    with torch.no_grad(), autocast(precision, device):
        yield


def best_device() -> torch.device:
    """The GPU when there is one, else the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
