"""R21: time zone, locale, clock and names of folders change nothing about a run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from faults import promises, rig

ROW = ("R21 time zone, locale, clock, names of folders", "the bytes of the undisturbed run")
STRICT = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # what the locale says is what Python believes
LOCALES = {
    "east of the date line": {"TZ": "EAST-14"},
    "west of the date line": {"TZ": "WEST+12"},
    "locale C": {"LC_ALL": "C", **STRICT},
    "locale POSIX": {"LC_ALL": "POSIX", **STRICT},
    "Turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    "no locale at all": {"LC_ALL": "", "LANG": "", "LANGUAGE": ""},
}
NAMES = {
    "spaces and quotes": "a 'run'  of \"mine\"",
    "many scripts": "çalışma ığİ 模型 نموذج",
    "two hundred characters": "long" * 50,
    "what looks like options": "--out=[x] {y} %s $HOME",
}
JUMPING = """
import itertools, sys, time
honest, jumps = time.time, itertools.cycle((0, 86_400, -86_400, 4e8))
time.time = lambda: honest() + next(jumps)
from isoglot.cli.main import main
main()
"""

pytestmark = pytest.mark.faults


def hold(undisturbed, out, record_property, environment=(), program=("-m", "isoglot.cli.main")):
    """Do the undisturbed run again in other surroundings, as a fresh process."""
    command = [sys.executable, *program, *rig.arguments(undisturbed.recipe, out)]
    done = subprocess.run(
        command, env={**rig.ENVIRONMENT, **dict(environment)}, capture_output=True, check=False, timeout=240
    )
    problems = [] if done.returncode == 0 else [done.stderr.decode("utf-8", "replace")]
    problems = problems or [
        *promises.nothing_half_written(out), *promises.verify_says_whole(out),
        *promises.same_result(undisturbed.whole, out),
    ]  # fmt: skip
    record_property("fault", (*ROW, not problems))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", LOCALES)
def test_time_zone_and_locale_change_nothing(undisturbed, tmp_path, name, record_property):
    hold(undisturbed, tmp_path / "run", record_property, LOCALES[name])


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_folder_changes_nothing(undisturbed, tmp_path, name, record_property):
    hold(undisturbed, tmp_path / NAMES[name] / "run", record_property)


def test_a_folder_may_be_a_link(undisturbed, tmp_path, record_property):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    hold(undisturbed, tmp_path / "link", record_property)
    assert (tmp_path / "real" / "student" / "isoglot.json").is_file()


def test_a_clock_that_jumps_by_days_and_years_changes_nothing(undisturbed, tmp_path, record_property):
    hold(undisturbed, tmp_path / "run", record_property, program=("-c", JUMPING))


def test_a_folder_that_may_not_be_written_is_named(undisturbed, tmp_path, record_property):
    closed = Path("/sys") if os.geteuid() == 0 else tmp_path  # elsewhere root may write
    tmp_path.chmod(0o500)
    command = [sys.executable, "-m", "isoglot.cli.main", *rig.arguments(undisturbed.recipe, closed / "run")]
    done = subprocess.run(command, env=rig.ENVIRONMENT, capture_output=True, text=True, check=False)
    tmp_path.chmod(0o700)
    held = done.returncode == 2 and f"error: {closed / 'run'} may not be written" in done.stderr
    record_property("fault", ("R21 a folder that may not be written", "exit 2, named", held))
    assert held, done.stderr
    assert "Traceback" not in done.stderr
