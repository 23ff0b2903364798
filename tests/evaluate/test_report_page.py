from __future__ import annotations

import base64
import hashlib
import math
import re
import statistics
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.evaluate.report_evaluation import comparison_report, full_report
from tests.evaluate.report_payloads import everywhere
from tests.evaluate.report_reader import Element, percents, read
from tests.evaluate.report_sample import run_report
from tests.page.payloads import PAYLOADS

from isoglot.evaluate.report import data, page
from isoglot.page import text


@pytest.fixture(scope="module")
def report() -> data.Report:
    return run_report()


@pytest.fixture(scope="module")
def document(report) -> Element:
    return read(page.render(report))


def changed(report: data.Report, **changes: object) -> data.Report:
    """The report with other fields in the part about the run."""
    return replace(report, distillation=replace(report.distillation, **changes))


def section(report: data.Report, name: str) -> Element:
    return read(page.render(report)).named(name)


# a page for everybody


def test_landmarks_headings_and_skip_link(document):
    assert {"header", "nav", "main", "footer"} <= {element.tag for element in document.walk()}
    assert len(document.all("h1")) == 1
    levels = [int(element.tag[1]) for element in document.walk() if re.fullmatch("h[1-6]", element.tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    links = [link.attributes["href"] for link in document.all("a")]
    assert links[0] == "#main"
    assert all(document.named(link.removeprefix("#")) for link in links)


def test_identifiers_are_unique(document):
    identifiers = [element.attributes["id"] for element in document.walk() if "id" in element.attributes]
    assert len(identifiers) == len(set(identifiers))


def test_images_and_scroll_boxes_have_names(document):
    for element in document.walk():
        if element.attributes.get("role") in {"img", "region", "group"}:
            assert element.attributes.get("aria-label") or element.attributes.get("aria-labelledby")


# hostile texts


def structure(document: Element) -> list[tuple[str, list[str]]]:
    return [(element.tag, sorted(element.attributes)) for element in document.walk()]


@pytest.fixture(scope="module")
def whole() -> data.Report:
    """Every part of the page, but for the comparison, which is a page of its own."""
    report = full_report()
    return replace(report, map=report.map[:26])


@pytest.fixture(scope="module")
def harmless(whole):
    return structure(read(page.render(everywhere(whole, "plain words"))))


@pytest.fixture(scope="module", params=PAYLOADS)
def attacked(whole, request) -> tuple[str, str]:
    return request.param, page.render(everywhere(whole, request.param))


def test_hostile_texts_change_no_element_and_no_attribute(attacked, harmless):
    payload, html = attacked
    document = read(html)
    assert structure(document) == harmless
    readable = " ".join(text.clean(payload).split())
    assert document.one("h1").text == readable
    assert document.all("article")[0].one("h3").text == readable
    assert document.one("svg", "map").all("title")[0].text.endswith(readable)
    for part in ("results", "compat", "space", "failures", "signatures"):
        assert readable in document.named(part).text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_names_of_models_change_nothing_in_a_comparison(payload):
    report = comparison_report()
    document = read(page.render(everywhere(report, payload)))
    assert structure(document) == structure(read(page.render(everywhere(report, "plain words"))))
    assert " ".join(text.clean(payload).split()) in document.one("p", "meaning").text


def test_hostile_texts_leave_no_control_or_override_and_encode(attacked):
    _, html = attacked
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", html)
    html.encode()


def test_there_are_thirty_payloads():
    assert len(set(PAYLOADS)) == 30


# the fence around the page


def test_policy_allows_exactly_the_one_script(document):
    head = [element for element in document.one("head").content if isinstance(element, Element)]
    policy = next(
        element for element in head if element.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert head.index(policy) < head.index(document.one("style"))
    directives = dict(part.strip().split(" ", 1) for part in policy.attributes["content"].split(";"))
    script = "".join(document.one("script").content)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert directives == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "script-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_nothing_is_loaded_from_anywhere(document):
    loading = {
        "src",
        "href",
        "srcset",
        "action",
        "formaction",
        "data",
        "poster",
        "background",
        "ping",
        "xlink:href",
    }
    for element in document.walk():
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in loading:
                assert value.startswith("#") or value == "data:,"
    style = "".join(document.one("style").content)
    assert not re.search(r"url\(|@import|@font-face|https?:", style)


# parts that are missing


def test_an_empty_run_still_makes_a_page():
    run = data.Distillation(shipped="warm start", why="", minutes=0, pool=0, rows=())
    empty = data.Report(title="t", model="b", teacher="a", distillation=run)
    document = read(page.render(empty))
    assert document.one("p", "number").text == "after: –"
    assert {note.text for note in document.all("p", "empty")} == {
        "No language was evaluated.",
        "There are no scores to list.",
        "No training followed the warm start, so there is no curve.",
        "No provenance was recorded.",
    }


def test_sections_without_data_are_absent():
    document = read(page.render(data.Report(title="t", model="m")))
    assert [part.attributes.get("id", "hero") for part in document.one("main").all("section")] == [
        "hero", "provenance",
    ]  # fmt: skip
    assert [link.attributes["href"] for link in document.one("nav").all("a")] == ["#provenance"]
    assert document.one("p", "meaning").text == "No test set was measured."


def test_one_language_is_named_instead_of_a_mean(report):
    document = read(page.render(changed(report, rows=report.distillation.rows[6:7])))
    assert "of sentences in Turkish find" in document.one("p", "meaning").text
    assert percents(document.one("p", "number").text) == [0.1, 85.8]
    assert document.all("p", "weakest") == []
    assert "mean" not in document.one("p", "meaning").text


def test_one_measurement_is_no_curve(report):
    curve = section(changed(report, curve=report.distillation.curve[:1], shipped_step=0), "curve")
    assert curve.all("svg") == []
    assert "only one measurement" in curve.one("p", "empty").text
    assert len(curve.one("tbody").all("tr")) == 1


def test_student_of_another_dimension_has_no_number_before(report):
    unmeasured = data.StageScores(mse=None, r2=None, to_student=0.71, to_teacher=None)
    rows = tuple(
        replace(row, stages={**row.stages, "before": unmeasured}) for row in report.distillation.rows
    )
    document = read(page.render(changed(report, rows=rows)))
    assert "before" not in document.one("p", "number").text
    assert "do not fit this index at all" in document.one("section", "hero").text
    cells = document.named("scores").one("tbody").all("tr")[0].all("td")
    assert [cells[index].text for index in (1, 4, 7, 10)] == ["–", "71.0%", "–", "–"]
    assert "data-value" not in cells[1].attributes


def test_a_shipped_warm_start_is_what_the_headline_shows(report):
    document = read(page.render(changed(report, shipped="warm start", shipped_step=0)))
    after = statistics.fmean(row.stages["warm start"].to_teacher for row in report.distillation.rows)
    assert percents(document.one("p", "number").text)[1] == round(100 * after, 1)
    assert document.one("p", "number").text.endswith("%")
    assert document.one("ul", "legend").all("li")[1].text.endswith("saved")


def test_numbers_that_are_not_finite_are_left_out(report):
    curve = tuple(replace(point, r2=math.nan) for point in report.distillation.curve)
    odd = changed(report, curve=curve)
    points = (*report.map, replace(report.map[0], x=math.inf))
    document = read(page.render(replace(odd, map=points)))
    assert [panel.one("figcaption").text for panel in document.all("figure", "panel")] == [
        "Retrieval, top-1",
        "Spearman",
    ]
    assert len(document.one("svg", "map").all("path")) == 40
    assert not re.search(r"\bnan\b|\binf\b", page.render(replace(odd, map=points)))
