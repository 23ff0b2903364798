"""A plan says what the run then does: counts exactly, time and memory nearly."""

import json
import time

import pytest
from typer.testing import CliRunner

import tiny
from isoglot.cli.main import app
from isoglot.encode.encoder import load_encoder
from isoglot.errors import RequestError
from isoglot.pipeline.further import further_recipe
from isoglot.pipeline.plan import plan
from isoglot.pipeline.run import run
from isoglot.pipeline.trial import fitting
from isoglot.recipe import load_distillation
from isoglot.student.kinds import begin
from isoglot.teacher.store import Store
from small_loop import examples_for


@pytest.fixture
def recipe(tiny_folder, tmp_path):
    return tiny.write_recipe(
        tmp_path / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )


def test_a_plan_counts_what_the_run_then_does(recipe, tmp_path):
    loaded = load_distillation(str(recipe), ["train.epochs=3", "train.paragraphs=0.5"])
    planned = plan(loaded, tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {".lock", "corpus"}
    began = time.monotonic()
    finished = run(loaded, tmp_path / "run")
    minutes = (time.monotonic() - began) / 60
    rows = json.loads((finished.folder.start / "manifest.json").read_text())["counts"]["sentences"]
    assert planned.steps == finished.card["steps"]
    assert planned.start_sentences == rows
    assert planned.teacher_sentences == Store.open(finished.folder.store).rows
    [encoded] = (tmp_path / "run" / "vectors").iterdir()
    assert planned.evaluation_sentences == Store.open(encoded).rows
    assert 0.1 < planned.minutes / minutes < 10


def test_what_is_embedded_already_costs_nothing(recipe, tmp_path):
    loaded = load_distillation(str(recipe), ["train.epochs=0"])
    run(loaded, tmp_path / "run", evaluate=False)
    planned = plan(loaded, tmp_path / "run", evaluate=False)
    assert (planned.teacher_sentences, planned.teacher_minutes, planned.steps, planned.tokens) == (0, 0, 0, 0)
    assert planned.evaluation_sentences == 0


def test_documents_of_the_teacher_are_planned(recipe, tmp_path):
    loaded = load_distillation(str(recipe), ["train.epochs=0", 'teacher.document_prompt="the old "'])
    planned = plan(loaded, tmp_path / "run", evaluate=False)
    folder = run(loaded, tmp_path / "run", evaluate=False).folder
    assert planned.teacher_sentences == Store.open(folder.store).rows + Store.open(folder.documents).rows
    again = plan(loaded, tmp_path / "run", evaluate=False)
    assert (again.teacher_sentences, again.teacher_minutes) == (0, 0)


def test_tokens_are_those_of_all_batches(recipe, tmp_path):
    one, two, four = (
        plan(load_distillation(str(recipe), changes), tmp_path / "run")
        for changes in (["train.epochs=1"], ["train.epochs=2"], ["train.epochs=2", "train.accumulate=4"])
    )
    assert two.tokens == 2 * one.tokens
    assert four.steps == pytest.approx(two.steps / 4, abs=1)
    assert four.tokens == pytest.approx(two.tokens, rel=0.25)
    assert one.tokens > 240 * 4 * 5  # train sentences, their three translations, five words


def test_minutes_are_those_asked_for_and_those_of_the_checkpoints(recipe, tmp_path):
    text = recipe.read_text().replace("epochs = 2\n", "minutes = 0.5\n")
    recipe.write_text(text)
    planned = plan(load_distillation(str(recipe)), tmp_path / "run")
    assert planned.training_minutes == pytest.approx(0.5, rel=0.2)
    assert planned.minutes > planned.training_minutes
    assert planned.steps > 1
    assert planned.memory_bytes > 10**8


def test_steps_of_the_head_are_counted(recipe, tmp_path):
    none, many = (
        plan(load_distillation(str(recipe), [f"warm_start.head_steps={steps}"]), tmp_path / "run")
        for steps in (0, 20_000)
    )
    assert many.start_minutes > none.start_minutes + 0.05
    assert many.processor_minutes > none.processor_minutes + 0.05


def test_prefixes_are_learned_and_planned(recipe, tmp_path):
    loaded = load_distillation(str(recipe), ["student.dims=[16,8]", "train.epochs=1"])
    planned = plan(loaded, tmp_path / "run")
    finished = run(loaded, tmp_path / "run", evaluate=False)
    assert planned.steps == finished.card["steps"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("corpus.dev_percent=0", "The dev split of"),
        ("train.language_weights={it=2.0}", "language_weights names it"),
    ],
)
def test_what_the_run_refuses_the_plan_refuses(recipe, tmp_path, change, said):
    loaded = load_distillation(str(recipe), [change])
    for work in (plan, run):
        with pytest.raises(RequestError, match=said):
            work(loaded, tmp_path / "run")


@pytest.mark.parametrize("kind", ["transformer", "static"])
def test_layers_without_a_warm_start_stand_where_the_student_is(recipe, tiny_folder, tmp_path, kind):
    """A device without memory behind it takes the place of an accelerator."""
    loaded = load_distillation(str(recipe), ["warm_start.sentences=0", f"student.kind={kind}"])
    student = begin(tiny_folder / "student", loaded.student, 0, tmp_path)
    examples = examples_for(student, load_encoder(tiny_folder / "teacher"))
    student.model.to("meta")
    assert fitting(student, examples, loaded)[1] == 0
    assert {parameter.device.type for parameter in student.model.parameters()} == {"meta"}
    assert student.dimension == 24
    assert len(student.model.dense) == (0 if kind == "static" else 1)


def test_a_student_that_learns_on_is_planned(recipe, tiny_folder, tmp_path):
    first = run(load_distillation(str(recipe), ["train.epochs=1"]), tmp_path / "first", evaluate=False)
    sources = [str(tiny_folder / "pairs.tsv")]
    changes = ["corpus.clean.max_untranslated=1.0", "train.batch_tokens=512", "evaluate.pool=60"]
    further = further_recipe(first.folder.student, sources, {"epochs": 1}, changes)
    words = [word for change in changes for word in ("--set", change)]
    done = CliRunner().invoke(app, [
        "plan", "--from", str(first.folder.student), "--add", sources[0], "--epochs", "1", *words,
        "--out", str(tmp_path / "second"), "--json",
    ])  # fmt: skip
    assert done.exit_code == 0, done.stderr
    planned = json.loads(done.stdout)
    finished = run(further, tmp_path / "second", evaluate=False)
    assert planned["steps"] == finished.card["steps"]
    assert planned["start_sentences"] == 0
    assert planned["teacher_sentences"] == Store.open(finished.folder.store).rows
    assert planned["evaluation_sentences"] > 60


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "one recipe, or of one --from"),
        (["demo", "--from", "x"], "one recipe, or of one --from"),
        (["demo", "--add", "x"], "--corpus and --add need --from"),
    ],
)
def test_requests_that_make_no_sense_are_answered(words, said, tmp_path):
    done = CliRunner().invoke(app, ["plan", *words, "--out", str(tmp_path / "run")])
    assert done.exit_code == 2
    assert said in done.stderr
