from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from tests.corpus.overview_sample import REASONS, ROWS, hostile, sample
from tests.evaluate.report_reader import Element, read
from tests.page.payloads import PAYLOADS

from isoglot.corpus.overview import Mixing, Overview, Part
from isoglot.corpus.page import page
from isoglot.page import text


@pytest.fixture(scope="module")
def document() -> Element:
    return read(page.render(sample()))


def cells(row: Element) -> list[str]:
    return [cell.text for cell in row.all("td")]


def test_the_headline_and_facts(document):
    rows = 2 * sum(ROWS.values())
    assert document.one("p", "number").text == "80.0%"
    assert f"of {rows:,} rows were kept: {rows * 4 // 5:,} pairs" in document.one("p", "meaning").text
    assert "dropped for duplicate" in document.one("p", "weakest").text
    facts = {row.one("dt").text: row.one("dd").text for row in document.one("dl", "facts").all("div")}
    assert facts == {
        "Languages": "5", "Corpora": "10", "Sources": "10,000 distinct sentences",
        "Train": "9,000 90.0%", "Dev": "500 5.0%", "Test": "500 5.0%",
    }  # fmt: skip


def test_rows_that_the_identifier_could_not_judge_are_a_fact():
    seen = sample()
    languages = tuple(replace(language, unchecked=500) for language in seen.languages)
    facts = read(page.render(replace(seen, languages=languages))).one("dl", "facts").all("div")
    assert facts[-1].one("dd").text.startswith("2,500 rows")


def test_reasons_are_bars_as_long_as_their_rows(document):
    bars = document.named("dropped").all("ul", "counts")[0].all("li")
    counted = dict(sample().total.reasons)
    assert {bar.one("span", "count-name").text: bar.one("span", "count-value").text for bar in bars} == {
        reason: f"{rows:,}" for reason, rows in counted.items()
    }
    widths = [float(bar.one("rect", "bar").attributes["width"].rstrip("%")) for bar in bars]
    assert widths == pytest.approx(
        [100 * rows / max(counted.values()) for rows in counted.values()], abs=0.006
    )


def test_every_language_has_its_row_its_share_and_its_lengths(document):
    rows = document.named("languages").one("tbody").all("tr")
    assert [row.one("th").text.split()[-1] for row in rows] == list(ROWS)
    first = sample().languages[0]
    assert cells(rows[0])[:5] == ["14,400", "55.11%", "12,960", "720", "720"]
    assert cells(rows[0])[6:] == ["18,000", "3,600", "duplicate 10.0%"]
    assert float(rows[0].all("td")[1].attributes["data-value"]) == pytest.approx(first.share)
    heights = [float(bar.attributes["height"].rstrip("%")) for bar in rows[0].one("td", "spark").all("rect")]
    assert heights == [25, 50, 100, 100, 50, 50, 25]
    assert rows[0].one("td", "spark").attributes["data-value"] == "3"  # the median translation


def test_classes_of_length_are_shares_of_their_side(document):
    drawn = document.named("lengths").all("div", "class")
    assert [row.one("span", "class-name").text for row in drawn] == [
        "0–9", "10–19", "20–29", "30–39", "40–59", "60–79", "80 and more",
    ]  # fmt: skip
    assert drawn[3].one("svg").attributes["aria-label"] == "sources 40.0%, translations 25.0%"
    assert drawn[3].one("rect", "source").attributes["width"] == "100.0%"
    assert drawn[3].one("rect", "target").attributes["width"] == "62.5%"


def test_corpora_and_languages_are_listed_most_dropped_first(document):
    rows = document.named("parts").one("tbody").all("tr")
    assert len(rows) == 10
    assert rows[0].one("th").text == "films/eng-de"
    assert cells(rows[0]) == ["German", "9,000", "7,200", "1,800", "20.0%", "duplicate 10.0%"]


def test_examples_of_every_reason_take_turns_between_languages(document):
    groups = document.named("examples").all("details")
    assert [group.one("summary").text.split("  ")[0].split(" 1")[0] for group in groups]
    assert len(groups) == len(REASONS)
    texts = [item.all("p", "text")[0].text for item in groups[0].all("li")]
    assert texts[:6] == [f"Source 0 of {tag}" for tag in sorted(ROWS)] + ["Source 1 of ar"]
    arabic = groups[0].all("p", "translation")[0]
    assert arabic.attributes["lang"] == "ar"
    assert arabic.attributes["dir"] == "auto"
    assert "15 of them here" in groups[0].one("summary").text


def test_no_more_examples_than_a_page_bears():
    seen = sample()
    many = replace(seen, examples=tuple(row for row in seen.examples for _ in range(50)))
    groups = read(page.render(many)).named("examples").all("details")
    assert [len(group.all("li")) for group in groups] == [page.MOST_EXAMPLES] * 3


def test_an_empty_corpus_still_makes_a_page():
    nothing = Part("", "", 0, 0, {})
    empty = Overview("none", nothing, {"train": 0}, (), (), (), (0, 10), (0, 0), Mixing(0.5, 3), "")
    document = read(page.render(empty))
    assert document.one("p", "number").text == "–"
    assert {note.text for note in document.all("p", "empty")} == {
        "Nothing was dropped.", "No language has any row.", "This corpus was made from nothing.",
    }  # fmt: skip


# hostile texts


def structure(document: Element) -> list[tuple[str, list[str]]]:
    return [(element.tag, sorted(element.attributes)) for element in document.walk()]


@pytest.fixture(scope="module")
def harmless():
    return structure(read(page.render(hostile("plain words"))))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_texts_change_no_element_and_no_attribute(payload, harmless):
    html = page.render(hostile(payload))
    document = read(html)
    assert structure(document) == harmless
    assert document.one("h1").text == " ".join(text.clean(payload).split())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", html)
    html.encode()


def test_the_page_allows_its_own_script_and_loads_nothing(document):
    metas = [element.attributes for element in document.all("meta")]
    policy = next(meta["content"] for meta in metas if "http-equiv" in meta)
    script = "".join(document.one("script").content)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    for element in document.walk():
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            assert name not in {"src", "action", "data", "srcset"}
            if name == "href":
                assert value.startswith("#") or value == "data:,"
    assert not re.search(r"url\(|@import|https?:", "".join(document.one("style").content))
