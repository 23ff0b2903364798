"""Spaces side by side, and spaces cut down to their principal axes."""

import json

import numpy as np
import pytest

import tiny
from isoglot.config import TeacherConfig
from isoglot.errors import DamagedError, RequestError
from isoglot.progress import SILENT
from isoglot.scale.plan import Part
from isoglot.teacher.axes import AXES, read_axes, write_axes
from isoglot.teacher.embed import embed
from isoglot.teacher.joined import Joined
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.reduced import principal_axes, reduce, with_axes
from isoglot.teacher.store_merge import merge
from teacher.embedding_server import vector_of

TEXTS = [tiny.sentence(number) for number in range(120)]


def index(path, texts=TEXTS, width=12, seed="", scale=1.0):
    lines = [
        json.dumps({"text": text, "vector": [float(x) for x in scale * vector_of(seed + text, width)]})
        for text in texts
    ]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def two(tmp_path):
    return index(tmp_path / "one.jsonl"), index(tmp_path / "two.jsonl", width=5, seed="other ")


def test_two_spaces_stand_side_by_side(two):
    parts = [open_teacher(TeacherConfig(model=model))[0] for model in two]
    whole, credit = open_teacher(TeacherConfig(model=two))
    found = whole.encode(TEXTS)
    assert isinstance(whole, Joined) and whole.normalise and whole.dimension == 17
    assert credit.label == f"{two[0]} + {two[1]}"
    expected = np.concatenate([part.encode(TEXTS) for part in parts], axis=1) / np.sqrt(2)
    assert np.abs(found - expected).max() < 1e-6


def test_weights_weigh_the_cosines(two):
    parts = [open_teacher(TeacherConfig(model=model))[0].encode(TEXTS) for model in two]
    whole = open_teacher(TeacherConfig(model=two, weights=(2.0, 1.0)))[0].encode(TEXTS)
    cosines = [part @ part.T for part in parts]
    assert np.abs(whole @ whole.T - (4 * cosines[0] + cosines[1]) / 5).max() < 1e-5


def test_one_part_without_unit_length_leaves_the_whole_without(tmp_path, two):
    long = index(tmp_path / "long.jsonl", width=5, scale=3.0)
    whole = open_teacher(TeacherConfig(model=(two[0], long)))[0]
    assert whole.normalise is False
    assert open_teacher(TeacherConfig(model=(two[0], long), normalise=True))[0].normalise is True
    assert np.abs(whole.encode(TEXTS)[:, 12:] - 3 * np.stack([vector_of(t, 5) for t in TEXTS])).max() < 1e-5


def test_a_text_that_one_part_lacks_is_lacking(tmp_path, two):
    fewer = index(tmp_path / "fewer.jsonl", TEXTS[10:])
    whole = open_teacher(TeacherConfig(model=(two[0], fewer)))[0]
    assert whole.missing(TEXTS).tolist() == [True] * 10 + [False] * 110


def test_every_part_and_weight_is_in_the_fingerprint(tmp_path, two):
    def space(**options):
        return open_teacher(TeacherConfig(**options))[0].space()

    other = index(tmp_path / "three.jsonl", width=5, seed="third ")
    spaces = [
        space(model=two), space(model=two[::-1]), space(model=two, weights=(1.0, 2.0)), space(model=(two[0], other)),
        space(model=two, normalise=False), space(model=two[0]),
    ]  # fmt: skip
    assert len({one["fingerprint"] for one in spaces}) == len(spaces)
    assert {"1.weights", "2.weights", "weights of the parts", "dimension"} <= spaces[0].keys()
    assert space(model=list(two)) == spaces[0]


@pytest.mark.parametrize(
    "options", [{"weights": (1.0,)}, {"weights": (1.0, 0.0)}, {"weights": (1.0, -2.0)}, {"prompt": "x"}]
)
def test_wrong_options_of_several_models_are_refused(options):
    with pytest.raises(ValueError, match=r"weights must be 2|belong to one model"):
        TeacherConfig(model=("a", "b"), **options)


def flat(dimension, true, count=400, noise=0.01):
    """Unit vectors that lie almost in `true` dimensions, not around the origin."""
    random = np.random.default_rng(1)
    plane = np.linalg.qr(random.normal(size=(dimension, true)))[0]
    vectors = (random.normal(size=(count, true)) + 0.5) @ plane.T + noise * random.normal(
        size=(count, dimension)
    )
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_axes_keep_the_dot_products():
    vectors = flat(20, 6)
    axes, kept = principal_axes(vectors.T @ vectors, 6)
    seen = vectors @ axes
    assert np.abs(axes.T @ axes - np.eye(6)).max() < 1e-6
    assert kept == pytest.approx((seen**2).sum() / (vectors**2).sum(), abs=1e-6)
    assert kept > 0.99
    assert np.abs(seen @ seen.T - vectors @ vectors.T).max() < 0.01
    # No six axes do better than the singular value decomposition, and these are its.
    best = np.linalg.svd(vectors, compute_uv=False)
    assert np.linalg.norm(seen) == pytest.approx(np.linalg.norm(best[:6]), rel=1e-6)
    assert (axes[np.abs(axes).argmax(axis=0), np.arange(6)] > 0).all()


