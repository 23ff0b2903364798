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


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """Folder with `teacher`, `student` (another width) and `pairs.tsv`; read only."""
    import tiny

    root = tmp_path_factory.mktemp("tiny")
    tiny.write_teacher(root / "teacher")
    tiny.write_encoder(root / "student")
    tiny.write_pairs(root / "pairs.tsv")
    return root
