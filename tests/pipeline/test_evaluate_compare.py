"""`isoglot evaluate --compare`: noise is called noise, a real difference is not, and unlike is not compared."""

import json
import re
import shutil

import pytest
from tests.pipeline.evaluation_files import write_model, write_sts, write_tests
from typer.testing import CliRunner

from isoglot.cli.main import app
from isoglot.pipeline.alone import Wanted, evaluate
from isoglot.pipeline.evaluate_suite import parse_suite


def isoglot(*arguments):
    """Call a command inside this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def compared(*arguments):
    done = isoglot("evaluate", "--compare", *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Evaluations of a model, of its equal, of a destroyed one, and of the first with less or other data."""
    folder = tmp_path_factory.mktemp("compare")
    tests = write_tests(folder / "tests")
    teacher = write_model(folder / "teacher.parquet", 0.0)
    models = {"good": 0.6, "same": 0.6, "destroyed": 30.0}
    for name, noise in models.items():
        write_model(folder / f"{name}.parquet", noise)
        wanted = Wanted(str(folder / f"{name}.parquet"), data=(tests,), teacher=str(teacher))
        evaluate(wanted, folder / name)
    good = str(folder / "good.parquet")
    evaluate(Wanted(good, parse_suite("sts"), (tests,)), folder / "sts")
    evaluate(
        Wanted(good, parse_suite("sts"), (write_sts(folder / "other" / "stsb", 79),)), folder / "changed"
    )
    evaluate(Wanted(good, parse_suite("search"), (tests,), teacher=good), folder / "other-teacher")
    return folder


def test_equal_models_differ_by_nothing_and_all_of_it_is_noise(place):
    result = compared(place / "good", place / "same")
    assert result["only_first"] == result["only_second"] == []
    assert {row["difference"] for row in result["rows"]} == {0.0}
    assert all(
        row["noise"] and row["p"] == 1.0 and row["low"] == row["high"] == 0.0 for row in result["rows"]
    )


def test_a_destroyed_model_is_worse_and_that_is_no_noise(place):
    result = compared(place / "good", place / "destroyed")
    main = [
        row for row in result["rows"] if row["task"] in ("sts", "search") and "joint" not in row["metric"]
    ]
    searched = [row for row in main if row["task"] == "search"]
    assert searched
    assert all(row["difference"] < -0.3 and row["high"] < 0 and not row["noise"] for row in searched)
    scores = json.loads((place / "destroyed" / "scores.json").read_text())
    for row in searched:
        if row["languages"]:
            same = [
                entry
                for entry in scores["tasks"]
                if (entry["task"], entry["languages"], entry["metric"])
                == ("search", row["languages"], row["metric"])
            ]
            assert [row["second"]] == [entry["value"] for entry in same]


def test_means_over_languages_stand_before_their_members(place):
    rows = compared(place / "good", place / "destroyed", "--suite", "search")["rows"]
    metrics = {row["metric"] for row in rows}
    assert {row["task"] for row in rows} == {"search"}
    for metric in metrics:
        mean, *members = [row for row in rows if row["metric"] == metric]
        assert mean["languages"] == [] and mean["over"] == len(members) == 2
        assert mean["difference"] == pytest.approx(sum(row["difference"] for row in members) / 2)
        assert mean["low"] <= mean["difference"] <= mean["high"]


def test_languages_narrow_the_comparison(place):
    rows = compared(place / "good", place / "same", "--languages", "fr")["rows"]
    assert rows
    assert all("fr" in row["languages"] for row in rows if row["languages"])
    refused = isoglot("evaluate", "--compare", place / "good", place / "same", "--languages", "ja")
    assert refused.exit_code == 2 and "no score of these" in refused.stderr


@pytest.mark.parametrize(("other", "field"), [("changed", "data"), ("other-teacher", "index")])
def test_scores_of_other_things_are_refused_by_the_field_that_differs(place, other, field):
    done = isoglot("evaluate", "--compare", place / "good", place / other)
    assert done.exit_code == 2
    assert re.search(rf"cannot\s+be\s+compared:\s+{field}\s+is", done.stderr), done.stderr


def test_another_version_of_isoglot_is_refused(place, tmp_path):
    shutil.copytree(place / "good", tmp_path / "old")
    text = (tmp_path / "old" / "scores.json").read_text()
    (tmp_path / "old" / "scores.json").write_text(re.sub(r'"isoglot": "[^"]+"', '"isoglot": "0.0.1"', text))
    done = isoglot("evaluate", "--compare", place / "good", tmp_path / "old")
    assert done.exit_code == 2 and "isoglot is" in done.stderr


def test_scores_of_one_side_alone_are_listed(place):
    result = compared(place / "good", place / "sts")
    assert {row["task"] for row in result["rows"]} == {"sts"}
    assert result["only_second"] == []
    assert {key.split("|")[0] for key in result["only_first"]} == {"search", "mining", "bias"}
    shown = isoglot("evaluate", "--compare", place / "good", place / "sts")
    assert "has:" in shown.stdout and "search tatoeba-v1 de en" in shown.stdout


def test_a_table_and_a_page_for_people(place, tmp_path):
    done = isoglot(
        "evaluate", "--compare", place / "good" / "scores.json", place / "destroyed", "--out", tmp_path
    )
    assert done.exit_code == 0, done.output
    assert "mean of 2" in done.stdout and "Holm" in done.stdout
    same = isoglot("evaluate", "--compare", place / "good", place / "same", "--suite", "sts")
    assert re.search(r"German.*\+0\.000.*noise", same.stdout)
    page = (tmp_path / "report.html").read_text()
    assert "good.parquet" in page and "destroyed.parquet" in page
    assert "mean of 2" in page and "Pearson" not in page  # of what stands for its task


def test_damaged_evaluations_are_named(place, tmp_path):
    shutil.copytree(place / "good", tmp_path / "bad")
    path = tmp_path / "bad" / "items.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\7")
    done = isoglot("evaluate", "--compare", place / "good", tmp_path / "bad")
    assert done.exit_code == 1 and "items.safetensors does not belong" in done.stderr.replace("\n", " ")
    path.unlink()
    done = isoglot("evaluate", "--compare", place / "good", tmp_path / "bad")
    assert done.exit_code == 1 and "is missing" in done.stderr
    done = isoglot("evaluate", "--compare", place / "good", tmp_path / "nothing")
    assert done.exit_code == 2 and "is no evaluation" in done.stderr
