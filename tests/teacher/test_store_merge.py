import numpy as np
import pytest

from isoglot.config import TeacherConfig
from isoglot.errors import DamagedError, RequestError
from isoglot.scale.plan import Part
from isoglot.teacher.embed import embed
from isoglot.teacher.store import Store
from isoglot.teacher.store_merge import merge
from stores import TEXTS, Counting, expected, fill, shards

CONFIG = TeacherConfig(model="counting", chunk_rows=10)


def parts(folder, of=3):
    """Embed every part on its own; give the folders."""
    teachers = [Counting() for _ in range(of)]
    folders = [folder / f"part{number}" for number in range(1, of + 1)]
    for number, (teacher, part) in enumerate(zip(teachers, folders, strict=True), 1):
        embed(TEXTS, teacher, CONFIG, part, part=Part(number, of))
    assert sorted(text for teacher in teachers for text in teacher.seen) == sorted(TEXTS)
    return folders


def test_merged_parts_are_the_store_of_one_machine(tmp_path):
    whole = fill(tmp_path / "whole", TEXTS)
    folders = parts(tmp_path)[::-1]
    merged = merge(folders, tmp_path / "merged")
    assert shards(tmp_path / "merged") == shards(tmp_path / "whole")
    assert merged.entries == whole.entries  # in the same order, so that row numbers are the same
    assert merged.verify() == []
    assert merge(folders, tmp_path / "merged").entries == whole.entries


def test_a_missing_part_is_filled_in_by_the_next_pass(tmp_path):
    merge(parts(tmp_path)[:2], tmp_path / "merged")
    teacher = Counting()
    embed(TEXTS, teacher, CONFIG, tmp_path / "merged")
    assert len(teacher.seen) == 30
    fill(tmp_path / "whole", TEXTS)
    assert shards(tmp_path / "merged") == shards(tmp_path / "whole")


def test_parts_leave_out_what_the_store_that_they_continue_holds(tmp_path):
    whole = tmp_path / "whole"
    embed(TEXTS[:40], Counting(), CONFIG, whole)
    before = shards(whole)
    teachers = [Counting(), Counting()]
    folders = [tmp_path / "part1", tmp_path / "part2"]
    for number, (teacher, folder) in enumerate(zip(teachers, folders, strict=True), 1):
        embed(TEXTS, teacher, CONFIG, folder, part=Part(number, 2), known=whole)
    assert sorted(teachers[0].seen + teachers[1].seen) == sorted(TEXTS[40:])
    merged = merge(folders, whole)
    assert before.items() <= shards(whole).items()
    assert np.abs(merged.vectors(TEXTS) - expected(TEXTS)).max() < 1e-3
    late = Counting()
    embed(TEXTS, late, CONFIG, whole)
    assert late.seen == []


def test_parts_of_a_reduced_space_take_the_axes_of_the_store_that_they_continue(tmp_path):
    config = TeacherConfig(model="counting", chunk_rows=10, dimension=3, pca_sentences=50)
    embed(TEXTS[:60], Counting(), config, tmp_path / "whole")
    embed(TEXTS, Counting(), config, tmp_path / "part", known=tmp_path / "whole")
    merged = merge([tmp_path / "part"], tmp_path / "whole")
    assert merged.rows == len(TEXTS)
    assert merged.verify() == []


def test_a_store_of_another_space_cannot_be_continued(tmp_path):
    fill(tmp_path / "other", TEXTS, precision="int8")
    with pytest.raises(RequestError, match="store_precision is int8 there and fp16 now"):
        embed(TEXTS, Counting(), CONFIG, tmp_path / "part", known=tmp_path / "other")


def test_parts_of_different_spaces_are_refused(tmp_path):
    fill(tmp_path / "one", TEXTS)
    fill(tmp_path / "other", TEXTS, precision="int8")
    with pytest.raises(RequestError, match="store_precision is int8 there and fp16 now"):
        merge([tmp_path / "one", tmp_path / "other"], tmp_path / "merged")
    with pytest.raises(RequestError, match="merged into itself"):
        merge([tmp_path / "one"], tmp_path / "one")
    with pytest.raises(RequestError, match="not a teacher store"):
        merge([tmp_path / "nowhere"], tmp_path / "merged")


def test_a_damaged_shard_is_not_merged(tmp_path):
    fill(tmp_path / "one", TEXTS)
    path = min((tmp_path / "one" / "shards").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    with pytest.raises(DamagedError, match=path.name):
        merge([tmp_path / "one"], tmp_path / "merged")
    assert path.stem not in [entry.chunk for entry in Store.open(tmp_path / "merged").entries.values()]


def test_a_store_that_cannot_be_continued_leaves_nothing_behind(tmp_path):
    """A request that is refused must not put the axes of one store into another."""
    reduced = TeacherConfig(model="counting", chunk_rows=10, dimension=3, pca_sentences=50)
    embed(TEXTS[:60], Counting(), reduced, tmp_path / "reduced")
    whole = embed(TEXTS[:40], Counting(), CONFIG, tmp_path / "whole")
    more, int8 = (
        reduced.model_copy(update=one) for one in ({"pca_sentences": 60}, {"store_precision": "int8"})
    )
    for name, config, known, message in (
        ("whole", CONFIG, "reduced", "reduced holds vectors of another space: its dimensions are reduced"),
        ("whole", reduced, "reduced", "whole holds vectors of another space: its dimensions are whole"),
        ("new", reduced, "whole", "whole holds vectors of another space: its dimensions are whole"),
        ("new", more, "reduced", "pca_sentences is 50 there and 60 now"),
        ("new", int8, "reduced", "store_precision is fp16 there and int8 now"),
        ("new", CONFIG, "nowhere", "nowhere is not a teacher store"),
    ):
        with pytest.raises(RequestError, match=message):
            embed(TEXTS, Counting(), config, tmp_path / name, known=tmp_path / known)
    assert whole.verify() == []
    assert not list((tmp_path / "new").glob("*.*s*"))  # nothing but the lock
    assert embed(TEXTS, Counting(), CONFIG, tmp_path / "whole").rows == len(TEXTS)
