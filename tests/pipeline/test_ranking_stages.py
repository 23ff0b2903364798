"""Ranking as a stage: a preliminary model, its hard negatives as an artefact, a final model from the same start."""

import json

import pytest
import torch

import compared
import tiny
from isoglot.artefact import read_manifest, verify
from isoglot.errors import RequestError
from isoglot.pipeline.compared.run import run_compared
from isoglot.progress import Silent
from isoglot.recipe import load_recipe

pytestmark = pytest.mark.slow
TRAIN = "[train]\nepochs = 2\nbatch_tokens = 512\nlearning_rate = 1e-3\nevaluations = 2\n"
LABELS = ("entailment", "neutral", "contradictory")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Inferences and answers of tiny's words."""
    folder = tmp_path_factory.mktemp("tables")
    inferred = [f"{tiny.sentence(n)}\t{tiny.sentence(3 * n)}\t{LABELS[n % 3]}" for n in range(30)]
    (folder / "en.tsv").write_text("premise\thypothesis\tlabel\n" + "\n".join(inferred) + "\n")
    answered = [f"{tiny.sentence(n)}\t{tiny.sentence(5 * n + 2)}" for n in range(20)]
    (folder / "answers.tsv").write_text("question\tanswer\n" + "\n".join(answered) + "\n")
    return folder


def recipe(folder, tiny_folder, options=""):
    path = compared.write_recipe(
        folder / "ranking.toml", "ranking", tiny_folder / "student", tiny_folder / "pairs.tsv",
        f"[objective.ranking]\n{options}\n{TRAIN}",
    )  # fmt: skip
    return load_recipe(str(path))


def card(run):
    return json.loads((run / "student" / "isoglot.json").read_text())


def steps_in(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def multi_task(tmp_path_factory, tiny_folder, tables):
    """Folder of a run with all tasks and hard negatives, and its recipe."""
    folder = tmp_path_factory.mktemp("multi")
    options = (
        f'hard_negatives = 3\npreliminary = 0.25\nnli = "{tables / "en.tsv"}"\n'
        f'responses = "{tables / "answers.tsv"}"\nbatches = {{translation = 2}}'
    )
    wanted = recipe(folder, tiny_folder, options)
    run_compared(wanted, folder / "run")
    return folder / "run", wanted


def test_the_card_says_what_was_learned_from(multi_task):
    run, _ = multi_task
    about = card(run)["objective"]
    assert about["tasks"]["nli"] == 30
    assert about["tasks"]["responses"] == 20
    assert about["hard_negatives"]["pairs"] == about["tasks"]["translation"] > 500
    assert about["hard_negatives"]["mined"] == 3 * about["hard_negatives"]["pairs"]
    assert 0 <= about["preliminary_dev_retrieval"] <= 1
    notice = (run / "student" / "NOTICE").read_text()
    assert "en.tsv" in notice and "answers.tsv" in notice


def test_both_trainings_have_their_own_checkpoints_and_share_of_steps(multi_task):
    run, _ = multi_task
    preliminary, final = steps_in(run / "preliminary"), steps_in(run / "training")
    assert card(run)["steps"] == len(preliminary) + len(final)
    assert len(preliminary) < len(final)
    assert list((run / "preliminary").glob("step-*/beside.safetensors"))
    assert list((run / "training").glob("step-*/beside.safetensors"))


def test_the_final_model_begins_with_the_untouched_start(multi_task):
    run, _ = multi_task
    first = [json.loads(next((run / part).glob("step-*/progress.json")).read_text())["curve"][0]["score"]
             for part in ("preliminary", "training")]  # fmt: skip
    assert first[0] == first[1]


def test_the_hard_negatives_are_a_verified_artefact(multi_task):
    run, _ = multi_task
    assert verify(run / "negatives") == []
    assert read_manifest(run / "negatives").config == {"negatives": 3}


class CutOffError(Exception):
    pass


class CutOff(Silent):
    """Stops the run when a stage has said that it is over."""

    def __init__(self, stage):
        self.wanted, self.summaries = stage, []

    def stage(self, name, summary):
        self.summaries.append(summary)
        if name == self.wanted:
            raise CutOffError


def test_a_run_cut_off_after_mining_goes_on_without_mining_again(multi_task, tmp_path):
    from safetensors.torch import load_file

    run, wanted = multi_task
    with pytest.raises(CutOffError):
        run_compared(wanted, tmp_path / "run", CutOff("hard negatives"))
    mined = (tmp_path / "run" / "negatives" / "negatives.safetensors").stat().st_mtime_ns
    steps = steps_in(tmp_path / "run" / "preliminary")
    run_compared(wanted, tmp_path / "run")
    assert (tmp_path / "run" / "negatives" / "negatives.safetensors").stat().st_mtime_ns == mined
    assert steps_in(tmp_path / "run" / "preliminary") == steps
    ours, theirs = (load_file(folder / "student" / "model.safetensors") for folder in (tmp_path / "run", run))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_without_hard_negatives_there_is_one_training(tmp_path, tiny_folder):
    run_compared(recipe(tmp_path, tiny_folder, "hard_negatives = 0"), tmp_path / "run")
    assert not (tmp_path / "run" / "preliminary").exists()
    assert not (tmp_path / "run" / "negatives").exists()
    assert "hard_negatives" not in card(tmp_path / "run")["objective"]


def test_inferences_in_a_reported_test_set_are_left_out(tmp_path, tiny_folder, tables):
    """Two of the thirty: a premise and a hypothesis, whatever their case."""
    rows = [f"3.0\t{tiny.sentence(4).upper()}!\tsomething else", f"1.0\tquite\t{tiny.sentence(3 * 29)}"]
    (tmp_path / "sts").mkdir()
    (tmp_path / "sts" / "en-en.tsv").write_text("score\tsentence1\tsentence2\n" + "\n".join(rows) + "\n")
    options = f'hard_negatives = 0\nnli = "{tables / "en.tsv"}"\n'
    wanted = recipe(tmp_path, tiny_folder, options)
    reported = wanted.evaluate.model_copy(update={"benchmarks": (str(tmp_path / "sts"),)})
    said = CutOff("tasks")
    with pytest.raises(CutOffError):
        run_compared(wanted.model_copy(update={"evaluate": reported}), tmp_path / "run", said)
    assert "28 pairs of nli" in said.summaries[-1]
    assert "2 of further tasks are in test sets and left out" in said.summaries[-1]


def test_data_of_another_kind_is_refused(tmp_path, tiny_folder, tables):
    wrong = recipe(tmp_path, tiny_folder, f'nli = "{tables / "answers.tsv"}"')
    with pytest.raises(RequestError, match="holds no test set"):
        run_compared(wrong, tmp_path / "run")


def test_a_task_that_ends_an_epoch_takes_turns():
    from pydantic import ValidationError

    from isoglot.objective_config import RankingConfig

    with pytest.raises(ValidationError, match="an epoch ends with the translations"):
        RankingConfig(batches={"translation": 0})
