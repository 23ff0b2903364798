"""A finished student learns a further language: from where it is, without losing the others."""

import json

import numpy as np
import pytest

import tiny
from command import isoglot
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import load_encoder
from isoglot.errors import RequestError
from isoglot.pipeline.further import further_recipe
from isoglot.pipeline.run import run
from isoglot.recipe import load_recipe

pytestmark = pytest.mark.slow  # whole runs

SETTINGS = [
    "corpus.clean.max_untranslated=1.0", "corpus.dev_percent=10", "corpus.test_percent=10",
    "train.batch_tokens=512", "train.learning_rate=1e-3", "train.evaluations=4", "evaluate.pool=60",
    "evaluate.queries=20", "evaluate.dev_queries=20",
]  # fmt: skip


@pytest.fixture(scope="module")
def first(tiny_folder, tmp_path_factory):
    """A student of German and French, and the files of these and of Turkish."""
    folder = tmp_path_factory.mktemp("further")
    tiny.write_pairs(folder / "old.tsv", languages=("de", "fr"))
    tiny.write_pairs(folder / "new.tsv", languages=("tr",))
    recipe = tiny.write_recipe(
        folder / "r.toml", tiny_folder / "teacher", tiny_folder / "student", folder / "old.tsv"
    )
    run(load_recipe(str(recipe)), folder / "first", evaluate=False)
    return folder


def further(first, out, sources, *settings, epochs=4):
    recipe = further_recipe(
        first / "first" / "student",
        [str(first / name) for name in sources],
        {"epochs": epochs},
        [*SETTINGS, *settings],
    )
    return run(recipe, out, evaluate=False)


@pytest.fixture(scope="module")
def second(first):
    faster = ["train.learning_rate=2e-3", "train.head_learning_rate=2e-3"]
    return further(first, first / "second", ["old.tsv", "new.tsv"], *faster, epochs=16)


def test_weights_that_harm_a_known_language_do_not_ship_and_the_card_says_so(first, tmp_path):
    wild = ["train.learning_rate=3e-2", "train.head_learning_rate=3e-2", "train.rewinds=0"]
    finished = further(first, tmp_path / "wild", ["old.tsv", "new.tsv"], *wild, epochs=1)
    assert finished.card["shipped"] == "warm start"
    assert "had become worse, which train.protect forbids" in finished.card["why"]
    assert all(before == after for before, after in finished.change.values())


def test_the_new_language_is_learned_and_the_others_stay(second):
    before, after = zip(*second.change.values(), strict=True)
    gained = {tag: after - before for tag, (before, after) in second.change.items()}
    assert set(gained) == {"de", "fr", "tr"}
    assert gained["tr"] > 0.2
    assert min(gained.values()) >= -0.05  # one of twenty test sentences
    assert np.mean(after) > np.mean(before)


def test_it_starts_as_the_finished_student_in_the_same_space(first, tmp_path):
    idle = further(first, tmp_path / "idle", ["new.tsv"], epochs=0)
    texts = [tiny.sentence(0), tiny.translation("de", tiny.sentence(3))]
    ours, theirs = (
        load_encoder(folder).encode(texts) for folder in (idle.folder.student, first / "first/student")
    )
    assert np.array_equal(ours, theirs)
    cards = [
        json.loads((folder / "isoglot.json").read_text())
        for folder in (idle.folder.student, first / "first/student")
    ]
    assert cards[0]["teacher"]["space"] == cards[1]["teacher"]["space"]
    assert cards[0]["languages"] == ["de", "fr", "tr"]
    assert cards[1]["languages"] == ["de", "fr"]
    assert "student as it was" in cards[0]["why"]


def test_languages_that_it_knew_are_protected(first):
    recipe = further_recipe(first / "first" / "student", [str(first / "new.tsv")], {"epochs": 1}, SETTINGS)
    assert recipe.train.protect == ("de", "fr")
    assert recipe.teacher.model == json.loads((first / "first/recipe.json").read_text())["teacher"]["model"]


def test_another_teacher_is_refused(first, tmp_path):
    other = tiny.write_teacher(tmp_path / "other", seed=9)
    with pytest.raises(RequestError, match="lives in the space"):
        further(first, tmp_path / "x", ["new.tsv"], f"teacher.model={other}")
    with pytest.raises(RequestError, match="is not a student"):
        further_recipe(other, ["x"], {"epochs": 1})


def test_a_student_is_not_replaced_by_what_it_becomes(first):
    """Run again, the command would go on from the new one, and the old one would be gone."""
    with pytest.raises(RequestError, match="would replace"):
        further(first, first / "first", ["new.tsv"])
    assert load_encoder(first / "first" / "student").dimension == 24


