"""A page in headless Chromium: what it complains about, what it asks for, how readable its colours are."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.page.payloads import PAYLOADS, TOGETHER

playwright = pytest.importorskip("playwright.sync_api", reason="needs the dev dependency playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
marks = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium or google-chrome on the PATH"),
]

HOSTILE = [
    *(pytest.param(text, id=f"five, {number}") for number, text in enumerate(TOGETHER)),
    *(pytest.param(text, marks=pytest.mark.faults) for text in PAYLOADS),
]


@dataclass
class Opened:
    """A page in a tab, and everything the tab complained about or asked for."""

    tab: object
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    # the sandbox of Chromium refuses to start as root, as in most containers
    arguments = ["--disable-gpu", "--disable-quic", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@contextmanager
def tabs(browser) -> Iterator[Callable[..., Opened]]:
    """Gives what opens a file in a tab of its own; all are closed at the end."""
    contexts = []

    def open_file(path: Path, width: int = 1280, scheme: str = "light", script: bool = True) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
        )
        contexts.append(context)
        opened = Opened(context.new_page())
        _listen(opened, path)
        opened.tab.goto(path.as_uri())
        return opened

    yield open_file
    for context in contexts:
        context.close()


def _listen(opened: Opened, path: Path) -> None:
    own = {path.as_uri(), "data:,"}
    opened.tab.on("console", lambda message: opened.complaints.append(message.text))
    opened.tab.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.tab.on("dialog", lambda dialog: opened.complaints.append(f"dialog: {dialog.message}"))
    opened.tab.on("request", lambda request: request.url in own or opened.requests.append(request.url))


SHADES = """() => {
  const paint = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "none";
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || element.closest("[aria-hidden=true], script, title")) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = element instanceof SVGElement ? style.fill : style.color;
    found.push([node.textContent.trim().slice(0, 40), ink, paint(element)]);
  }
  return found;
}"""


def focus(tab, what: str, most: int | None = None) -> None:
    """Give the focus to every element of a selector, one after the other, or to the first `most`."""
    tab.evaluate(
        "([what, most]) => [...document.querySelectorAll(what)].slice(0, most).forEach((one) => one.focus())",
        [what, 10**6 if most is None else most],
    )


def luminance(colour: str) -> float:
    """Relative luminance of an opaque `rgb(r, g, b)`, as WCAG 2.2 defines it."""
    channels = [int(number) / 255 for number in re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour).groups()]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def faint(tab, scheme: str) -> list[object]:
    """Texts with less contrast than 4.5, and whether the page is light or dark at all."""
    shades = tab.evaluate(SHADES)
    ground = luminance(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    wrong = [] if (ground < 0.05 if scheme == "dark" else ground > 0.8) else [f"ground {ground}"]
    assert len(shades) > 100
    return wrong + [shade for shade in shades if contrast(*shade[1:]) < 4.5]
