"""The report in a real browser: nothing runs, nothing is asked of the network, and it works for fingers and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest
from tests.evaluate.report_payloads import everywhere
from tests.evaluate.report_sample import NAMES, TRAINED, run_report, sentence
from tests.page.browser import HOSTILE, Opened, browser, faint, focus, marks, tabs  # noqa: F401  a fixture is among them

from isoglot.evaluate.report import data, page

pytestmark = marks


@pytest.fixture
def show(browser, tmp_path) -> Iterator[Callable[..., Opened]]:  # noqa: F811  the imported fixture
    with tabs(browser) as open_file:
        numbers = count()

        def open_report(
            report: data.Report, width: int = 1280, scheme: str = "light", script: bool = True
        ) -> Opened:
            path = tmp_path / f"report-{next(numbers)}.html"
            page.write(report, path)
            return open_file(path, width, scheme, script)

        yield open_report


def names_in_order(tab) -> list[str]:
    return tab.locator("#scores tbody th .item-name > bdi").all_inner_texts()


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_quiet_asks_for_nothing_and_fits(show, width, scheme):
    opened = show(run_report(), width, scheme)
    for details in opened.tab.locator("details").all():
        details.locator("summary").first.click()
    assert opened.tab.evaluate("document.documentElement.scrollWidth") == width
    assert opened.complaints == []
    assert opened.requests == []


@pytest.mark.parametrize("width", [400, 1280])
def test_long_words_do_not_widen_the_page(show, width):
    opened = show(everywhere(run_report(), "Donaudampfschifffahrtsgesellschaft" * 12), width)
    for details in opened.tab.locator("details").all():
        details.locator("summary").first.click()
    assert opened.tab.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("payload", HOSTILE)
def test_payload_is_inert(show, payload):
    report = run_report()
    opened = show(everywhere(replace(report, map=report.map[:26]), payload))
    tab = opened.tab
    tab.locator("#scores thead button").first.click()
    tab.locator(".stepper button").last.click()
    tab.locator("svg.map .cluster circle").first.hover(force=True)
    focus(tab, "[tabindex], summary", 12)
    assert tab.evaluate("typeof window.canary") == "undefined"
    assert tab.locator("script").count() == 1
    assert opened.complaints == []
    assert opened.requests == []


def test_sorting_by_click(show):
    tab = show(run_report()).tab
    best_first = sorted(NAMES, key=lambda tag: -TRAINED[tag])
    assert names_in_order(tab) == [NAMES[tag] for tag in best_first]
    tab.get_by_role("button", name="Trained").first.click()
    assert names_in_order(tab) == [NAMES[tag] for tag in reversed(best_first)]
    tab.get_by_role("button", name="Language").click()
    assert names_in_order(tab) == sorted(NAMES.values())
    assert tab.locator("#scores th[aria-sort]").all_inner_texts() == ["Language"]
    assert tab.locator("#scores tfoot th").first.inner_text() == "Mean"


def test_sorting_by_keyboard(show):
    tab = show(run_report()).tab
    header = tab.get_by_role("columnheader", name="Language")
    header.get_by_role("button").focus()
    tab.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    tab.keyboard.press("Space")
    assert header.get_attribute("aria-sort") == "descending"
    assert names_in_order(tab) == sorted(NAMES.values(), reverse=True)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Queries"
    tab.keyboard.press("Enter")
    assert names_in_order(tab)[-1] == "Swahili"


def test_missing_scores_sort_last_in_both_directions(show):
    report = run_report()
    report.distillation.rows[3].stages["trained"] = data.StageScores(None, None, None, None)
    tab = show(report).tab
    for _ in range(2):
        tab.get_by_role("button", name="Trained").first.click()
        assert names_in_order(tab)[-1] == report.distillation.rows[3].name


def test_map_by_pointer_shows_the_sentence_in_that_language(show):
    tab = show(run_report()).tab
    index = list(NAMES).index("ar")
    tab.locator("svg.map .cluster").nth(3).locator("circle").nth(index).hover(force=True)
    assert tab.locator(".position").inner_text() == "Sentence 4 of 40"
    assert tab.locator(".chosen .original").inner_text() == sentence("en", 3)
    pointed = tab.locator(".chosen .pointed .text")
    assert pointed.inner_text() == sentence("ar", 3)
    assert pointed.evaluate("element => getComputedStyle(element).direction") == "rtl"
    box, frame = pointed.bounding_box(), tab.locator(".inspector").bounding_box()
    assert frame["y"] <= box["y"] <= frame["y"] + frame["height"]


def test_map_by_keyboard(show):
    tab = show(run_report()).tab
    tab.locator("svg.map .cluster").first.focus()
    tab.keyboard.press("ArrowRight")
    assert tab.locator(".chosen .original").inner_text() == sentence("en", 1)
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    assert tab.locator(".position").inner_text() == "Sentence 40 of 40"
    assert tab.locator("svg.map [tabindex='0']").count() == 1
    tab.get_by_role("button", name="Next sentence").press("Enter")
    assert tab.locator(".position").inner_text() == "Sentence 1 of 40"


def test_skip_link_is_the_first_stop_and_becomes_visible(show):
    tab = show(run_report()).tab
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.locator(".skip").bounding_box()["x"] >= 0
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"


def test_without_script_everything_is_readable(show):
    opened = show(run_report(), script=False)
    assert opened.tab.locator("th button").count() == 0
    assert opened.tab.locator(".inspector").is_hidden()
    opened.tab.locator("#sentences summary").click()
    assert opened.tab.locator("#sentences").get_by_text(sentence("ko", 39)).is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(show, scheme):
    tab = show(run_report(), scheme=scheme).tab
    tab.locator("svg.map .cluster circle").first.hover(force=True)
    for details in tab.locator("details").all():
        details.locator("summary").first.click()
    assert faint(tab, scheme) == []
