from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.report_reader import Element, percents, read
from tests.evaluate.report_sample import NAMES, TRAINED, run_report, sentence

from isoglot.evaluate.report import charts, data, page


@pytest.fixture(scope="module")
def report() -> data.Report:
    return run_report()


@pytest.fixture(scope="module")
def document(report) -> Element:
    return read(page.render(report))


# numbers


def test_headline_is_the_mean_before_and_after(document):
    after = 100 * statistics.fmean(TRAINED.values())
    before = (11 * 0.1 + 0.3) / 12
    assert percents(document.one("p", "number").text) == [round(before, 1), round(after, 1)]
    assert "among 1,000 texts" in document.one("p", "meaning").text
    assert "mean of 12 languages" in document.one("p", "meaning").text


def test_weakest_language_is_named_with_its_number(document):
    assert (
        document.one("p", "weakest").text
        == "▼ Weakest language: Swahili, 63.9% (before: 0.1%). Best: German, 94.2%."
    )


def test_facts(document, report):
    facts = {
        row.one("dt").text: row.one("dd").text for row in document.one("section", "hero").one("dl").all("div")
    }
    assert facts["Teacher"] == report.teacher
    assert facts["Student"] == report.model
    assert facts["Languages"] == ", ".join(NAMES.values())
    assert facts["Trained for"] == "14.6 min"
    assert facts["Saved"] == "the trained student"
    assert facts["Why"] == report.distillation.why


def test_bars_are_sorted_and_as_long_as_their_values(document, report):
    rows = document.all("div", "bar-row")[:-1]
    expected = sorted(report.distillation.rows, key=lambda row: -TRAINED[row.language])
    assert [row.one("div", "bar-name").text for row in rows] == [row.name for row in expected]
    for drawn, row in zip(rows, expected, strict=True):
        bars, values = drawn.all("rect"), drawn.all("text")
        assert [bar.attributes["class"] for bar in bars] == ["bar before", "bar warm-start", "bar trained"]
        for bar, value, stage in zip(bars, values, data.STAGES, strict=True):
            share = row.stages[stage].to_teacher
            assert float(bar.attributes["width"].rstrip("%")) == pytest.approx(100 * share, abs=0.006)
            assert value.text == f"{100 * share:.1f}%"


def test_table_holds_every_score(document, report):
    table = document.named("scores").one("table")
    rows = {row.one("th").all("bdi")[0].text: row.all("td") for row in table.one("tbody").all("tr")}
    assert list(rows) == [row.name for row in data.ranked(report.distillation)]
    for row in report.distillation.rows:
        cells = rows[row.name]
        assert cells[0].text == str(row.queries)
        scores = [row.stages[stage] for stage in data.STAGES]
        expected = [
            *(f"{100 * score.to_teacher:.1f}%" for score in scores),
            *(f"{100 * score.to_student:.1f}%" for score in scores),
            *(f"{score.r2:.3f}".replace("-", "−") for score in scores),
            *(f"{1000 * score.mse:.2f}" for score in scores),
        ]
        assert [cell.text for cell in cells[1:]] == expected
        raw = [getattr(score, key) for key in ("to_teacher", "to_student", "r2", "mse") for score in scores]
        assert [float(cell.attributes["data-value"]) for cell in cells[1:]] == raw
    assert [row.one("th").text.split()[0] for row in table.one("tfoot").all("tr")] == ["Mean", "English"]


def test_table_says_how_it_is_sorted(document):
    headers = [cell for cell in document.named("scores").all("th") if "aria-sort" in cell.attributes]
    assert [(cell.text, cell.attributes["aria-sort"]) for cell in headers] == [("Trained", "descending")]


def test_curve_points_lie_where_the_axis_says(document, report):
    panels = document.all("figure", "panel")
    assert [panel.one("figcaption").text for panel in panels] == ["Retrieval, top-1", "Spearman", "R²"]
    for panel, key in zip(panels, ("retrieval", "spearman", "r2"), strict=True):
        read_off = axis(panel)
        dots = panel.all("circle", "dot")
        for dot, point in zip(dots, report.distillation.curve, strict=True):
            assert read_off(dot) == pytest.approx(getattr(point, key), abs=2e-5)
            assert float(dot.attributes["cx"].rstrip("%")) == pytest.approx(
                100 * point.minutes / 14.6, abs=0.006
            )
        ring = panel.one("circle", "shipped")
        assert ring.attributes["cx"] == dots[9].attributes["cx"]
        start = panel.one("line", "start")
        assert start.attributes["y1"] == start.attributes["y2"] == dots[0].attributes["cy"]


def axis(panel: Element):
    """Turn the labels of the vertical axis into a function from a dot to its value."""
    labels = [tick for tick in panel.all("text", "tick") if tick.attributes.get("text-anchor") == "end"]
    unit = 100 if labels[0].text.endswith("%") else 1
    values = [float(label.text.rstrip("%")) / unit for label in labels]
    places = [float(label.attributes["y"].rstrip("%")) for label in labels]
    slope = (values[-1] - values[0]) / (places[-1] - places[0])
    return lambda dot: values[0] + slope * (float(dot.attributes["cy"].rstrip("%")) - places[0])


def test_curve_numbers_are_listed(document, report):
    rows = document.named("curve").one("tbody").all("tr")
    assert [row.all("td")[2].text for row in rows] == [
        f"{100 * point.retrieval:.1f}%" for point in report.distillation.curve
    ]
    assert rows[0].all("td")[1].text == "–"
    assert [row.one("th").text for row in rows if "saved" in row.attributes.get("class", "")] == [
        "1,800 saved"
    ]