def test_a_reduced_teacher_is_the_teacher_along_its_axes(tmp_path, two):
    teacher, _ = open_teacher(TeacherConfig(model=two[0]))
    config = TeacherConfig(model=two[0], dimension=7, pca_sentences=50)
    reduced = reduce(teacher, config, TEXTS, tmp_path, SILENT)
    assert reduced.dimension == 7 and reduced.normalise
    found = reduced.encode(TEXTS)
    plain = teacher.encode(TEXTS) @ reduced.axes
    assert np.abs(found - plain / np.linalg.norm(plain, axis=1, keepdims=True)).max() < 1e-6
    assert reduced.space()["fingerprint"] != teacher.space()["fingerprint"]
    assert reduced.space()["dimension"] == 7
    assert reduced.missing(["never", TEXTS[0]]).tolist() == [True, False]


def test_the_fit_depends_on_the_texts_and_not_on_their_order(tmp_path, two):
    teacher, _ = open_teacher(TeacherConfig(model=two[0]))
    config = TeacherConfig(model=two[0], dimension=7, pca_sentences=50)
    for name, texts in (("a", TEXTS), ("b", TEXTS[::-1]), ("c", TEXTS[:60])):
        reduce(teacher, config, texts, tmp_path / name, SILENT)
    first, turned, fewer = ((tmp_path / name / AXES).read_bytes() for name in "abc")
    assert first == turned != fewer
    reduce(teacher, config, TEXTS[:60], tmp_path / "a", SILENT)  # fitted once, then kept
    assert (tmp_path / "a" / AXES).read_bytes() == first


def test_more_axes_than_there_are_are_refused(tmp_path, two):
    teacher, _ = open_teacher(TeacherConfig(model=two[0]))
    for config in (
        TeacherConfig(model=two[0], dimension=13),
        TeacherConfig(model=two[0], dimension=9, pca_sentences=8),
    ):
        with pytest.raises(RequestError, match="axes cannot be fitted"):
            reduce(teacher, config, TEXTS, tmp_path, SILENT)
    assert not (tmp_path / AXES).exists()


def test_broken_or_foreign_axes_are_refused(tmp_path, two):
    one, other = (open_teacher(TeacherConfig(model=model))[0] for model in two)
    config = TeacherConfig(model=two[0], dimension=3)
    reduce(one, config, TEXTS, tmp_path, SILENT)
    with pytest.raises(RequestError, match="fitted on vectors of 12 dimensions, the teacher has 5"):
        with_axes(other, tmp_path / AXES)
    (tmp_path / AXES).write_bytes((tmp_path / AXES).read_bytes()[:-9])
    with pytest.raises(DamagedError, match="holds no axes"):
        with_axes(one, tmp_path / AXES)


def test_a_store_proves_its_axes(tmp_path, two):
    config = TeacherConfig(model=two[0], dimension=3, chunk_rows=32)
    teacher, _ = open_teacher(config)
    store = embed(TEXTS, teacher, config, tmp_path / "store")
    path = tmp_path / "store" / AXES
    assert store.verify() == []
    whole, (axes, asked) = path.read_bytes(), read_axes(path)
    for problem, change in {
        "does not hold the axes": lambda: write_axes(path, -axes, asked),
        "does not hold": lambda: write_axes(path, axes, asked + 1),
        "holds no axes": lambda: path.write_bytes(whole[:-1]),
        "is missing": path.unlink,
    }.items():
        change()
        [said] = store.verify()
        assert f"{path} {problem}" in said
    path.write_bytes(whole)
    assert store.verify() == []


def test_parts_of_a_reduced_pass_are_merged_with_their_axes(tmp_path, two):
    config = TeacherConfig(model=two[0], dimension=3, chunk_rows=10)
    teacher, _ = open_teacher(config)
    for number in (1, 2):
        embed(TEXTS, teacher, config, tmp_path / f"part{number}", part=Part(number, 2))
    merged = merge([tmp_path / "part1", tmp_path / "part2"], tmp_path / "merged")
    whole = embed(TEXTS, teacher, config, tmp_path / "whole")
    assert merged.verify() == []
    assert (tmp_path / "merged" / AXES).read_bytes() == (tmp_path / "whole" / AXES).read_bytes()
    assert np.array_equal(merged.vectors(TEXTS), whole.vectors(TEXTS))


def test_a_store_of_two_reduced_spaces(tmp_path, two):
    config = TeacherConfig(model=two, dimension=6, chunk_rows=32, weights=(1.0, 0.5))
    teacher, _ = open_teacher(config)
    store = embed(TEXTS, teacher, config, tmp_path / "store")
    expected = with_axes(teacher, tmp_path / "store" / AXES).encode(TEXTS)
    assert store.dimension == 6
    assert np.abs(store.vectors(TEXTS) - expected).max() < 1e-3
    assert {"axes", "pca_sentences", "1.weights", "2.weights"} <= store.space.keys()
