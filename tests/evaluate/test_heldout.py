import numpy as np

from isoglot.corpus.store import Groups
from isoglot.evaluate.heldout import hold_out, random_pairs
from isoglot.evaluate.score import Signature
from isoglot.evaluate.showcase import examples, sentence_map


def groups(sources=30, languages=("de", "fr", "xx")):
    """Every source in German, every third in French, none in the third language."""
    rows = [(number, 0) for number in range(sources)] + [(number, 1) for number in range(0, sources, 3)]
    rows.sort()
    return Groups(
        sources=[f"Sentence number {number}." for number in range(sources)],
        targets=[f"{languages[code]} {number}" for number, code in rows],
        group=np.array([number for number, _ in rows], np.int32),
        language=np.array([code for _, code in rows], np.int16),
        languages=languages,
    )


def test_every_query_finds_its_original_in_the_pool():
    held_out = hold_out(groups(), ["Another one"], pool=12, queries=100)
    assert held_out.languages == ("de", "fr")
    assert len(held_out.pool) == 12
    for row, query in enumerate(held_out.queries):
        language, number = query.split()
        assert held_out.languages[held_out.language[row]] == language
        assert held_out.pool[held_out.gold[row]] == f"Sentence number {number}."
    assert [len(held_out.rows_of(number)) for number in range(2)] == [12, 4]


def test_a_small_split_is_filled_up_with_others_that_differ():
    distractors = ["sentence NUMBER 3", "One more", "one more!", "And another"]
    held_out = hold_out(groups(10), distractors, pool=12, queries=5)
    assert held_out.pool[10:] == ["One more", "And another"]
    assert max(held_out.gold) < 10
    assert len(held_out.rows_of(0)) == 5


def test_the_choice_is_part_of_the_digest():
    first, again = (hold_out(groups(), [], 12, 5).digest for _ in range(2))
    assert first == again
    assert hold_out(groups(), [], 13, 5).digest != first
    signature = str(Signature("retrieval top-1", "student->teacher, pool 12", first, "m" * 64))
    data, model = f"data:{first[:12]}", "model:mmmmmmmmmmmm"
    assert signature.startswith(f"retrieval top-1|student->teacher, pool 12|{data}|{model}|isoglot:")


def test_pairs_are_of_different_rows():
    pairs = random_pairs(9, 500, seed=0)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert pairs.min() == 0
    assert pairs.max() == 8
    assert random_pairs(1, 500, seed=0).shape == (0, 2)


def test_the_showcase_is_made_of_the_test_set():
    held_out = hold_out(groups(), [], pool=30, queries=100)
    random = np.random.default_rng(0)
    teacher = random.normal(size=(30, 6)).astype(np.float32)
    queries = teacher[held_out.gold] + 0.01 * random.normal(size=(len(held_out.queries), 6)).astype(
        np.float32
    )
    points = sentence_map(queries, teacher, held_out, "en", sentences=5)
    teachers = [point.text for point in points if point.is_teacher]
    assert teachers == [f"Sentence number {number}." for number in (12, 15, 18, 21, 24)]
    for point in points:
        own = next(other for other in points if other.is_teacher and other.group == point.group)
        assert abs(point.x - own.x) + abs(point.y - own.y) < 0.2
    shown = examples(queries, teacher, held_out, 4)
    assert [example.language for example in shown] == ["de", "fr", "de", "fr"]
    assert all(example.hits[0].text == example.english and example.rank == 1 for example in shown)
    assert len({example.query for example in shown}) == 4
    wrong = examples(-queries, teacher, held_out, 4)
    assert all(example.rank > 1 for example in wrong)
