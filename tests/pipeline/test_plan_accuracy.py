"""A plan beside the run that it is of: both are the real program, in processes of their own.

How well minutes are planned is for a quiet machine to say, and `bench/plan.py` says it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tiny
from command import isoglot

pytestmark = pytest.mark.slow

BENCH = Path(__file__).parents[2] / "bench" / "plan.py"
MODELS = {"width": 128, "layers": 6}


def write_long_pairs(path, groups):
    """Sentences of ten words with three translations each."""
    lines = ["source_lang\ttarget_lang\tsource\ttarget"]
    for number in range(groups):
        text = f"{tiny.sentence(11 * number)} {tiny.sentence(13 * number + 5)}"
        lines += [f"en\t{tag}\t{text}\t{tiny.translation(tag, text)}" for tag in tiny.LANGUAGES]
    path.write_text("\n".join(lines) + "\n", "utf-8")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """A recipe of some hundred steps with a wider student, whose memory is more than that of the imports."""
    folder = tmp_path_factory.mktemp("accuracy")
    tiny.write_teacher(folder / "teacher", width=64)
    tiny.write_encoder(folder / "student", **MODELS)
    write_long_pairs(folder / "pairs.tsv", 500)
    return tiny.write_recipe(
        folder / "tiny.toml", folder / "teacher", folder / "student", folder / "pairs.tsv"
    )


@pytest.fixture(scope="module")
def arm(recipe, tmp_path_factory):
    """What was planned, what came of it, and the ratios."""
    text = (
        recipe.read_text()
        .replace("rate = 1e-3", "rate = 1e-4")
        .replace("epochs = 2\n", "epochs = 6.5\naccumulate = 2\nparagraphs = 0.5\nrewinds = 99\n")
    )
    recipe.write_text(text.replace("sentences = 400\n", "sentences = 500\nhead_steps = 50\n"))
    work = tmp_path_factory.mktemp("work")
    done = subprocess.run(
        [sys.executable, str(BENCH), "--recipe", str(recipe), "--work", str(work), "--threads", "1", "--json"],
        capture_output=True, text=True, timeout=500, env=os.environ, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout).values()
    return found, work / "run"


def test_steps_and_tokens_are_those_of_the_run(arm):
    found, run = arm
    planned, measured = found["planned"], found["measured"]
    assert planned["steps"] == measured["steps"] > 50
    assert planned["steps"] == len((run / "training" / "log.jsonl").read_text().splitlines())
    assert planned["tokens"] == measured["tokens"] > 20_000


def test_memory_is_planned_within_a_fifth(arm):
    assert 0.8 < arm[0]["ratio"]["memory_bytes"] < 1.25


def test_a_plan_leaves_nothing_but_the_corpus(recipe, tmp_path):
    done = isoglot("plan", recipe, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    left = {path.name for path in (tmp_path / "run").iterdir()} - {".lock"}
    assert left == {"corpus"}
    last = done.stdout.splitlines()[-1]
    assert last.startswith("not counted ")
    assert "building the corpus" in last
