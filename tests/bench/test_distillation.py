"""The bench of distillation against sentence-transformers: its arithmetic, and all arms on tiny models."""

import json
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import tiny

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "bench" / "distil_vs_sentence_transformers.py"


@pytest.fixture
def levels(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    from distillation import levels

    return levels


def curve(*points):
    return [{"seconds": seconds, "tatoeba": accuracy} for seconds, accuracy in points]


def test_a_level_between_two_snapshots_is_interpolated(levels):
    assert levels.time_to(curve((10, 0.2), (30, 0.6)), 0.5) == (25, False)


def test_a_level_that_the_first_snapshot_holds_was_reached_there(levels):
    assert levels.time_to(curve((12, 0.9), (30, 0.6)), 0.5) == (12, False)


def test_a_level_counts_from_the_first_time_that_it_holds(levels):
    assert levels.time_to(curve((0, 0), (10, 0.6), (20, 0.1), (30, 0.9)), 0.6).seconds == 10


def test_a_missed_level_took_at_least_the_whole_time(levels):
    missed = levels.time_to(curve((0, 0.1), (3600, 0.2)), 0.6)
    assert str(missed) == ">= 60.00 min"
    assert levels.ratio(missed, levels.Reached(90)) == ">= 40.0"
    assert levels.ratio(levels.Reached(90), missed) is None


def test_the_fastest_arm_is_one_that_reached_the_level(levels):
    missed = levels.Reached(50, missed=True)
    assert levels.fastest([missed, levels.Reached(100), levels.Reached(200)]) == (100, False)
    assert levels.fastest([missed, levels.Reached(80, missed=True)]) == (50, True)


def test_the_picture_has_a_curve_and_a_name_for_every_arm(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    from distillation.picture import draw

    arms = {
        "ours": curve((50, 0.79), (70, 0.80), (300, 0.82)),
        "warm": curve((55, 0.79), (300, 0.80)),
        "published": curve((80, 0.003), (3600, 0.004)),
    }
    picture = ElementTree.fromstring(draw(arms, "a < b"))
    space = "{http://www.w3.org/2000/svg}"
    assert picture.find(f"{space}title").text == "a < b"
    curves = [line.get("points").split() for line in picture.iter(f"{space}polyline")]
    assert [len(points) for points in curves] == [3, 2, 2]
    places = [tuple(map(float, point.split(","))) for point in curves[0]]
    assert places == sorted(places, key=lambda place: (place[0], -place[1]))  # later is right, more is above
    assert float(curves[2][1].split(",")[1]) > 300 > places[0][1]
    names = {text.text: float(text.get("y")) for text in picture.iter(f"{space}text")}
    labels = [name for name in names if name.split(" ")[-1] in ("isoglot", "start", "published")]
    assert labels == ["82.0 % isoglot", "80.0 % sentence-transformers after our warm start",
                      "0.4 % sentence-transformers as published"]  # fmt: skip
    assert names[labels[1]] - names[labels[0]] >= 18  # 2 % are 6 pixels


class Blind:
    """A judge that finds nothing."""

    def score(self, encode):
        return {"tatoeba": 0.0}


def test_a_look_counts_as_no_step_also_after_the_last_one(levels, tmp_path):
    from distillation.clock import Plan, Record
    from distillation.ours import Watch

    record = Record(tmp_path / "arm.json", {}, Blind(), Plan(60, 0, (), 1))
    watch = Watch(record, np.array([[10, 20], [20, 40]]))
    with watch.task("training", 2, "steps") as task:
        for _ in range(2):
            time.sleep(0.1)
            task.advance()
            watch.score(lambda student: time.sleep(1), None)
    assert 12 < watch.speed["grouped"] <= 100
    assert watch.speed["ungrouped"] == watch.speed["grouped"]


@pytest.mark.slow
def test_every_arm_is_measured_and_kept(bench_data, tiny_folder, tmp_path):
    teacher = tiny.write_teacher(tmp_path / "teacher", width=32)  # the peer needs the student's width
    call = [
        sys.executable,
        str(BENCH),
        "--data",
        str(bench_data),
        "--state",
        str(tmp_path / "state"),
        "--json",
    ]
    call += [
        "--sets",
        "made",
        "--languages",
        *tiny.CODES,
        "--pairs",
        "900",
        "--threads",
        "1",
        "--levels",
        "1",
        "100",
    ]
    call += ["--teacher", str(teacher), "--student", str(tiny_folder / "student")]
    call += ["--minutes", "0.2", "--our-minutes", "0.2", "--least-minutes", "0", "--at", "0.03"]
    call += ["--batches", "8", "16", "--rates", "1e-3", "--trial-minutes", "0.02", "--trial-steps", "3"]
    call += ["--rounds", "3", "--picture", str(tmp_path / "curves.svg")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["arms"]) == {"published", "best", "warm", "ours", "cold"}
    for name, arm in found["arms"].items():
        assert arm["over"], name
        assert arm["pairs/s"]["grouped"] > 0
        assert {"tatoeba", "sts", "r2"} <= set(arm["snapshots"][-1])
        assert arm["snapshots"][-1]["pairs"] > arm["snapshots"][0]["pairs"]
    untouched = [found["arms"][name]["snapshots"][0]["tatoeba"] for name in ("published", "best", "cold")]
    assert max(untouched) - min(untouched) < 0.05  # one student; near ties may differ
    assert found["arms"]["warm"]["snapshots"][0] != found["arms"]["best"]["snapshots"][0]
    assert set(found["ratio"]) == {"1", "100"}
    assert (tmp_path / "curves.svg").read_text("utf-8").count("<polyline") == 5
    for name in ("published", "best"):
        turns = found["in turns"][name]
        assert turns["turns"] == 3
        assert turns["ratio"]["grouped"] == pytest.approx(
            turns["pairs/s"]["grouped"] / turns["pairs/s"]["peer"], rel=0.02
        )
        assert turns["ratio"]["grouped"] > turns["ratio"]["ungrouped"] > 0
    assert found["in turns"]["best"]["recipe"]["batch"] in (8, 16)
    again = subprocess.run(call, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout) == found
    assert again.stderr.split("...")[0].strip() == "prepare"
