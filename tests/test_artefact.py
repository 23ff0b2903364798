"""Folders are published whole or not at all, and damage is found."""

import errno
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from isoglot import artefact
from isoglot.artefact import Manifest, publish
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.lock import exclusive

MANIFEST = Manifest("corpus", inputs={"a.tsv": "00"}, config={"languages": ["de", "no"]}, counts={"kept": 2})


def make(folder: Path, text: str = "eins\tone\n") -> Path:
    with publish(folder, MANIFEST) as scratch:
        (scratch / "pairs").mkdir()
        (scratch / "pairs" / "0.tsv").write_text(text)
        (scratch / "languages.txt").write_text("de\n")
    return folder


def python(code: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
    """Start a second process that runs `code` with the artefact module at hand."""
    program = (
        "import sys, os, time\nfrom pathlib import Path\n"
        "from isoglot import artefact\nfrom isoglot.lock import exclusive\n" + textwrap.dedent(code)
    )
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_a_published_folder_is_whole_and_says_what_it_is(tmp_path):
    folder = make(tmp_path / "corpus")
    manifest = artefact.read_manifest(folder)
    assert artefact.verify(folder) == []
    assert set(manifest.files) == {"pairs/0.tsv", "languages.txt"}
    assert manifest.files["languages.txt"]["bytes"] == 3
    assert (manifest.kind, dict(manifest.counts)) == ("corpus", {"kept": 2})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus"]


def test_counts_may_be_filled_in_while_working(tmp_path):
    counts: dict[str, int] = {}
    with publish(tmp_path / "x", Manifest("corpus", counts=counts)) as scratch:
        (scratch / "a").write_text("a")
        counts["kept"] = 7
    assert artefact.read_manifest(tmp_path / "x").counts == {"kept": 7}


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt])
def test_an_exception_inside_leaves_nothing(tmp_path, raised):
    with pytest.raises(raised), publish(tmp_path / "corpus", MANIFEST) as scratch:
        (scratch / "a").write_text("half")
        raise raised
    assert list(tmp_path.iterdir()) == []


def test_a_failed_rebuild_keeps_the_folder_that_was_there(tmp_path):
    folder = make(tmp_path / "corpus")
    before = artefact.read_manifest(folder).digest
    with pytest.raises(ValueError), publish(folder, MANIFEST) as scratch:
        (scratch / "a").write_text("half")
        raise ValueError
    assert artefact.read_manifest(folder).digest == before
    assert artefact.verify(folder) == []


def test_a_rebuild_replaces_every_file(tmp_path):
    folder = make(tmp_path / "corpus")
    with publish(folder, MANIFEST) as scratch:
        (scratch / "only").write_text("new")
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "only"]


def test_kill_in_the_middle_leaves_no_final_name_and_the_next_run_cleans_up(tmp_path):
    folder = tmp_path / "corpus"
    process = python(
        """
        with artefact.publish(Path(sys.argv[1]), artefact.Manifest("corpus")) as scratch:
            (scratch / "a").write_text("half")
            print("inside", flush=True)
            time.sleep(60)
        """,
        folder,
    )
    assert process.stdout.readline() == "inside\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    assert not folder.exists()
    assert list(tmp_path.iterdir()) != []  # the scratch folder is still there
    make(folder)
    assert artefact.verify(folder) == []
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


@pytest.mark.faults
def test_kill_at_any_moment_leaves_the_old_or_the_new_folder_or_none(tmp_path):
    code = """
        for text in ("old", "new") * 1000:
            with artefact.publish(Path(sys.argv[1]), artefact.Manifest("corpus")) as scratch:
                for number in range(5):
                    (scratch / str(number)).write_text(text * 1000)
            print("go", flush=True)
    """
    gone = 0
    for delay in range(60):
        folder = tmp_path / f"corpus{delay}"
        process = python(code, folder)
        assert process.stdout.readline() == "go\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(delay * 0.0007)
        process.kill()
        process.communicate(timeout=10)
        gone += not folder.exists()
        assert not folder.exists() or artefact.verify(folder) == []
    assert gone <= 6  # the moment between the two renames is short


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (flip, "does not match its sha256"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "has 8 bytes instead of 9"),
        (Path.unlink, "is missing"),
    ],
)
def test_damage_is_found_and_named(tmp_path, damage, said):
    folder = make(tmp_path / "corpus")
    damage(folder / "pairs" / "0.tsv")
    assert artefact.verify(folder) == [f"{folder / 'pairs' / '0.tsv'} {said}"]


