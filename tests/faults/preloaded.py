"""A program that has imported what `isoglot run` imports, and forks it: seconds of loading are spent once.

    python -m faults.preloaded

Reads requests from stdin, one JSON object a line: {"arguments": [...], "stderr": PATH, "workers": HOW}. For each it
forks a process that is `isoglot ARGUMENTS`, prints its process number, waits, and prints its exit code (negative after
a signal). SIGUSR1 takes all memory from it; its worker processes, if any, end in the way HOW (of `crashing`), unless
that is empty. Prints 0 once it is ready.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import partial

from faults import exhausted


def load() -> None:
    """Import what a run imports, so that the forks have it; nothing is run, so no thread is lost in a fork."""
    import duckdb  # noqa: F401
    import pyarrow.dataset  # reading Parquet does, a second each time
    import pyarrow.parquet  # noqa: F401
    import transformers.models.bert.modeling_bert  # noqa: F401

    import isoglot.cli.main
    import isoglot.encode.packed
    import isoglot.pipeline.run  # noqa: F401


def become(arguments: list[str], stderr: str, workers: str = "") -> None:
    """Be `isoglot ARGUMENTS` from here on."""
    from isoglot.cli.main import main
    from isoglot.scale import pool

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGUSR1, exhausted.exhaust)
    if workers:
        pool._serve = partial(exhausted.serve, workers)
    log = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDWR)
    for target, source in ((0, nothing), (1, nothing), (2, log)):
        os.dup2(source, target)
    sys.argv = ["isoglot", *arguments]
    main()


def main() -> None:
    """Serve requests until stdin ends."""
    load()
    print(0, flush=True)
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            become(request["arguments"], request["stderr"], request["workers"])
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
