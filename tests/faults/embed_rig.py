"""The real `isoglot embed` as a process that can be hit, beside a store that nothing disturbed."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from faults import rig
from faults.cases import KILL, Injection
from faults.store_rig import differences, problems_of
from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.teacher.store import Store


class Embedding:
    """An embedding of 300 sentences in 38 chunks: its undisturbed store and seconds, and forks that are hit."""

    def __init__(self, models: Path, preloaded: rig.Preloaded, folder: Path) -> None:
        clean = {"max_untranslated": 1.0}
        build(CorpusConfig(sources=(str(models / "pairs.tsv"),), clean=clean), folder / "corpus")
        words = ["embed", folder / "corpus", "--teacher", models / "teacher", "--set", "chunk_rows=8"]
        self.arguments = [str(word) for word in words]
        self.preloaded, self.folder = preloaded, folder
        began = time.monotonic()
        assert self.start(folder / "whole").wait() == 0
        self.seconds = time.monotonic() - began

    def start(self, store: Path, *words: str, workers: str = "") -> rig.Process:
        """Embed into a store."""
        return rig.Process([*self.arguments, "--store", str(store), *words], store, self.preloaded, workers)

    def hit(self, store: Path, delay: float, injection: Injection = KILL) -> tuple[bool, list[str]]:
        """Hit a process after `delay` seconds; tell whether it was still there, and give broken promises."""
        before = written(store)
        begun = rig.STAGES[0]
        blow = rig.strike(self.start(store), begun, delay, injection.signal, injection.times)
        problems = injection.answered(blow) if blow.code else []
        problems += problems_of(store, self.folder / "whole", len(before))
        if injection.signal != signal.SIGKILL:
            problems += [f"{path} is left over" for path in store.rglob("*.partial")]
        now = written(store)
        problems += [f"{one} was embedded twice" for one in before if now.get(one) != before[one]]
        return blow.code != 0, problems

    def finish(self, store: Path) -> list[str]:
        """Embed to the end; give what is then unlike the undisturbed store."""
        process = self.start(store)
        return differences(store, self.folder / "whole") if process.wait() == 0 else [process.text]


def written(store: Path) -> dict[str, tuple[int, int]]:
    """Committed shards: chunk -> inode and time of writing."""
    if not (store / "store.json").is_file():
        return {}
    opened = Store.open(store)
    files = [opened.path_of(entry.chunk).stat() for entry in opened.entries.values()]
    return {
        entry.chunk: (file.st_ino, file.st_mtime_ns)
        for entry, file in zip(opened.entries.values(), files, strict=True)
    }
