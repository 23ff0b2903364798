"""The targets read what they start from, break promises out loud, and findings are written once each."""

import pytest

from fuzz import readers
from fuzz.harness import Findings
from fuzz.readers import TARGETS
from fuzz.target import BrokenPromiseError, Target, check
from isoglot.errors import DamagedError


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_reads_its_starts_and_refuses_them_cut(tmp_path, name):
    TARGETS[name].read(tmp_path, TARGETS[name].starts()[0])
    for data in TARGETS[name].starts():
        check(TARGETS[name], tmp_path, data)
        for size in (0, 1, len(data) // 2, len(data) - 1):
            check(TARGETS[name], tmp_path, data[:size])


@pytest.mark.parametrize("name", ["mo", "po", "parquet", "tmx", "xliff", "xces", "wheel"])
def test_a_target_comes_as_far_as_pairs(tmp_path, name, monkeypatch):
    pairs = []
    monkeypatch.setattr(readers, "_require_pairs", pairs.extend)
    TARGETS[name].read(tmp_path, TARGETS[name].starts()[0])
    assert {pair.target_lang for pair in pairs} & {"de", "en"}


def test_other_bytes_than_were_packed_are_a_broken_promise(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "_drain", lambda path: b"shorter")
    with pytest.raises(BrokenPromiseError, match=r"\.gz: other bytes"):
        check(TARGETS["gz"], tmp_path, b"\1\0\0\0the content")


def failing(error):
    def read(folder, data):
        raise error

    return Target(read, list)


def test_only_errors_of_ours_are_expected(tmp_path):
    check(failing(DamagedError("broken")), tmp_path, b"")
    with pytest.raises(KeyError):
        check(failing(KeyError("a bug")), tmp_path, b"")


def test_each_kind_of_finding_is_written_once(tmp_path):
    findings = Findings(tmp_path / "found")
    for error, data in ((KeyError("a"), b"first"), (KeyError("b"), b"second"), (IndexError("c"), b"third")):
        try:
            check(failing(error), tmp_path, data)
        except LookupError as caught:
            findings.add(caught, data)
    written = sorted((tmp_path / "found").iterdir())
    assert [path.name for path in written] == [
        "IndexError-2",
        "IndexError-2.txt",
        "KeyError-1",
        "KeyError-1.txt",
    ]
    assert (tmp_path / "found/KeyError-1").read_bytes() == b"first"
    assert "KeyError: 'a'" in (tmp_path / "found/KeyError-1.txt").read_text()
