"""What can become of a file."""

from __future__ import annotations

import random
from pathlib import Path

ACTIONS = ("delete", "empty", "half", "one byte less", "one byte more", "flip", "an older one in its place")


def harm(path: Path, action: str, before: bytes = b"") -> None:
    """Damage a file in the way `action`; `before` is what stood there earlier."""
    data = bytearray(path.read_bytes())
    if action == "delete":
        path.unlink()
        return
    place = random.Random(len(data)).randrange(len(data))
    changed = {
        "empty": b"", "half": data[: len(data) // 2], "one byte less": data.rstrip()[:-1],
        "one byte more": data + b"\0", "flip": data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :],
        "an older one in its place": before,
    }  # fmt: skip
    path.write_bytes(changed[action])
