"""Reads a rendered report back: a small element tree over the standard library's HTML parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    content: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, white space folded."""
        return " ".join("".join(self._pieces()).split())

    def _pieces(self) -> Iterator[str]:
        for piece in self.content:
            if isinstance(piece, str):
                yield piece
            else:
                yield from piece._pieces()

    def walk(self) -> Iterator[Element]:
        yield self
        for piece in self.content:
            if isinstance(piece, Element):
                yield from piece.walk()

    def all(self, tag: str, css_class: str | None = None) -> list[Element]:
        return [
            element
            for element in self.walk()
            if element.tag == tag
            and (css_class is None or css_class in element.attributes.get("class", "").split())
        ]

    def one(self, tag: str, css_class: str | None = None) -> Element:
        found = self.all(tag, css_class)
        assert len(found) == 1, f"{len(found)} elements {tag}.{css_class}"
        return found[0]

    def named(self, identifier: str) -> Element:
        found = [element for element in self.walk() if element.attributes.get("id") == identifier]
        assert len(found) == 1, f"{len(found)} elements with id {identifier}"
        return found[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert len(element.attributes) == len(attrs), f"an attribute is given twice: {attrs}"
        self.open[-1].content.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].content.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"the page holds a comment: {data!r}")

    def unknown_decl(self, data):
        raise AssertionError(f"the page holds a declaration: {data!r}")


def read(html: str) -> Element:
    """Parse a page whose elements are all closed; anything else fails."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root], f"unclosed: {[element.tag for element in reader.open]}"
    return reader.root


def percents(line: str) -> list[float]:
    """Every percentage with one decimal in a line of text."""
    return [float(number) for number in re.findall(r"(\d+\.\d)%", line)]
