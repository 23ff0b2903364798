"""Where and when a corpus is built changes nothing of it: time zone, locale, odd folders, a clock that jumps."""

import json
import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import polib
import pytest

from isoglot.config import CorpusConfig
from isoglot.corpus.build import build

pytestmark = pytest.mark.slow

each = partial(pytest.param, marks=pytest.mark.faults)
SOURCES = ["pairs.en-de.tsv", "Ünï cödé.en-de.jsonl", "gettext:locale"]


def put_sources(folder):
    """A table with letters whose case depends on the locale, JSON in a file with an odd name, and a catalogue."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["IŞIK ıslak", "Iİiı", "straße STRASSE", "Ångström", "日本語の文", "ﬁnal"]
    rows = [
        (f"Sentence {n}: the {word} thing", f"Satz {n}: das {word} Ding dort")
        for n in range(40)
        for word in words
    ]
    (folder / SOURCES[0]).write_text("".join(f"{a}\t{b}\n" for a, b in rows), "utf-8")
    lines = [json.dumps({"source": f"Other {n} thing", "target": f"Anderes {n} Ding"}) for n in range(30)]
    (folder / SOURCES[1]).write_text("\n".join(lines), "utf-8")
    catalogue = folder / "locale/tr/LC_MESSAGES/tool.mo"
    catalogue.parent.mkdir(parents=True)
    made = polib.POFile()
    made.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    made += [polib.POEntry(msgid=f"Switch {n} off", msgstr=f"{n} numaralı ışığı kapat") for n in range(20)]
    made.save_as_mofile(str(catalogue))
    return folder


def run_in(folder, variables=(), prefix=(), out="out"):
    """Run the real program in a folder under other variables."""
    surroundings = {
        key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "TZ"))
    }
    surroundings |= dict(variables)
    command = [*prefix, sys.executable, "-m", "isoglot.cli.main", "corpus", "build", *SOURCES, "--out", out]
    return subprocess.run(
        command, cwd=folder, env=surroundings, capture_output=True, timeout=300, check=False
    )


def build_in(folder, variables=(), prefix=(), out="out"):
    """Build under other variables; return what was written, name -> bytes."""
    run = run_in(folder, variables, prefix, out)
    assert run.returncode == 0, run.stderr.decode(errors="replace")
    return written(folder / out)


def written(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """What a build writes in a plain folder under UTC and a UTF-8 locale."""
    folder = put_sources(tmp_path_factory.mktemp("usual"))
    found = build_in(folder, {"LC_ALL": "C.UTF-8", "TZ": "UTC"})
    assert json.loads(found["manifest.json"])["counts"]["kept"] > 250
    return found


@pytest.mark.parametrize(
    "variables",
    [
        # several at once; `faults` has each alone, which tells them apart should one of these fail
        pytest.param(
            {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "4711", "COLUMNS": "1"},
            id="Turkish, 14 hours east, hash seed, narrow",
        ),
        pytest.param({"TZ": "nonsense", "LC_ALL": "C", "TERM": "dumb"}, id="C, no such zone, dumb terminal"),
        pytest.param({"LANG": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"}, id="latin-1"),
        each({"TZ": "Pacific/Kiritimati"}, id="14 hours east"),
        each({"TZ": "America/St_Johns"}, id="half an hour"),
        each({"TZ": "nonsense"}, id="no such zone"),
        each({"LC_ALL": "C"}, id="C"),
        each({"LC_ALL": "POSIX"}, id="POSIX"),
        each({"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"}, id="Turkish"),
        each({"PYTHONHASHSEED": "4711"}, id="hash seed"),
        each({"COLUMNS": "1", "TERM": "dumb", "NO_COLOR": "1"}, id="narrow terminal"),
    ],
)
def test_variables(tmp_path, usual, variables):
    assert build_in(put_sources(tmp_path / "here"), variables) == usual


def test_a_locale_that_cannot_name_a_source_is_named(tmp_path):
    """ASCII and nothing else, which takes two switches: the umlauts in the name of a source are no text then."""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = run_in(put_sources(tmp_path / "here"), ascii_only)
    assert run.returncode == 2, run.stderr
    assert b"set LC_ALL=C.UTF-8" in run.stderr
    assert not (tmp_path / "here/out").exists()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("ünï çødé 日本 🙂 a'b\"c$(d)&;#%s{e}[f]*", id="everything odd"),
        each("with some spaces"),
        each("ünï-çødé-日本-🙂"),
        each("x" * 200),
        each("a'b\"c$(d)&;#%s{e}[f]*"),
    ],
)
def test_folders(tmp_path, usual, name):
    assert build_in(put_sources(tmp_path / name)) == usual


def test_a_folder_behind_a_link(tmp_path, usual):
    put_sources(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert build_in(tmp_path / "link") == usual


def test_links_to_files(tmp_path, usual):
    put_sources(tmp_path / "real")
    (tmp_path / "here").mkdir()
    for name in (*SOURCES[:2], "locale"):
        (tmp_path / "here" / name).symlink_to(tmp_path / "real" / name)
    assert build_in(tmp_path / "here") == usual


def test_sources_that_nobody_may_write(tmp_path, usual):
    """Without the right of root to write everywhere, so that it is a real refusal for root too."""
    folder, out = put_sources(tmp_path / "here"), tmp_path / "out"
    out.mkdir()
    prefix = (
        ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 and shutil.which("setpriv") else []
    )
    places = [path for path in folder.rglob("*") if path.is_dir()]
    for place in (folder, *places):
        place.chmod(0o555)
    probe = subprocess.run([*prefix, "touch", str(folder / "new")], capture_output=True, check=False)
    assert probe.returncode != 0, "the folder is writable after all, so nothing is tested"
    try:
        assert build_in(folder, prefix=prefix, out=str(out / "corpus")) == usual
    finally:
        for place in (folder, *places):
            place.chmod(0o755)


def test_a_clock_that_jumps(tmp_path, usual, monkeypatch):
    folder = put_sources(tmp_path / "here")
    hours = iter(range(10**9))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(time, "time", lambda: 4e9 - 3600.0 * next(hours))
    monkeypatch.setattr(time, "monotonic", lambda: 1e6 * (-1) ** next(hours))
    build(CorpusConfig.model_validate({"sources": SOURCES}), Path("out"))
    assert written(folder / "out") == usual
