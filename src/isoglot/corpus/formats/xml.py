"""XML as a stream of elements, without entities, and the text of segments with inline tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.packed import open_binary
from isoglot.errors import DamagedError

Element = Any  # xml.etree.ElementTree.Element; defusedxml, which builds it, is untyped

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def stream(path: File, starts: frozenset[str] | None, ends: frozenset[str]) -> Iterator[Element]:
    """Yield elements in the order of the file: those in `starts` with their attributes only, those in `ends` whole.

    Names come without their namespace. An element is dropped after its end, so memory does not grow with the
    file. A DOCTYPE is allowed; entities of its own and external ones are refused.

    Args:
        path: the file, compressed or not.
        starts: names to yield at their start tag; None: all.
        ends: names to yield at their end tag, with all they hold.

    Raises:
        DamagedError: it is not well-formed, is cut off, or declares entities.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    opened: list[Element] = []
    with open_binary(path) as file:
        try:
            for event, element in iterparse(file, ("start", "end"), forbid_dtd=False):
                if event == "start":
                    opened.append(element)
                    if starts is None or local_name(element) in starts:
                        yield element
                    continue
                opened.pop()
                if local_name(element) in ends:
                    yield element
                if opened and not any(local_name(parent) in ends for parent in opened):
                    opened[-1].remove(element)
        except ParseError as error:
            raise DamagedError(
                f"{path} is not well-formed XML: {error}.", "Mend or fetch it again."
            ) from error
        except DefusedXmlException as error:
            raise DamagedError(
                f"{path} is refused: {error}.", "Replace its entities by their text."
            ) from error


def root_name(path: File) -> str:
    """Name of the outermost element, without its namespace.

    Raises:
        DamagedError: it is not XML.
    """
    return local_name(next(stream(path, None, frozenset())))


def local_name(element: Element) -> str:
    """Name of an element without its namespace; comments and processing instructions have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def child(element: Element, name: str) -> Element | None:
    """First child of that name, whatever its namespace; None when there is none."""
    return next((inner for inner in element if local_name(inner) == name), None)


def text_of(element: Element, inline: Callable[[Element], str]) -> str:
    """Text of a segment, where `inline` says what stands for each tag inside it."""
    parts = [element.text or ""]
    for inner in element:
        parts += [inline(inner), inner.tail or ""]
    return "".join(parts)
