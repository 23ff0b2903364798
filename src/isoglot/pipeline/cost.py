"""What work takes: time of the clock and of the processors, and the most memory that was held."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Cost:
    """Time that work takes.

    Attributes:
        seconds: of the clock.
        processor: seconds of all processors together; on a machine that does nothing else these are what counts.
    """

    seconds: float = 0.0
    processor: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.processor + other.processor)

    def __mul__(self, times: float) -> Cost:
        return Cost(self.seconds * times, self.processor * times)


class Stopwatch:
    """Measures from the moment that it is made."""

    def __init__(self) -> None:
        self._clock, self._processor = time.monotonic(), time.process_time()

    def cost(self) -> Cost:
        """What was spent since."""
        return Cost(time.monotonic() - self._clock, time.process_time() - self._processor)


def forget_peak() -> None:
    """Let `peak_bytes` begin anew; where the system cannot do that, the peak stays that of the whole process."""
    try:
        _FORGET.write_text("5")
    except OSError:
        return


def peak_bytes() -> int:
    """Give the largest that this process has been in memory, since `forget_peak` where that is known."""
    if _STATUS.is_file():
        lines = _STATUS.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
