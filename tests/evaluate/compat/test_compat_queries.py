"""Queries and relevance as users have them in files."""

from __future__ import annotations

import pytest

from isoglot.errors import DamagedError, RequestError
from isoglot.evaluate.compat.queries import Query, read_queries, read_relevance


@pytest.fixture
def write(tmp_path):
    def make(text: str, name: str = "q.tsv"):
        (tmp_path / name).write_bytes(text.encode())
        return tmp_path / name

    return make


def test_two_columns_without_a_header_need_a_language(write):
    path = write("Rechnung bezahlen\tpay a bill\nPasswort\tpassword\n")
    expected = [Query("1", "de", "Rechnung bezahlen", "pay a bill"), Query("2", "de", "Passwort", "password")]
    assert read_queries(path, "deu") == expected
    with pytest.raises(RequestError, match=r"q\.tsv does not say the language.*--language"):
        read_queries(path, None)


def test_a_header_names_columns_in_any_order(write):
    path = write("english\tid\tlanguage\tquery\r\npay\tq7\tde\tzahlen\r\npay\tq7\tfr\tpayer\r\n")
    assert read_queries(path, None) == [Query("q7", "de", "zahlen", "pay"), Query("q7", "fr", "payer", "pay")]


def test_a_header_without_a_language_column_takes_the_option(write):
    assert read_queries(write("query\tenglish\nzahlen\tpay\n"), "de") == [Query("1", "de", "zahlen", "pay")]


def test_one_column_per_language_skips_empty_cells(write):
    path = write("id\tde\teng\tpt_BR\nq1\tzahlen\tpay\tpagar\nq2\t\topen\tabrir\nq3\tzu\t\tfechar\n")
    found = [(query.id, query.language, query.text, query.english) for query in read_queries(path, None)]
    expected = [
        ("q1", "de", "zahlen", "pay"),
        ("q1", "pt-BR", "pagar", "pay"),
        ("q2", "pt-BR", "abrir", "open"),
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\nc\n", r"line 2: 1 columns instead of 2"),
        ("de\ten\nx\ty\nx\ty\tz\n", r"line 3: 3 columns instead of 2"),
    ],
)
def test_a_row_of_another_width_is_named(write, text, message):
    with pytest.raises(DamagedError, match=message):
        read_queries(write(text), "de")


@pytest.mark.parametrize("text", ["", "\n\n", "de\ten\n"])
def test_a_file_without_queries_is_refused(write, text):
    with pytest.raises(RequestError, match="holds no queries"):
        read_queries(write(text), "de")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(RequestError, match="There is no file"):
        read_queries(tmp_path / "none.tsv", "de")
    with pytest.raises(RequestError, match="There is no file"):
        read_relevance(tmp_path / "none.tsv")


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\n1\td 1\t2\n1\td2\t1\n2\td9\t0\n",
        "1\t0\td 1\t2\n1\t0\td2\t1.0\n2\t0\td9\t-1\n",
    ],
)
def test_relevance_is_read_as_beir_and_trec_write_it(write, text):
    assert read_relevance(write(text)) == {"1": {"d 1": 2.0, "d2": 1.0}}


def test_relevance_may_have_spaces_for_tabs(write):
    assert read_relevance(write("q1 0 doc1 3\n")) == {"q1": {"doc1": 3.0}}


@pytest.mark.parametrize("row", ["1\td2", "1\td2\tmuch", "1\td2\tnan"])
def test_a_row_without_a_grade_is_named(write, row):
    with pytest.raises(DamagedError, match="line 2: not a query, a document and a grade"):
        read_relevance(write(f"1\td1\t1\n{row}\n"))


def test_relevance_without_relevant_documents_is_refused(write):
    with pytest.raises(RequestError, match="names no relevant document"):
        read_relevance(write("1\td1\t0\n"))
