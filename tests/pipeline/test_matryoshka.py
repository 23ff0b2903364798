"""Students whose vectors can be cut: the front of a vector is a vector on its own."""

import json

import numpy as np
import pytest

import tiny
from isoglot.encode.encoder import load_encoder
from isoglot.evaluate.retrieval import normalised
from isoglot.pipeline.run import run
from isoglot.recipe import load_recipe

FRONT = 4


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """The same run with the whole vector alone, with the axes turned, and with three widths."""
    folder = tmp_path_factory.mktemp("dims")
    recipe = tiny.write_recipe(
        folder / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    common = ["train.epochs=12", "train.evaluations=6", "warm_start.sentences=200"]
    settings = {
        "whole": [],
        "turned": ["teacher.dimension=24"],
        "dims": [f"student.dims=[24,12,{FRONT}]"],
    }
    return {
        name: run(load_recipe(str(recipe), [*common, *changes]), folder / name, evaluate=False)
        for name, changes in settings.items()
    }


def vectors(finished):
    """Student vectors of German test sentences and the teacher's vectors of 300 English ones, as stored."""
    from isoglot.teacher.store import Store

    english = [tiny.sentence(number * 7) for number in range(300)]
    german = [tiny.translation("de", text) for text in english]
    return load_encoder(finished.folder.student).encode(german), Store.open(finished.folder.store).vectors(
        english
    )


def faithfulness(queries, documents, columns):
    """Correlation of the cosines of cut vectors with the cosines of the teacher's whole ones."""
    whole = documents @ documents.T
    cut, fronts = normalised(queries[:, columns]), normalised(documents[:, columns])
    return float(np.corrcoef((cut @ fronts.T).ravel(), whole.ravel())[0, 1])


@pytest.mark.slow
def test_the_front_of_a_vector_beats_random_columns_and_the_front_of_a_plain_student(runs):
    front = np.arange(FRONT)
    queries, documents = vectors(runs["dims"])
    random = np.random.default_rng(0)
    drawn = [faithfulness(queries, documents, random.choice(24, FRONT, replace=False)) for _ in range(20)]
    own = faithfulness(queries, documents, front)
    assert own > max(drawn)
    assert own > faithfulness(*vectors(runs["whole"]), front) + 0.1
    assert own > faithfulness(*vectors(runs["turned"]), front)


@pytest.mark.slow
def test_the_rotation_is_part_of_the_space_and_travels_with_the_student(runs):
    spaces = {
        name: json.loads((one.folder.student / "isoglot.json").read_text())["teacher"]["space"]
        for name, one in runs.items()
    }
    assert spaces["whole"]["fingerprint"] != spaces["dims"]["fingerprint"]
    assert spaces["dims"]["axes"] == spaces["turned"]["axes"]
    assert (runs["dims"].folder.student / "teacher_axes.safetensors").is_file()
    assert not (runs["whole"].folder.student / "teacher_axes.safetensors").exists()


@pytest.mark.slow
def test_the_folder_says_where_vectors_can_be_cut_and_sentence_transformers_cuts_them(runs):
    from sentence_transformers import SentenceTransformer

    folder = runs["dims"].folder.student
    widths = json.loads((folder / "isoglot.json").read_text())["truncate_dims"]
    assert widths.keys() == {"24", "12", str(FRONT)}
    assert widths["24"] >= widths[str(FRONT)] > 0
    cut = SentenceTransformer(str(folder), device="cpu", truncate_dim=FRONT).encode([tiny.sentence(0)])
    whole = load_encoder(folder, precision="fp32").encode([tiny.sentence(0)])
    assert np.abs(cut - whole[:, :FRONT]).max() < 1e-5
    assert json.loads((runs["whole"].folder.student / "isoglot.json").read_text())["truncate_dims"] == {}


@pytest.mark.parametrize(
    ("setting", "said"),
    [("student.dims=[6,12]", "must fall"), ("student.dims=[12,0]", "must fall")],
)
def test_widths_that_cannot_be_are_refused(tiny_folder, tmp_path, setting, said):
    from isoglot.errors import RequestError

    recipe = tiny.write_recipe(tmp_path / "r.toml", tiny_folder / "teacher", tiny_folder / "student", "x")
    with pytest.raises(RequestError, match=said):
        load_recipe(str(recipe), [setting])
    with pytest.raises(RequestError, match=r"begins with 12, and teacher.dimension is 6"):
        load_recipe(str(recipe), ["student.dims=[12,6]", "teacher.dimension=6"])
