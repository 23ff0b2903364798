"""Weights and paragraphs in a whole run: each does to the student what it says."""

import json

import numpy as np
import pytest

import tiny
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import load_encoder
from isoglot.errors import RequestError
from isoglot.pipeline.run import run
from isoglot.recipe import load_recipe

COMMON = ["train.epochs=6", "train.evaluations=2", "train.contrast=0", "warm_start.sentences=100"]


@pytest.fixture(scope="module")
def recipe(tiny_folder, tmp_path_factory):
    """A recipe over two files: German and French in `one`, Turkish in `two`."""
    folder = tmp_path_factory.mktemp("objective")
    lines = (tiny_folder / "pairs.tsv").read_text().splitlines()
    for name, tags in (("one", ("de", "fr")), ("two", ("tr",))):
        chosen = [line for line in lines[1:] if line.split("\t")[1] in tags]
        (folder / f"{name}.tsv").write_text("\n".join([lines[0], *chosen]) + "\n")
    path = tiny.write_recipe(
        folder / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", folder / "one.tsv"
    )
    path.write_text(path.read_text().replace('one.tsv"]', f'one.tsv", "{folder}/two.tsv"]'))
    return path


def student(recipe, out, *settings):
    finished = run(load_recipe(str(recipe), [*COMMON, *settings]), out, evaluate=False)
    return finished, load_encoder(finished.folder.student)


@pytest.fixture(scope="module")
def plain(recipe, tmp_path_factory):
    """A run without any of the options, and its student."""
    return student(recipe, tmp_path_factory.mktemp("plain") / "run")


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    ["train.language_weights={tur=30.0}", "train.corpus_weights={'FOLDER/two'=30.0}"],
    ids=["tr", "two"],
)
def test_weights_reach_the_loop(recipe, plain, tmp_path, setting):
    """The language tr is the corpus two: either weight multiplies what its translations and their sources count."""
    weighted, _ = student(recipe, tmp_path / "weighted", setting.replace("FOLDER", recipe.parent.name))
    losses = [[point["loss"] for point in finished.card["dev"][1:]] for finished in (plain[0], weighted)]
    assert np.abs(np.subtract(*losses)).min() > 1e-6


def test_weights_of_what_is_not_there_are_refused(recipe, tmp_path):
    with pytest.raises(RequestError, match="language_weights names it"):
        student(recipe, tmp_path / "a", "train.language_weights={it=2.0}")
    with pytest.raises(RequestError, match="corpus_weights names three") as refused:
        student(recipe, tmp_path / "b", "train.corpus_weights={three=2.0}")
    assert f"{recipe.parent.name}/one, {recipe.parent.name}/two" in str(refused.value)
    with pytest.raises(RequestError, match="greater than 0"):
        load_recipe(str(recipe), ["train.language_weights={de=0.0}"])


@pytest.mark.slow
def test_paragraphs_bring_the_student_nearer_to_the_teacher_on_paragraphs(
    recipe, plain, tiny_folder, tmp_path
):
    teacher = load_encoder(tiny_folder / "teacher")
    held = Corpus.open(plain[0].folder.corpus).groups("test").sources
    source = [" ".join(held[start : start + 4]) for start in range(len(held) - 4)]
    targets = [tiny.translation("de", text) for text in source]

    def distance(encoder):
        return float(np.square(encoder.encode(targets) - teacher.encode(source)).sum(axis=1).mean())

    finished, longer = student(recipe, tmp_path / "longer", "train.paragraphs=1.0")
    assert distance(longer) < 0.9 * distance(plain[1])
    assert json.loads((finished.folder.recipe).read_text())["train"]["paragraphs"] == 1.0