def test_a_changed_manifest_is_found(tmp_path):
    folder = make(tmp_path / "corpus")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"kept": 2', '"kept": 3'))
    with pytest.raises(DamagedError, match="does not match its own sha256"):
        artefact.verify(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format_version": 99}', "\x00" * 40])
def test_anything_else_in_place_of_a_manifest_is_an_error_for_users(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(IsoglotError) as caught:
        artefact.read_manifest(tmp_path)
    assert str(tmp_path) in caught.value.problem
    assert caught.value.next_step


def test_an_unfinished_folder_is_refused(tmp_path):
    with pytest.raises(RequestError, match=re.escape("has no manifest.json")):
        artefact.read_manifest(tmp_path)


def test_only_the_same_request_is_current(tmp_path):
    folder = make(tmp_path / "corpus")
    assert artefact.is_current(folder, MANIFEST)
    assert not artefact.is_current(
        folder, Manifest("corpus", inputs=MANIFEST.inputs, config={"languages": ["de"]})
    )
    assert not artefact.is_current(folder, Manifest("corpus", inputs={"a.tsv": "01"}, config=MANIFEST.config))
    assert not artefact.is_current(tmp_path / "other", MANIFEST)


def test_a_folder_with_a_cut_file_is_not_current(tmp_path):
    folder = make(tmp_path / "corpus")
    (folder / "languages.txt").write_text("d")
    assert not artefact.is_current(folder, MANIFEST)


def test_a_request_survives_the_trip_through_json(tmp_path):
    wanted = Manifest("run", config={"sizes": {10: 1, 9: 2}, "languages": ("de", "no"), "share": 0.1})
    with publish(tmp_path / "run", wanted):
        pass
    assert artefact.is_current(tmp_path / "run", wanted)


def test_the_digest_follows_the_content(tmp_path):
    one, same = make(tmp_path / "one"), make(tmp_path / "same")
    other = make(tmp_path / "other", "zwei\ttwo\n")
    digests = [artefact.read_manifest(folder).digest for folder in (one, same, other)]
    assert digests[0] == digests[1] != digests[2]


def test_a_second_writer_is_refused_and_told_who_holds_the_folder(tmp_path):
    holder = python(
        """
        with exclusive(Path(sys.argv[1])):
            print("held", flush=True)
            time.sleep(60)
        """,
        tmp_path,
    )
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(IsoglotError, match=rf"in use by process {holder.pid} on "),
        exclusive(tmp_path),
    ):
        pass
    holder.kill()
    holder.communicate(timeout=10)
    with exclusive(tmp_path):  # the lock died with its process
        pass


def test_a_file_size_limit_gives_a_clear_error_and_leaves_nothing(tmp_path):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    process = python(
        """
        from isoglot.errors import IsoglotError
        try:
            with artefact.publish(Path(sys.argv[1]), artefact.Manifest("corpus")) as scratch:
                (scratch / "a").write_bytes(bytes(200_000))
        except IsoglotError as error:
            print(error.problem)
            print(error.next_step)
        """,
        tmp_path / "corpus",
        preexec_fn=limit,
    )
    out, err = process.communicate(timeout=30)
    assert "Writing" in out and "File too large" in out and "MiB free" in out, err
    assert "Free some space" in out
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_gives_a_clear_error_and_leaves_nothing(tmp_path):
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk needs root")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this system does not let root mount a small disk")
    try:
        with (
            pytest.raises(IsoglotError, match=os.strerror(errno.ENOSPC)),
            publish(small / "corpus", MANIFEST) as scratch,
        ):
            (scratch / "a").write_bytes(bytes(200_000))
        assert list(small.iterdir()) == []
        artefact.write_atomic(small / "kept", "old")
        with pytest.raises(IsoglotError, match=os.strerror(errno.ENOSPC)):
            artefact.write_atomic(small / "kept", bytes(200_000))
        assert [(path.name, path.read_text()) for path in small.iterdir()] == [("kept", "old")]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_write_json_refuses_what_json_cannot_say(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        artefact.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_everything_is_on_disk_before_the_name_appears(tmp_path):
    """The order of system calls: each file and folder synced, then the rename, then the parent synced."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    code = (
        "import sys; from pathlib import Path; from isoglot.artefact import *\n"
        "with publish(Path(sys.argv[1]), Manifest('corpus')) as s: (s / 'a').write_text('a')"
    )
    calls = "trace=fsync,rename,renameat,renameat2"
    command = [
        "strace",
        "-f",
        "-y",
        "-e",
        calls,
        "-o",
        str(trace),
        sys.executable,
        "-c",
        code,
        str(tmp_path / "corpus"),
    ]
    subprocess.run(command, check=True, timeout=60)
    events = [line for line in trace.read_text().splitlines() if str(tmp_path) in line]
    rename = next(index for index, line in enumerate(events) if "rename" in line)
    synced = [re.search(r"fsync\(\d+<(.*?)>", line)[1] for line in events if "fsync" in line]
    scratch = str(tmp_path / ".corpus.partial")
    assert synced == [f"{scratch}/a", f"{scratch}/manifest.json", scratch, str(tmp_path)]
    assert ["rename" in line for line in events].index(True) == rename == 3


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(RequestError, match="is a file, not a folder"), exclusive(tmp_path / "out"):
        pass


def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    closed = Path("/sys") if os.geteuid() == 0 else tmp_path  # elsewhere root may write
    tmp_path.chmod(0o500)
    with pytest.raises(RequestError, match="/run may not be written"), exclusive(closed / "run"):
        pass
    tmp_path.chmod(0o700)
