"""torchrun as users start it: processes that train together, on loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "GLOO_SOCKET_IFNAME": "lo"}
LIMIT_SECONDS = 240


class Torchrun:
    """A running torchrun and its processes; `text` is all that they said."""

    def __init__(self, count: int, module: str, arguments: list[str], log: Path) -> None:
        program = Path(sysconfig.get_path("scripts")) / "torchrun"
        # an own rendezvous on a free port: several may run side by side
        where = [
            "--nnodes",
            "1",
            "--rdzv-backend",
            "c10d",
            "--rdzv-endpoint",
            "127.0.0.1:0",
            "--local-addr",
            "127.0.0.1",
        ]
        command = [str(program), *where, "--nproc-per-node", str(count), "-m", module, *arguments]
        self.log = log
        with log.open("w") as file:
            self.popen = subprocess.Popen(
                command, stdout=file, stderr=file, env=ENVIRONMENT, cwd=Path(__file__).parent
            )

    @property
    def text(self) -> str:
        return self.log.read_text("utf-8")

    def members(self) -> dict[int, int]:
        """Process number -> process id of those that run, as the kernel has them."""
        found = {}
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                fields = dict(
                    line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line
                )
                if int(fields["PPid"]) == self.popen.pid and fields["State"][0] != "Z":
                    variables = (status.parent / "environ").read_bytes().split(b"\0")
                    rank = next((one for one in variables if one.startswith(b"RANK=")), None)
                    if rank is not None:
                        found[int(rank[5:])] = int(fields["Pid"])
        return found

    def wait(self) -> int:
        """Wait for the end of all; give torchrun's exit code."""
        try:
            return self.popen.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.end()
            raise

    def end(self) -> None:
        """Leave nothing running."""
        for number in self.members().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.popen.kill()
        self.popen.wait()


def until(condition, seconds: float = LIMIT_SECONDS) -> float:
    """Wait for a condition; give how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come about"
        time.sleep(0.02)
    return time.monotonic() - began


def alone(module: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """The same without torchrun."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True, text=True, env=ENVIRONMENT, cwd=Path(__file__).parent, timeout=LIMIT_SECONDS,
        check=False,
    )  # fmt: skip
