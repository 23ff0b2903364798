"""The page of an evaluation, of an index and of two models: what is in it, read back from the HTML."""

from __future__ import annotations

import json
import re
import statistics
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.evaluate.report_evaluation import (
    comparison_report,
    compat,
    compat_report,
    evaluation_report,
    full_report,
    result,
    wide_report,
)
from tests.evaluate.report_reader import Element, read
from tests.evaluate.report_sample import NAMES, run_report

from isoglot.evaluate.compat.result import (
    Agreement,
    Calibration,
    CompatResult,
    LanguageCompat,
    Point,
    Proof,
    Ranking,
    Rates,
)
from isoglot.evaluate.indexes.index import IndexFacts
from isoglot.evaluate.report import convert, data, grid, measured, page, plots
from isoglot.page import text


@pytest.fixture(scope="module")
def report() -> data.Report:
    return evaluation_report()


@pytest.fixture(scope="module")
def document(report) -> Element:
    return read(page.render(report))


# a page for everybody


@pytest.mark.parametrize(
    "make", [evaluation_report, full_report, compat_report, comparison_report, wide_report]
)
def test_landmarks_headings_links_and_names(make):
    document = read(page.render(make()))
    levels = [int(element.tag[1]) for element in document.walk() if re.fullmatch("h[1-6]", element.tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    identifiers = [element.attributes["id"] for element in document.walk() if "id" in element.attributes]
    assert len(identifiers) == len(set(identifiers))
    assert all(link.attributes["href"].removeprefix("#") in identifiers for link in document.all("a"))
    for element in document.walk():
        if element.attributes.get("role") in {"img", "region", "group"}:
            named = element.attributes.get("aria-labelledby")
            assert element.attributes.get("aria-label") or document.named(named).text
    assert all("scope" in head.attributes for head in document.all("th"))


# headline


def test_headline_is_the_mean_of_the_search_and_names_the_worst(document, report):
    values = {one.languages[0]: one.value for one in report.results if one.metric == "top-1 x->en"}
    assert document.one("p", "number").text == text.percent(statistics.fmean(values.values()))
    assert "on tatoeba-v1: the mean of 12 languages." in document.one("p", "meaning").text
    assert f"Weakest language: Swahili, {text.points(values['sw'])}%." in document.one("p", "weakest").text


def test_headline_without_a_search_names_the_metric(report):
    similar = replace(report, results=tuple(one for one in report.results if one.task == "sts"))
    assert (
        "Spearman × 100 on sts17 (semantic similarity)" in read(page.render(similar)).one("p", "meaning").text
    )


def test_one_language_has_no_weakest(report):
    alone = replace(report, results=(result("search", "tatoeba-v1", ("de", "en"), "top-1 x->en", 0.9),))
    document = read(page.render(alone))
    assert "in German." in document.one("p", "meaning").text
    assert document.all("p", "weakest") == []


def test_skipped_tasks_are_named_with_their_reason(document):
    assert "no labelled sentences were named with --data" in document.named("results").text
    assert "clustering" in document.one("section", "hero").text


def test_an_evaluation_shows_nothing_of_a_run(document):
    assert [part.attributes.get("id", "hero") for part in document.one("main").all("section")] == [
        "hero", "results", "space", "failures", "provenance",
    ]  # fmt: skip


# heat map


def heat(document: Element) -> Element:
    return document.named("results").one("table", "heat")


def test_every_main_score_has_its_cell(document, report):
    table = heat(document)
    heads = [cell.text for cell in table.one("thead").all("th")]
    assert heads == [
        "Language", "tatoeba-v1 top-1 x->en", "sts17 Spearman across languages", "sts17 Spearman within a language",
        "stsb-dev Spearman", "bucc-like margin F1", "tatoeba-v1 translation before own language",
    ]  # fmt: skip
    shown = [
        cell.attributes["data-value"]
        for cell in table.one("tbody").all("td")
        if "data-value" in cell.attributes
    ]
    expected = [one.value for one in report.results if one.main and len(set(one.languages)) <= 2]
    assert sorted(map(float, shown)) == sorted(expected)
    german = next(row for row in table.one("tbody").all("tr") if row.one("th").all("bdi")[0].text == "German")
    values = {
        (one.test_set, one.metric): one.value
        for one in report.results
        if "de" in one.languages[:1] and one.main
    }
    assert german.all("td")[4].text == text.points(values["bucc-like", "margin F1"])


def test_shades_follow_the_legend(document):
    bounds = (-1.0, *grid.SHADES, 2.0)
    cells = [cell for cell in heat(document).one("tbody").all("td") if "data-value" in cell.attributes]
    for cell in cells:
        shade = int(cell.attributes["class"].split()[0].removeprefix("h"))
        assert bounds[shade] <= float(cell.attributes["data-value"]) < bounds[shade + 1]
    assert len({cell.attributes["class"].split()[0] for cell in cells}) >= 5
    assert len(document.named("results").one("ul", "shades").all("li")) == len(grid.SHADES) + 1


def test_the_lowest_of_a_column_is_marked_unless_all_are_equal(document):
    rows = heat(document).one("tbody").all("tr")
    for column in (0, 1, 2, 3, 4, 5):
        cells = [row.all("td")[column] for row in rows]
        values = [float(cell.attributes["data-value"]) for cell in cells if "data-value" in cell.attributes]
        marked = [cell for cell in cells if "lowest" in cell.attributes["class"]]
        assert [float(cell.attributes["data-value"]) for cell in marked] == (
            [min(values)] if min(values) < max(values) else []
        )
        assert all(cell.text.endswith("lowest") for cell in marked)


def test_contaminated_scores_have_a_dagger_and_an_explanation(document, report):
    assert heat(document).text.count("†") == 2
    clean = replace(report, results=tuple(replace(one, contaminated=False) for one in report.results))
    assert "†" not in page.render(clean).split("</style>")[1]


def test_both_directions_of_one_metric_become_two_columns(report):
    both = (
        result("sts", "stsb-dev", ("de", "en"), "Spearman, cross-lingual", 0.8),
        result("sts", "stsb-dev", ("en", "de"), "Spearman, cross-lingual", 0.7),
        result("sts", "stsb-dev", ("fr", "en"), "Spearman, cross-lingual", 0.6),
    )
    found = grid.grid(replace(report, results=both))
    assert [column.kind for column in found.columns] == ["from", "to"]
    assert [[cell and cell.result.value for cell in row.cells] for row in found.rows] == [
        [0.7, 0.8],
        [None, 0.6],
    ]
    assert "x → English" in page.render(replace(report, results=both))


def test_scores_of_many_languages_stand_apart(document):
    table = document.named("pooled-title")
    assert table.text == "Several languages together"
    rows = [row for row in document.named("results").all("tr") if "joint minus per-pair" in row.text]
    assert "Arabic, German, English and 4 more" in rows[0].text
    assert "−4.3" in rows[0].text


def test_a_difference_of_scores_has_no_shade(report):
    bias = result("bias", "sts17", ("es", "en"), "joint minus per-pair Spearman", -0.01)
    found = replace(report, results=(bias,))
    assert grid.grid(found).columns == ()
    assert grid.pooled(found.results) == (bias,)


def test_intervals_are_drawn_where_they_are(document, report):
    items = document.named("results").all("ul", "minis")[0].all("li")
    search = {one.languages[0]: one for one in report.results if one.metric == "top-1 x->en"}
    tags = {name: tag for tag, name in NAMES.items()}
    assert len(items) == 12
    for item in items:
        one = search[tags[item.one("span", "item-name").one("bdi").text]]
        line = item.one("line", "whisker").attributes
        drawn = (float(line["x1"].rstrip("%")), float(line["x2"].rstrip("%")))
        assert drawn == pytest.approx((100 * one.interval[0], 100 * one.interval[1]), abs=0.006)
        assert item.one("rect", "bar").attributes["width"] == f"{round(100 * one.value, 2)}%"


def test_every_score_is_listed_with_its_size(document, report):
    rows = document.one("details", "every").one("tbody").all("tr")
    assert len(rows) == len(report.results)
    assert [row.all("td")[-1].attributes["data-value"] for row in rows] == [
        str(one.n) for one in report.results
    ]


# the index


def test_verdicts_name_every_language_worst_first():
    document = read(page.render(compat_report()))
    rows = document.named("compat").one("tbody").all("tr")
    assert [row.one("th").text for row in rows][:2] == ["Swahili", "Arabic"]
    assert rows[0].all("td")[0].text == "✗ does not work"
    assert document.one("p", "number").text == "5 of 12"
    assert "Weakest language: Swahili: does not work." in document.one("p", "weakest").text


@pytest.mark.parametrize(
    ("protocol", "said", "column"),
    [
        ("labelled", "Labelled: the queries say which documents are relevant.", "nDCG@10"),
        ("unlabelled", "Unlabelled: what the teacher finds", "Overlap of ten hits"),
        ("calibration only", "Calibration only: there were no queries.", "Overlap of ten hits"),
    ],
)
def test_the_protocol_is_said_and_its_numbers_alone_are_shown(protocol, said, column):
    section = read(page.render(compat_report(protocol))).named("compat")
    assert said in section.text
    heads = [head.text for head in section.one("thead").all("th")]
    assert column in heads
    assert ("Overlap of ten hits" in heads) != ("Recall@1" in heads)


def test_calibration_dots_lie_at_both_scores():
    plot = plots.calibration(compat())
    rows = {row.language: row for row in compat().rows}
    assert [tick.label for tick in plot.ticks] == ["0", "0.5", "1"]
    for panel in plot.panels:
        points = rows[panel.row.language].curve
        drawn = [(x, 100 - y) for x, y, _ in panel.dots]
        expected = [value for point in points for value in (100 * point.teacher, 100 * point.student)]
        assert [value for dot in drawn for value in dot] == pytest.approx(expected, abs=0.02)
        assert panel.threshold == 55


def test_calibration_of_distances_has_its_own_axis():
    far = tuple(measured.CalibrationPoint(5.0 * step, 6.0 * step, 10) for step in range(1, 9))
    index = replace(
        compat(), threshold=20.0, rows=tuple(replace(row, curve=far) for row in compat().rows[:2])
    )
    plot = plots.calibration(index)
    assert [tick.label for tick in plot.ticks] == ["0", "20", "40", "60"]
    assert plot.panels[0].threshold == pytest.approx(33.33)
    assert plots.calibration(replace(index, rows=())) is None


# two models


def test_comparison_counts_and_calls_noise_noise():
    report = comparison_report()
    document = read(page.render(report))
    rows = report.comparison.rows
    better = sum(row.difference > 0 and not row.noise for row in rows)
    worse = sum(row.difference < 0 and not row.noise for row in rows)
    noise = sum(row.noise for row in rows)
    assert min(better, worse, noise) > 0
    assert document.one("p", "number").text == f"{better} better {worse} worse"
    assert (
        f"The other {noise} differences may be chance: they are noise." in document.one("p", "meaning").text
    )
    verdicts = [row.all("td")[-1].text for row in document.one("table", "differences").one("tbody").all("tr")]
    assert {word: verdicts.count(word) for word in ("better", "worse", "noise")} == {
        "better": better, "worse": worse, "noise": noise,
    }  # fmt: skip


def test_differences_share_one_axis_around_zero():
    comparison = comparison_report().comparison
    plot = plots.differences(comparison)
    labels = {tick.label: tick.place for tick in plot.ticks}
    assert labels["0"] == plot.zero
    scale = (labels["+5"] - labels["0"]) / 0.05
    for drawn in plot.rows:
        for place, value in (
            (drawn.place, drawn.row.difference),
            (drawn.low, drawn.row.low),
            (drawn.high, drawn.row.high),
        ):
            assert place == pytest.approx(plot.zero + scale * value, abs=0.02)
    assert [drawn.row.difference for drawn in plot.rows] == sorted(
        (row.difference for row in comparison.rows), reverse=True
    )


def test_a_comparison_without_a_loss_says_so():
    report = comparison_report()
    gains = tuple(row for row in report.comparison.rows if row.difference > 0 and not row.noise)
    shown = read(page.render(replace(report, comparison=replace(report.comparison, rows=gains))))
    assert "Nothing got worse beyond chance." in shown.one("p", "weakest").text
    assert plots.differences(replace(report.comparison, rows=())) is None


# the space


def test_health_lists_languages_and_lengths_in_order(document):
    section = document.named("space")
    rows = section.all("tbody")[0].all("tr")
    assert [rows[0].one("th").text, rows[-1].one("th").text] == ["German", "Swahili"]
    assert {row.all("td")[5].text for row in rows} == {
        "201.5"
    }  # the teacher's rank stands beside the model's
    assert section.one("tfoot").one("th").text == "All together"
    assert [item.one("bdi").text for item in section.one("ul", "lengths").all("li")] == [
        "1-8 tokens", "9-16 tokens", "17-32 tokens", "33-64 tokens", "over 64 tokens",
    ]  # fmt: skip
    crossed = section.one("table", "heat")
    assert len(crossed.one("tbody").all("tr")) == 12
    assert crossed.one("tbody").all("tr")[-1].all("td")[-1].text == "–"


# failures and provenance


def test_failures_are_called_chosen_and_come_worst_first(document, report):
    section = document.named("failures")
    assert "They were chosen because they fail" in section.text
    ranks = [max(one.rank for one in report.worst if one.language == tag) for tag in NAMES]
    first = section.all("details")[0].one("summary").text
    assert first == f"Swahili right answer in place {max(ranks)}"
    assert len(section.all("article")) == len(report.worst)


def test_cards_and_signatures_are_shown(document, report):
    assert [card.one("h3").text for card in document.one("div", "about").all("article")] == ["Model", "Data"]
    lines = "".join(document.named("signature-text").content).splitlines()
    assert lines == list(dict.fromkeys(one.signature for one in report.results))


def test_a_full_report_has_every_part():
    document = read(page.render(full_report()))
    assert [part.attributes.get("id", "hero") for part in document.one("main").all("section")] == [
        "hero", "languages", "scores", "results", "compat", "space", "curve", "map", "examples", "failures", "corpus",
        "provenance",
    ]  # fmt: skip


# a hundred languages


def test_a_hundred_languages_make_a_page_below_two_megabytes():
    report = wide_report()
    html = page.render(report)
    assert len({row.language for row in report.distillation.rows}) == 112
    assert len(html.encode()) < 2_000_000
    document = read(html)
    assert len(heat(document).one("tbody").all("tr")) == 112
    assert len(document.one("svg", "map").all("path")) == 8  # of 113 points each: a thousand at most


# the records of an index check


def checked() -> CompatResult:
    rates = Rates(0.9, 0.8, 0.85)
    agreement = Agreement(-0.1, 0.7, 0.05, (Point(0.6, 0.5, 12),))
    calibration = Calibration(0.5, rates, rates, 0.4, rates, (), (), agreement)
    student, teacher = Ranking(0.5, 0.6, 0.7, 0.55, 0.58), Ranking(0.6, 0.7, 0.8, 0.65, 0.64)
    german = LanguageCompat(
        "de", 40, 0.9, None, calibration, "usable with a new threshold", student=student, teacher=teacher
    )
    return CompatResult(
        model="m", fingerprint="f", space="s",
        index=IndexFacts(name="vectors.npy", kind="numpy", documents=90, dimension=3, metric="cosine"),
        protocol="labelled", proof=Proof(9, 0.999, 0.99, 1.0, 0.98, unit=False), threshold_from="given", limits={},
        own_texts=calibration, own_cosine=0.9, own_overlap=0.8, languages=(german,), left_out={}, signature="x",
        note="a note",
    )  # fmt: skip


def test_an_index_check_becomes_the_records_of_the_page():
    made = convert.compat_of(checked().as_dict())
    german, own = made.rows
    assert (made.index, made.documents, made.threshold, made.builder_cosine) == (
        "vectors.npy (numpy)",
        90,
        0.5,
        0.999,
    )
    assert (german.level, german.recall, german.mrr) == ("fair", {1: 0.5, 5: 0.6, 10: 0.7}, 0.55)
    assert (german.ndcg, german.reference) == (0.58, 0.64)
    assert (german.threshold_kept, german.threshold_added) == (0.7, 0.05)
    assert german.curve == (measured.CalibrationPoint(0.6, 0.5, 12),)
    assert (own.language, own.overlap, own.level) == (convert.OWN_TEXTS, 0.8, "unknown")
    assert convert.compat_of(None) is None


def test_an_index_check_reads_the_same_out_of_json():
    stored = json.loads(json.dumps(checked().as_dict()))
    assert convert.compat_of(stored) == convert.compat_of(checked().as_dict())
    html = page.render(replace(run_report(), compat=convert.compat_of(stored)))
    assert "the index’s own texts" in html
    assert "a note" in html
