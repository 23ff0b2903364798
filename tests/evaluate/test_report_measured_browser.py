"""The page of an evaluation, an index and two models in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest
from tests.evaluate.report_evaluation import (
    comparison_report,
    compat,
    compat_report,
    evaluation_report,
    full_report,
    wide_report,
)
from tests.evaluate.report_payloads import everywhere
from tests.evaluate.report_sample import NAMES
from tests.page.browser import HOSTILE, Opened, browser, faint, focus, marks, tabs  # noqa: F401  a fixture is among them

from isoglot.evaluate.report import data, page

pytestmark = marks
REPORTS = {
    "evaluation": evaluation_report,
    "full": full_report,
    "index": compat_report,
    "comparison": comparison_report,
    "wide": wide_report,
}


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


def open_all(tab) -> None:
    tab.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")


def heat_names(tab) -> list[str]:
    return tab.locator("#results table.heat tbody tr:not([hidden]) .item-name").all_inner_texts()


@pytest.mark.parametrize("kind", REPORTS)
@pytest.mark.parametrize("width", [400, 1280])
def test_page_is_quiet_asks_for_nothing_and_fits(show, kind, width):
    opened = show(REPORTS[kind](), width)
    open_all(opened.tab)
    assert opened.tab.evaluate("document.documentElement.scrollWidth") == width
    assert opened.complaints == []
    assert opened.requests == []


@pytest.mark.parametrize("kind", ["evaluation", "index", "comparison"])
def test_long_words_do_not_widen_the_page(show, kind):
    opened = show(everywhere(REPORTS[kind](), "Donaudampfschifffahrtsgesellschaft" * 8), 400)
    open_all(opened.tab)
    assert opened.tab.evaluate("document.documentElement.scrollWidth") == 400


@pytest.mark.parametrize("kind", ["evaluation", "index", "comparison"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(show, kind, scheme):
    tab = show(REPORTS[kind](), scheme=scheme).tab
    open_all(tab)
    assert faint(tab, scheme) == []


@pytest.mark.parametrize("payload", HOSTILE)
def test_payload_is_inert(show, payload):
    """In all parts that no run fills, on one page."""
    report = replace(evaluation_report(), compat=compat(), comparison=comparison_report().comparison)
    opened = show(everywhere(report, payload))
    tab = opened.tab
    open_all(tab)
    assert tab.locator("main section").count() == 7
    tab.locator("thead button").first.click()
    tab.locator(".filter input").first.fill(payload.replace("\ud800", ""))
    tab.locator(".copy button").click()
    focus(tab, "[tabindex], summary, circle", 8)
    assert tab.evaluate("typeof window.canary") == "undefined"
    assert tab.locator("script").count() == 1
    assert opened.complaints == []
    assert opened.requests == []


def test_heat_map_sorts_by_click_and_by_keyboard(show):
    tab = show(evaluation_report()).tab
    values = {
        one.languages[0]: one.value for one in evaluation_report().results if one.metric == "top-1 x->en"
    }
    by_search = [NAMES[tag] for tag in sorted(values, key=lambda tag: -values[tag])]
    assert heat_names(tab) == [*by_search, "English"]
    head = tab.locator("#results table.heat th button")
    head.nth(1).click()
    assert heat_names(tab) == [*reversed(by_search), "English"]
    head.nth(0).focus()
    tab.keyboard.press("Enter")
    assert heat_names(tab) == sorted([*NAMES.values(), "English"])
    tab.keyboard.press("Space")
    assert heat_names(tab) == sorted([*NAMES.values(), "English"], reverse=True)
    assert tab.locator("#results table.heat th[aria-sort]").count() == 1


def test_filter_keeps_the_sorted_order_and_says_how_many(show):
    tab = show(wide_report()).tab
    box = tab.locator("#results .filter input")
    tab.locator("#results table.heat th button").first.click()
    box.fill("arabic")
    shown = heat_names(tab)
    assert len(shown) > 1
    assert shown == sorted(name for name in shown if "Arabic" in name)
    assert tab.locator("#results .filter [role=status]").inner_text() == f"{len(shown)} shown"
    assert tab.locator("#results .minis").first.locator("li:visible").count() == len(shown)
    tab.locator("#results table.heat th button").first.click()
    assert heat_names(tab) == list(reversed(shown))
    box.fill("")
    assert len(heat_names(tab)) == 112
    box.fill("no such tongue")
    assert tab.locator("#results .filter [role=status]").inner_text() == "Nothing has this name."


def test_header_stays_in_sight_while_a_long_table_scrolls(show):
    tab = show(wide_report()).tab
    region = tab.locator("#results .tall").first
    region.evaluate("region => { region.scrollTop = 1500; }")
    region.scroll_into_view_if_needed()
    frame, head = region.bounding_box(), region.locator("thead").bounding_box()
    assert head["y"] == pytest.approx(frame["y"], abs=2)
    first_cell = tab.locator("#results table.heat thead th").nth(1).bounding_box()
    visible = tab.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('thead') !== null",
        [first_cell["x"] + 20, first_cell["y"] + first_cell["height"] / 2],
    )
    assert visible


def test_differences_sort_and_every_row_says_its_verdict(show):
    tab = show(comparison_report()).tab
    rows = tab.locator("table.differences tbody tr")
    first = rows.first.inner_text()
    tab.locator("table.differences th button", has_text="Difference").click()
    assert rows.last.inner_text() == first
    assert tab.locator("table.differences thead .plot-head button").count() == 0
    assert {rows.nth(at).locator("td").last.inner_text() for at in range(rows.count())} == {
        "better",
        "worse",
        "noise",
    }


def test_signatures_can_be_copied(show):
    tab = show(evaluation_report()).tab
    tab.locator("#signatures summary").click()
    button = tab.get_by_role("button", name="Copy all")
    button.focus()
    tab.keyboard.press("Enter")
    status = tab.locator("#signatures [role=status]")
    status.filter(has_text=".").wait_for()
    if status.inner_text() != "Copied.":
        assert (
            tab.evaluate("getSelection().toString()").strip()
            == tab.locator("#signature-text").inner_text().strip()
        )


def test_without_script_the_tables_are_plain_and_whole(show):
    tab = show(evaluation_report(), script=False).tab
    assert tab.locator("th button").count() == 0
    assert tab.locator(".filter, .copy").locator("visible=true").count() == 0
    assert tab.locator("#results table.heat tbody tr").count() == 13


def test_motion_is_off_for_those_who_ask(browser, tmp_path):  # noqa: F811  the imported fixture
    page.write(full_report(), tmp_path / "report.html")
    context = browser.new_context(reduced_motion="reduce")
    tab = context.new_page()
    tab.goto((tmp_path / "report.html").as_uri())
    durations = "[...document.querySelectorAll('*')].map((one) => getComputedStyle(one).transitionDuration)"
    assert set(tab.evaluate(durations)) == {"0s"}
    assert tab.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    context.close()


def test_printed_every_part_is_there(show):
    tab = show(evaluation_report()).tab
    tab.emulate_media(media="print")
    assert tab.locator(".filter").locator("visible=true").count() == 0
    assert tab.locator("#results .minis").last.locator("li").last.is_visible()
    assert tab.locator(".tall").first.evaluate("region => getComputedStyle(region).maxHeight") == "none"


def test_a_hundred_languages_open_within_seconds(show):
    report = wide_report()
    started = time.monotonic()
    tab = show(report).tab
    rendered = time.monotonic() - started
    started = time.monotonic()
    tab.locator("#results table.heat th button").first.click()
    tab.locator("#results .filter input").fill("sw")
    assert rendered < 30  # 4 s on two cores that six others use as well
    assert time.monotonic() - started < 10
