"""A program that has loaded what checkpoints need, and forks processes that save some; as `store_writer` does.

    python -m faults.checkpoint_writer

`rows` of a request is the number of checkpoints, `store` their folder. After each its stderr has a line.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from faults.store_writer import COMMITTED, settle
from isoglot.train import checkpoint
from isoglot.train.checkpoint import CurvePoint, Progressed
from isoglot.train.schedule import Schedule
from isoglot.train.validation import DevScore

EVERY = 10  # steps between checkpoints
REQUEST = "request"
SCORE = DevScore(0.5, 0.5, 0.1, "de", 0.4, 20.0, 0.1)


def become(request: dict) -> None:
    """Save checkpoints of a small model whose weights are its step; every second one is the best so far."""
    import torch

    settle(request)
    folder = Path(request["store"])
    folder.mkdir(exist_ok=True)
    checkpoint.clean(folder, REQUEST)
    found = checkpoint.newest(folder, REQUEST)
    done = -1 if found is None else found[1].step // EVERY
    for number in range(done + 1, request["rows"]):
        step = number * EVERY
        model = torch.nn.Linear(8, 8)
        torch.nn.init.constant_(model.weight, step)
        torch.nn.init.constant_(model.bias, step)
        curve = tuple(CurvePoint(n * EVERY, 0.0, None, SCORE) for n in range(number + 1))
        progressed = Progressed(step, 0.0, Schedule(90, 0, EVERY), curve, step - step % (2 * EVERY))
        optimiser = torch.optim.AdamW(model.parameters())
        checkpoint.save(folder, progressed, model, optimiser, REQUEST)
        os.write(2, f"{COMMITTED}\n".encode())
    os._exit(0)


def main() -> None:
    """Serve requests until stdin ends."""
    import safetensors.torch
    import torch  # noqa: F401

    assert safetensors.torch
    print(0, flush=True)
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            become(json.loads(line))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
