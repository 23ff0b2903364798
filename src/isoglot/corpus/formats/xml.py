"""XML as a stream of elements, without entities, and the text of segments with inline tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.packed import open_binary
from isoglot.errors import DamagedError

Element = Any  # xml.etree.ElementTree.Element; defusedxml, which builds it, is untyped

LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_DEEPEST = 256  # elements inside one another; real files have some ten
_LONGEST = 1 << 22  # bytes of XML that may be held at a time, tags included
_MOST = 100_000  # elements that may be held at a time: a translation unit has some hundreds


def stream(path: File, starts: frozenset[str] | None, ends: frozenset[str]) -> Iterator[Element]:
    """Yield elements in the order of the file: those in `starts` with their attributes only, those in `ends` whole.

    Names come without their namespace. An element is dropped after its end, so memory does not grow with the
    file. A DOCTYPE is allowed and not fetched; entities of its own and external ones are refused.

    Args:
        path: the file, compressed or not.
        starts: names to yield at their start tag; None: all.
        ends: names to yield at their end tag, with all they hold.

    Raises:
        DamagedError: it is not well-formed, is cut off, declares entities, nests elements deeper than 256, or has
            an element in `ends`, a tag or a text of more than 4 MiB or with more than 100,000 elements inside.
    """
    from defusedxml.ElementTree import iterparse

    opened: list[Element] = []
    within = 0  # opened elements that are yielded whole, and thus held
    with open_binary(path) as file, _named_errors(path):
        metered = _Metered(file, path)
        for event, element in iterparse(metered, ("start", "end"), forbid_dtd=False):
            name = local_name(element)
            if event == "start":
                opened.append(element)
                _limit_depth(opened, path)
                within += name in ends
                metered.count_element()
                if starts is None or name in starts:
                    yield element
            else:
                opened.pop()
                within -= name in ends
                if name in ends:
                    yield element
                if opened and not within:
                    opened[-1].remove(element)
            if not within:
                metered.release()


class _Metered:
    """A file that stops when too much is read without a moment at which nothing is held."""

    def __init__(self, file: IO[bytes], path: File) -> None:
        self._file, self._path, self._total = file, path, 0
        self._bytes = self._elements = 0  # since that moment

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._total += len(piece)
        self._bytes += len(piece)
        if self._bytes > _LONGEST:
            raise self._refusal("an element, tag or text of more than 4 MiB")
        return piece

    def count_element(self) -> None:
        self._elements += 1
        if self._elements > _MOST:
            raise self._refusal(f"an element with more than {_MOST:,} others inside")

    def release(self) -> None:
        """Take note that nothing is held now."""
        self._bytes = self._elements = 0

    def _refusal(self, what: str) -> DamagedError:
        return DamagedError(
            f"{self._path} has {what} before byte {self._total} of its XML.", "Is it cut into segments?"
        )


def _limit_depth(opened: list[Element], path: File) -> None:
    if len(opened) > _DEEPEST:
        raise DamagedError(f"{path} has elements nested deeper than {_DEEPEST}.", "Is it what it says?")


@contextmanager
def _named_errors(path: File) -> Iterator[None]:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError

    try:
        yield
    except ParseError as error:
        raise DamagedError(f"{path} is not well-formed XML: {error}.", "Mend or fetch it again.") from error
    except DefusedXmlException as error:
        raise DamagedError(f"{path} is refused: {error}.", "Replace its entities by their text.") from error
    except (LookupError, ValueError) as error:  # of the codec that the declaration names
        raise DamagedError(
            f"{path} declares an encoding that XML readers do not know ({error}).", "Convert it to UTF-8."
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
