"""What every test shares: no model hub, helpers of this folder importable, small real models made once."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# a busy machine is no failure; what hangs is stopped by the run's own limit
settings.register_profile("isoglot", deadline=None)
settings.load_profile("isoglot")
sys.path.insert(0, str(Path(__file__).parent))
os.environ["HF_HUB_OFFLINE"] = "1"
# A shell without job control starts background work with Ctrl-C ignored, and every child would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    # each worker its share of the cores: threads of several that wait for one core take it from one another
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))


LONG = ("pipeline", "train", "faults", "bench", "student")  # folders with whole runs


def pytest_configure(config):
    """Let xdist deal files out in the order that follows, instead of those with few tests last."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Long files first, so that no worker is left alone with one at the end."""
    root = Path(__file__).parent

    def rank(item):
        folder = item.path.relative_to(root).parts[0]
        return LONG.index(folder) if folder in LONG else len(LONG)

    items.sort(key=rank)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """Folder with `teacher`, `student` (another width) and `pairs.tsv`; read only."""
    import tiny

    root = tmp_path_factory.mktemp("tiny")
    tiny.write_teacher(root / "teacher")
    tiny.write_encoder(root / "student")
    tiny.write_pairs(root / "pairs.tsv")
    return root
