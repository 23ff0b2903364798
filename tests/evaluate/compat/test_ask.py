"""Queries put to an index: identical texts never crowd out ten hits, and an English query is searched once."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from isoglot.evaluate.compat import ask as room
from isoglot.evaluate.compat.answers import unlabelled, without_identical
from isoglot.evaluate.compat.ask import Embedded, ask
from isoglot.evaluate.compat.queries import Query
from isoglot.evaluate.indexes.index import IndexFacts
from isoglot.evaluate.indexes.table import Table
from isoglot.progress import SILENT

WIDTH = 8


class Counting(Table):
    """An index that notes how many queries each search had, and how far it went."""

    def __init__(self, *parts) -> None:
        super().__init__(*parts)
        self.searches: list[tuple[int, int]] = []

    def search(self, queries, k):
        self.searches.append((len(queries), k))
        return super().search(queries, k)


def rows(count: int, seed: int = 0):
    return np.random.default_rng(seed).standard_normal((count, WIDTH), np.float32)


def index_of(texts, vectors) -> Counting:
    facts = IndexFacts("memory", "table", len(texts), WIDTH, "cosine")
    return Counting(facts, [str(number) for number in range(len(texts))], list(texts), vectors)


def run(index, queries, vectors):
    with SILENT.task("queries", len(queries), "queries") as task:
        return list(ask(index, queries, vectors, task))


@pytest.mark.parametrize("copies", [5, 15, 60, 300])
def test_ten_hits_are_left_however_often_the_query_stands_in_the_index(copies):
    wanted = rows(1)[0]
    near = wanted + 0.01 * rows(12, 1)
    vectors = np.concatenate([np.tile(wanted, (copies, 1)), near, rows(40, 2)])
    index = index_of(["pay a bill"] * copies + [f"t{number}" for number in range(52)], vectors)
    query = Query("1", "de", "Rechnung zahlen", "Pay a bill!")
    found = run(index, [query], Embedded({query.english: wanted}, {query.text: wanted}))[0]
    kept = without_identical(found.expected, query)
    assert len(kept.ids) == 10
    assert set(kept.texts) <= {f"t{number}" for number in range(12)}
    answer = unlabelled(found, "cosine")
    assert answer is not None
    assert answer.overlap == 1.0


def test_a_search_is_not_widened_without_need_nor_beyond_the_index():
    query = Query("1", "de", "Tür", "door")
    vectors = Embedded({"door": rows(1)[0]}, {"Tür": rows(1, 5)[0]})
    plenty = index_of([f"t{number}" for number in range(100)], rows(100, 3))
    run(plenty, [query], vectors)
    assert plenty.searches == [(1, 20), (1, 20)]
    few = index_of(["door"] * 6, rows(6, 3))
    assert unlabelled(run(few, [query], vectors)[0], "cosine") is None
    assert few.searches == [(1, 20), (1, 20)]


def test_an_english_query_is_searched_once_for_all_its_parallels(monkeypatch):
    monkeypatch.setattr(room, "_BATCH", 4)
    queries = [
        Query(f"{number}", tag, f"{tag}{number}", f"en{number}") for tag in "abc" for number in range(6)
    ]
    texts, english = [query.text for query in queries], [f"en{number}" for number in range(6)]
    vectors = Embedded(
        dict(zip(english, rows(6, 1), strict=True)), dict(zip(texts, rows(18, 2), strict=True))
    )
    index = index_of([f"t{number}" for number in range(50)], rows(50))
    answers = run(index, queries, vectors)
    assert sorted((one.query.language, one.query.id) for one in answers) == sorted(
        (query.language, query.id) for query in queries
    )
    assert sum(count for count, _ in index.searches) == 6 + 18
    assert max(count for count, _ in index.searches) <= 4
    for one in answers:
        np.testing.assert_array_equal(one.teacher, vectors.teacher[one.query.english])
        alone = Table.search(index, one.student[None, :], 20)[0]
        assert one.found.ids == alone.ids


def test_progress_counts_queries():
    counted = []

    class Task:
        def advance(self, amount: float = 1.0) -> None:
            counted.append(amount)

        def note(self, text: str) -> None:
            raise AssertionError(text)

    queries = [Query(f"{number}", "de", f"x{number}", "same") for number in range(5)]
    vectors = Embedded({"same": rows(1)[0]}, {query.text: rows(1, 1)[0] for query in queries})
    with nullcontext(Task()) as task:
        assert len(list(ask(index_of(["a", "b"], rows(2)), queries, vectors, task))) == 5
    assert sum(counted) == 5
