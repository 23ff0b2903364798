"""Fail when pytest skipped a test for a reason that nobody allowed.

Usage: check_skips.py ALLOWED RESULTS.xml...
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path


def skips(results: Path) -> Iterator[str]:
    """Yield "module::test: reason" for every skipped or expectedly failing test of a JUnit file."""
    for case in ElementTree.parse(results).iter("testcase"):
        for skipped in case.iter("skipped"):
            yield f"{case.get('classname')}::{case.get('name')}: {skipped.get('message')}"


def main(allowed_list: Path, results: list[Path]) -> int:
    """Print every skip that is not allowed; return 1 when there is one."""
    lines = allowed_list.read_text(encoding="utf-8").splitlines()
    allowed = [line for line in lines if line and not line.startswith("#")]
    found = [skip for path in results for skip in skips(path)]
    surprising = [skip for skip in found if not any(fnmatchcase(skip, pattern) for pattern in allowed)]
    for skip in surprising:
        print(f"skipped, and {allowed_list} does not allow it: {skip}")
    print(f"{len(found)} skips, {len(surprising)} of them not allowed")
    return 1 if surprising else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
