"""R2: kill -9 at random times of the real `isoglot embed`, resumed until it is done."""

import random
import signal
import time

import pytest

from faults import rig
from faults.store_rig import differences, problems_of
from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.teacher.store import Store

ROW = (
    "R2 kill -9 at a random time of isoglot embed",
    "whole chunks, none embedded twice; resumed, the same bytes",
)
SEED = 20261122


@pytest.fixture(scope="module")
def embedding(tiny_folder, tmp_path_factory):
    """The arguments of an embedding of 300 sentences in 38 chunks, its undisturbed store and seconds."""
    folder = tmp_path_factory.mktemp("embed")
    clean = {"max_untranslated": 1.0}
    build(CorpusConfig(sources=(str(tiny_folder / "pairs.tsv"),), clean=clean), folder / "corpus")
    arguments = ["embed", folder / "corpus", "--teacher", tiny_folder / "teacher", "--set", "chunk_rows=8"]
    preloaded = rig.Preloaded()
    yield Embedding([*map(str, arguments)], preloaded, folder)
    preloaded.close()


class Embedding:
    """Forks `isoglot embed` and hits it."""

    def __init__(self, arguments, preloaded, folder):
        self.arguments, self.preloaded, self.folder = arguments, preloaded, folder
        began = time.monotonic()
        assert self.start(folder / "whole").wait() == 0
        self.seconds = time.monotonic() - began

    def start(self, store):
        return rig.Process([*self.arguments, "--store", str(store)], store, self.preloaded)

    def hit(self, store, delay):
        """Kill a process after `delay` seconds; tell whether it was still there, and give broken promises."""
        before = written(store)
        process = self.start(store)
        time.sleep(delay)
        process.send(signal.SIGKILL)
        code = process.wait()
        problems = [] if code in (0, -9) else [f"it ended with {code}: {process.text}"]
        problems += problems_of(store, self.folder / "whole", len(before))
        now = written(store)
        return code == -9, problems + [
            f"{one} was embedded twice" for one in before if now.get(one) != before[one]
        ]


def written(store):
    """Committed shards: chunk -> inode and time of writing."""
    if not (store / "store.json").is_file():
        return {}
    opened = Store.open(store)
    files = [opened.path_of(entry.chunk).stat() for entry in opened.entries.values()]
    return {
        entry.chunk: (file.st_ino, file.st_mtime_ns)
        for entry, file in zip(opened.entries.values(), files, strict=True)
    }


def hold(embedding, kills, record_property):
    chance = random.Random(SEED)
    done = 0
    while done < kills:
        store = embedding.folder / f"hit{done}"
        alive, results = True, []
        while alive and done + len(results) < kills:
            alive, problems = embedding.hit(store, chance.uniform(0.2, 1) * embedding.seconds)
            if alive:
                results.append(problems)
        assert embedding.start(store).wait() == 0
        end = differences(store, embedding.folder / "whole")
        for problems in results:
            record_property("fault", (*ROW, not problems + end))
            assert not problems + end, "\n".join(problems + end)
        done += len(results)


def test_embedding_survives_kills(embedding, record_property):
    hold(embedding, 3, record_property)


@pytest.mark.faults
def test_embedding_survives_kills_at_forty_random_times(embedding, record_property):
    hold(embedding, 40, record_property)