def test_another_kind_than_the_student_s_is_refused(first, tmp_path):
    with pytest.raises(RequestError, match=r"is a transformer student, and student\.kind says static"):
        further(first, tmp_path / "x", ["new.tsv"], "student.kind=static")
    with pytest.raises(RequestError, match="it is not a student"):
        silent = ["student.max_tokens=128", "warm_start.sentences=10000"]
        recipe = load_recipe(str(first / "r.toml"), ["student.further=true", *silent])
        run(recipe, tmp_path / "y", evaluate=False)


def test_test_sets_that_changed_are_another_request(first, tmp_path):
    corpus = Corpus.open(first / "first" / "corpus")
    tests = tmp_path / "stsb" / "en-test.tsv"
    tests.parent.mkdir()
    left_out = []
    for leaks in (2, 5):
        rows = "".join(f"3.0\t{text}\tnothing like it\n" for text in corpus.sources("train")[:leaks])
        tests.write_text("score\tsentence1\tsentence2\n" + rows)
        done = further(
            first, tmp_path / "run", ["old.tsv"], f"evaluate.benchmarks=['{tests.parent}']", epochs=0
        )
        left_out.append(done.card["leaks"]["pairs"])
    assert 0 < left_out[0] < left_out[1]


def test_protected_languages_that_nobody_looks_at_are_named(first, tmp_path):
    done = further(first, tmp_path / "blind", ["new.tsv"], epochs=1)
    assert "Protected languages: de, fr: no dev sentences, so nothing shows" in done.card["why"]
    done = further(first, tmp_path / "seen", ["old.tsv", "new.tsv"], epochs=1)
    assert "no dev sentences" not in done.card["why"]


def test_a_student_of_a_turned_space_learns_on_along_the_same_axes(first, tiny_folder, tmp_path):
    recipe = load_recipe(str(first / "r.toml"), ["student.dims=[16,8]", "train.epochs=1"])
    run(recipe, tmp_path / "first", evaluate=False)
    again = run(
        further_recipe(tmp_path / "first/student", [str(first / "new.tsv")], {"epochs": 1}, SETTINGS),
        tmp_path / "second", evaluate=False,
    )  # fmt: skip
    axes = [
        (tmp_path / name / "student/teacher_axes.safetensors").read_bytes() for name in ("first", "second")
    ]
    assert axes[0] == axes[1]
    assert again.card["truncate_dims"].keys() == {"16", "8"}


def test_static_and_lstm_students_learn_on(first, tmp_path):
    for kind in ("static", "lstm"):
        settings = [f"student.kind={kind}", "train.epochs=1"]
        run(load_recipe(str(first / "r.toml"), settings), tmp_path / kind, evaluate=False)
        recipe = further_recipe(
            tmp_path / kind / "student", [str(first / "new.tsv")], {"epochs": 1}, SETTINGS
        )
        assert recipe.student.kind == kind
        finished = run(recipe, tmp_path / f"{kind}2", evaluate=False)
        assert load_encoder(finished.folder.student).encode(["xder neerg"]).shape == (1, 24)


def test_the_command_prints_the_table(first, tmp_path):
    changes = [word for setting in SETTINGS for word in ("--set", setting)]
    done = isoglot(
        "distil", "--from", first / "first/student", "--corpus", first / "old.tsv", "--add", first / "new.tsv",
        "--epochs", "1", "--out", "out", *changes, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["language", "before", "after"]
    assert [line.split()[0] for line in lines[1:4]] == ["de", "fr", "tr"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "x", "--student", "y"], "both name the student"),
        (["--add", "x", "--teacher", "t", "--student", "s"], "--add needs --from"),
        (["--corpus", "x"], "Who teaches whom"),
        (["--from", "nowhere", "--add", "x"], "is not a student"),
        (
            ["--from", "first/student", "--add", "old.tsv", "--align-only"],
            "--align-only ends with the warm start",
        ),
        (["--from", "first/student", "--add", "old.tsv", "--layers", "0"], "keeps its own layers"),
        (
            ["--from", "first/student", "--add", "old.tsv", "--teacher", "./\U0001f600"],
            "./\U0001f600 is not a model",
        ),
        (
            ["--teacher", "t", "--student", "s", "--corpus", "x", "--align-only", "--set", "train.epochs=2"],
            "train.epochs would go on",
        ),
    ],
)
def test_requests_that_make_no_sense_are_answered(arguments, said, first):
    done = isoglot("distil", *arguments, "--out", "out", cwd=first)
    assert done.returncode == 2
    assert said in done.stderr
