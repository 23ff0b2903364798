"""XCES alignments as OPUS publishes them: links between the sentences of two documents in XML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from isoglot.corpus.formats.names import Languages, require_languages
from isoglot.corpus.formats.xml import Element, local_name, stream
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError


def read_xces(path: Path, corpus: str, border: Border, languages: Languages | None = None) -> Iterator[Pair]:
    """Yield one pair per link; several sentences on a side are joined by a space.

    Documents are looked for beside the alignment and in a folder `xml` beside it. Links with an empty side give
    an empty text, which the filter "empty" counts. Both documents of a group are held in memory.

    Raises:
        RequestError: a document is missing, or nothing says which languages they are.
        DamagedError: a link names a sentence that is not there, or XML is broken.
    """
    sides: list[dict[str, str]] = []
    tags: list[str] = []
    for element in stream(path, frozenset({"linkGrp"}), frozenset({"link"})):
        if local_name(element) == "linkGrp":
            documents = [element.get("fromDoc", ""), element.get("toDoc", "")]
            sides = [_sentences(_document(path, name)) for name in documents]
            codes = languages or _folders(documents) or require_languages(None, path, "two sides")
            tags = [border.tag(code, str(path)) for code in codes]
            continue
        source, target = _linked(element, sides, path)
        yield Pair(source, target, tags[0], tags[1], corpus)


def alignment_documents(path: Path) -> list[Path]:
    """Return the documents an alignment names, each once, in its order.

    Raises:
        RequestError: one is missing.
    """
    groups = stream(path, frozenset({"linkGrp"}), frozenset())
    names = [group.get(side, "") for group in groups for side in ("fromDoc", "toDoc")]
    return [_document(path, name) for name in dict.fromkeys(names)]


def _linked(link: Element, sides: list[dict[str, str]], path: Path) -> tuple[str, str]:
    targets = link.get("xtargets", "").split(";")
    if len(targets) != 2 or not sides:
        raise DamagedError(
            f"{path}: link {link.get('id')} does not link two sides.", "Mend or fetch it again."
        )
    texts = []
    for identifiers, sentences in zip(targets, sides, strict=True):
        missing = [identifier for identifier in identifiers.split() if identifier not in sentences]
        if missing:
            raise DamagedError(
                f"{path}: link {link.get('id')} names sentence {missing[0]}, which its document does not have.",
                "Fetch alignment and documents of the same release.",
            )
        texts.append(" ".join(sentences[identifier] for identifier in identifiers.split()))
    return texts[0], texts[1]


def _document(path: Path, name: str) -> Path:
    if not name or ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
        raise DamagedError(f"{path} names a document outside its own folder: {name!r}.", "Mend the linkGrp.")
    places = [folder / name for folder in (path.parent / "xml", path.parent)]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise RequestError(
            f"{path} needs the document {name}, which is not there.", f"Put it at {places[0]}."
        )
    return found


def _sentences(path: Path) -> dict[str, str]:
    """Sentence id -> text; words in `w` elements are joined by spaces."""
    sentences: dict[str, str] = {}
    for element in stream(path, frozenset(), frozenset({"s"})):
        words = [word.text or "" for word in element.iter() if local_name(word) == "w"]
        sentences[element.get("id", "")] = " ".join(words) if words else "".join(element.itertext())
    return sentences


def _folders(documents: list[str]) -> Languages | None:
    """OPUS puts every language in its own folder: `de/book.xml.gz`."""
    from isoglot.corpus.languages import is_code

    first, second = (PurePosixPath(name).parts[0] for name in documents)
    return (first, second) if is_code(first) and is_code(second) else None