def test_map_keeps_the_shape_of_the_data(document, report):
    drawn = document.one("svg", "map")
    assert len(drawn.all("circle")) == 40 * 12
    assert len(drawn.all("path")) == 40
    circles = [place for cluster in charts.clusters(report.map) for place in cluster.translations]
    first, second, third = circles[0], circles[100], circles[300]

    def shown(a, b):
        return math.hypot((a.x - b.x) * charts.MAP_ASPECT, a.y - b.y)

    def true(a, b):
        return math.hypot(a.point.x - b.point.x, a.point.y - b.point.y)

    assert shown(first, second) / true(first, second) == pytest.approx(
        shown(first, third) / true(first, third), rel=0.01
    )
    assert all(4 - 0.01 <= place.y <= 96.01 and 4 - 0.01 <= place.x <= 96.01 for place in circles)


def test_map_lines_join_translations_to_their_teacher_point(document):
    for cluster in document.one("svg", "map").all("g"):
        diamond = cluster.one("svg").attributes
        assert {(line.attributes["x1"], line.attributes["y1"]) for line in cluster.all("line")} == {
            (diamond["x"], diamond["y"])
        }
        ends = [(line.attributes["x2"], line.attributes["y2"]) for line in cluster.all("line")]
        assert ends == [(dot.attributes["cx"], dot.attributes["cy"]) for dot in cluster.all("circle")]


def test_map_sentences_are_readable_without_the_map(document):
    listed = document.named("sentence-7")
    assert listed.one("p", "original").text == sentence("en", 7)
    texts = {item.one("span", "code").text: item.one("span", "text") for item in listed.all("li")[1:]}
    assert {name: item.text for name, item in texts.items()} == {
        name: sentence(tag, 7) for tag, name in NAMES.items()
    }
    assert texts["Arabic"].attributes == {"class": "text", "lang": "ar", "dir": "auto"}


def test_examples_say_what_was_found_and_what_was_missed(document, report):
    cards = document.all("article")
    verdicts = {card.one("span", "code").text: card.one("span", "verdict").text for card in cards}
    assert verdicts.pop("Swahili") == "✗ missed: in place 7"
    assert verdicts.pop("Korean") == "✗ in place 2"
    assert set(verdicts.values()) == {"✓ found first"}
    for card, example in zip(cards, report.examples, strict=True):
        assert card.one("h3").text == example.query
        assert [item.text for item in card.all("span", "text")] == [hit.text for hit in example.hits]
        assert [item.text for item in card.all("span", "cosine")] == [
            f"{hit.cosine:.3f}" for hit in example.hits
        ]
        marked = [item.one("span", "text").text for item in card.all("li", "right")]
        assert marked == [hit.text for hit in example.hits if hit.text == example.english]
    assert cards[-1].one("p", "answer").text == f"Right answer: {report.examples[-1].english}"


def test_corpus_counts(document, report):
    dropped, kept = [block.all("li") for block in document.named("corpus").all("ul", "counts")]
    counted = {item.one("span", "count-name").text: item.one("span", "count-value").text for item in dropped}
    assert counted == {reason: f"{number:,}" for reason, number in report.corpus.dropped.items()}
    widths = [float(item.one("rect", "bar").attributes["width"].rstrip("%")) for item in dropped]
    assert widths == pytest.approx(
        [100 * number / 21_480 for number in report.corpus.dropped.values()], abs=0.006
    )
    assert [item.one("span", "count-name").text for item in kept] == list(NAMES.values())
    assert "165,990 were kept (75.9%)" in document.named("corpus").one("p", "lead").text


def test_provenance_signatures_and_notices(document, report):
    shown = {
        row.one("dt").text: row.one("dd").text for row in document.named("provenance").one("dl").all("div")
    }
    assert shown == dict(report.provenance)
    written = "".join(document.named("signature-text").content)
    assert written.splitlines() == list(report.signatures)
    assert [item.text for item in document.one("footer").all("li")] == list(report.notices)


# the records


def test_the_report_becomes_json(report):
    again = json.loads(json.dumps(asdict(report)))
    assert (
        again["distillation"]["rows"][0]["stages"]["trained"]["to_teacher"]
        == report.distillation.rows[0].stages["trained"].to_teacher
    )


def test_means_skip_what_was_not_measured(report):
    rows = (
        replace(report.distillation.rows[0], stages={"trained": data.StageScores(0.001, 0.6, 0.9, 0.8)}),
        replace(report.distillation.rows[1], stages={"trained": data.StageScores(None, None, 0.7, None)}),
        replace(report.distillation.rows[2], stages={}),
    )
    partial = replace(report.distillation, rows=rows)
    assert data.mean_scores(partial, "trained") == data.StageScores(0.001, 0.6, pytest.approx(0.8), 0.8)
    assert data.mean_scores(partial, "before") == data.StageScores(None, None, None, None)
    assert data.worst(partial) == rows[0]
    assert [row.language for row in data.ranked(partial)] == ["de", "fr", "es"]


def test_written_file_is_the_rendered_page(report, tmp_path):
    page.write(report, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page.render(report)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@given(st.floats(-1, 1), st.floats(0, 1))
def test_ticks_hold_the_range_between_them_and_stay_few(low, span):
    places = charts.ticks(low, low + span)
    assert places[0] <= low + 1e-9
    assert places[-1] >= low + span - 1e-9
    assert 2 <= len(places) <= 8
    assert list(places) == sorted(set(places))
