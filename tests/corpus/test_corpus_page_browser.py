"""The page of a corpus in a real browser: hostile rows stay inert, nothing is asked of the network, tables sort."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest
from tests.corpus.overview_sample import ROWS, hostile, sample
from tests.page.browser import Opened, browser, faint, focus, marks, tabs  # noqa: F401  a fixture is among them
from tests.page.payloads import PAYLOADS, TOGETHER

from isoglot.corpus.languages import name
from isoglot.corpus.overview import Overview
from isoglot.corpus.page import page

pytestmark = marks


@pytest.fixture
def show(browser, tmp_path) -> Iterator[Callable[..., Opened]]:  # noqa: F811  the imported fixture
    with tabs(browser) as open_file:
        numbers = count()

        def open_page(overview: Overview, width: int = 1280, scheme: str = "light") -> Opened:
            path = tmp_path / f"corpus-{next(numbers)}.html"
            page.write(overview, path)
            return open_file(path, width, scheme)

        yield open_page


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_quiet_asks_for_nothing_fits_and_is_readable(show, width, scheme):
    opened = show(sample(), width, scheme)
    opened.tab.locator("#terms summary").click()
    assert opened.tab.evaluate("document.documentElement.scrollWidth") == width
    assert faint(opened.tab, scheme) == []
    assert (opened.complaints, opened.requests) == ([], [])


@pytest.mark.parametrize("width", [400, 1280])
def test_long_words_do_not_widen_the_page(show, width):
    opened = show(hostile("Donaudampfschifffahrtsgesellschaft" * 12), width)
    assert opened.tab.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(
    "texts", [TOGETHER, pytest.param(PAYLOADS, marks=pytest.mark.faults)], ids=["five on a page", "alone"]
)
def test_thirty_hostile_rows_are_inert(show, texts):
    """The payloads stand everywhere on their page; then all thirty stand together as dropped rows."""
    seen = sample()
    rows = tuple({**seen.examples[0], "source": payload, "target": payload} for payload in PAYLOADS)
    for overview in [*map(hostile, texts), replace(seen, examples=rows)]:
        opened = show(overview)
        opened.tab.locator("#languages thead button").first.click()
        focus(opened.tab, "[tabindex], summary")
        assert opened.tab.evaluate("typeof window.canary") == "undefined"
        assert opened.tab.locator("script").count() == 1
        assert (opened.complaints, opened.requests) == ([], [])
    assert opened.tab.locator("#examples .pairs li").count() == page.MOST_EXAMPLES


def test_both_tables_sort(show):
    tab = show(sample()).tab
    names = tab.locator("#languages tbody th > bdi")
    assert names.all_inner_texts() == [name(tag) for tag in ROWS]
    tab.locator("#languages").get_by_role("button", name="Kept").click()
    assert names.all_inner_texts() == [name(tag) for tag in reversed(ROWS)]
    tab.locator("#languages").get_by_role("button", name="Language").click()
    assert names.all_inner_texts() == sorted(name(tag) for tag in ROWS)
    tab.locator("#parts").get_by_role("button", name="Corpus").click()
    corpora = tab.locator("#parts tbody th").all_inner_texts()
    assert corpora == sorted(corpora)
    assert tab.locator("#languages th[aria-sort]").count() == 1
