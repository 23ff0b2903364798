import pytest

from isoglot.errors import RequestError
from isoglot.scale.plan import WHOLE, Part, cut, parse_part, run_in_process

KEYS = [bytes([number] * 4) for number in range(7)]


def test_cut_names_chunks_by_content():
    plan = cut(KEYS, 3)
    assert [(chunk.start, chunk.stop, chunk.rows) for chunk in plan] == [(0, 3, 3), (3, 6, 3), (6, 7, 1)]
    assert plan[0].id == cut(KEYS[:3], 3)[0].id
    assert len({chunk.id for chunk in plan}) == 3


@pytest.mark.parametrize("of", [1, 2, 3, 9])
def test_parts_are_a_partition_of_the_plan(of):
    plan = cut(KEYS, 1)
    parts = [Part(number, of).chunks(plan) for number in range(1, of + 1)]
    assert sorted((chunk for part in parts for chunk in part), key=plan.index) == plan
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_part_is_read_from_its_option():
    assert parse_part("2/8") == Part(2, 8)
    assert parse_part("1/1") == WHOLE


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "a/b", "1/2/3", " 1/2", "-1/2"])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(RequestError, match="no part of a whole"):
        parse_part(text)


def test_one_process_does_chunks_only_when_they_are_asked_for():
    done = []
    results = run_in_process(cut(KEYS, 3), lambda chunk: done.append(chunk.start))
    assert done == []
    assert next(results)[0].start == 0
    assert done == [0]
