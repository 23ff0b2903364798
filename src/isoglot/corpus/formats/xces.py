"""XCES alignments as OPUS publishes them: links between the sentences of two documents in XML.

The documents are files in a folder, or stay in the zip of their language as it was downloaded.
"""

from __future__ import annotations

import glob
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Self

from isoglot.corpus.formats.archive import Member, zip_member
from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.names import Languages, require_languages
from isoglot.corpus.formats.xml import Element, local_name, stream
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError
from isoglot.zips import member_names, open_zip


def read_xces(path: Path, corpus: str, border: Border, languages: Languages | None = None) -> Iterator[Pair]:
    """Yield one pair per link; several sentences on a side are joined by a space.

    Documents are looked for beside the alignment, in a folder `xml` there, and in zips there named like `de.zip` or
    `Books_latest_raw_de.zip`. Links with an empty side give an empty text, which the filter "empty" counts. Both
    documents of a group are held in memory. The score is the link's `certainty`, `score` or `overlap`.

    Raises:
        RequestError: a document is missing, or nothing says which languages they are.
        DamagedError: a link names a sentence that is not there, or has a score that is no number; or XML is broken.
    """
    sides: list[dict[str, str]] = []
    tags: list[str] = []
    with _Library(path) as library:
        for element in stream(path, frozenset({"linkGrp"}), frozenset({"link"})):
            if local_name(element) == "linkGrp":
                documents = [element.get("fromDoc", ""), element.get("toDoc", "")]
                sides = [_sentences(library.find(name)) for name in documents]
                codes = languages or _folders(documents) or require_languages(None, path, "two sides")
                tags = [border.tag(code, str(path)) for code in codes]
                continue
            source, target = _linked(element, sides, path)
            yield Pair(source, target, tags[0], tags[1], corpus, _score(element, path))


def alignment_documents(path: Path) -> list[Path]:
    """Return the files an alignment needs, documents or zips of them, each once, in its order.

    Raises:
        RequestError: one is missing.
    """
    groups = stream(path, frozenset({"linkGrp"}), frozenset())
    names = [group.get(side, "") for group in groups for side in ("fromDoc", "toDoc")]
    with _Library(path) as library:
        found = [library.find(name) for name in dict.fromkeys(names)]
    return list(dict.fromkeys(file.archive if isinstance(file, Member) else file for file in found))


class _Library:
    """The documents of one alignment; zips are opened and indexed once.

    Attributes:
        alignment: the file that names them.
    """

    def __init__(self, alignment: Path) -> None:
        self.alignment = alignment
        self._zips: dict[Path, tuple[zipfile.ZipFile, dict[str, str]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for archive, _names in self._zips.values():
            archive.close()

    def find(self, name: str) -> Path | Member:
        """Return the document of that name; a path that leads elsewhere is refused."""
        if not name or ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
            raise DamagedError(
                f"{self.alignment} names a document outside its own folder: {name!r}.", "Mend the linkGrp."
            )
        folder, plain = self.alignment.parent, name.removesuffix(".gz")
        places = [folder / "xml" / name, folder / "xml" / plain, folder / name, folder / plain]
        found = next((place for place in places if place.is_file()), None) or self._in_zips(folder, plain)
        if found is None:
            raise RequestError(
                f"{self.alignment} needs the document {name}, which is not there.",
                f"Put it at {places[0]}, or OPUS's zip of its language at {folder}.",
            )
        return found

    def _in_zips(self, folder: Path, plain: str) -> Member | None:
        code = glob.escape(PurePosixPath(plain).parts[0])
        for path in sorted([*folder.glob(f"{code}.zip"), *folder.glob(f"*_{code}.zip")]):
            if path not in self._zips:
                opened = open_zip(path)
                # `Books/raw/de/x.xml`: the alignment calls it `de/x.xml`
                names = {"/".join(PurePosixPath(name).parts[2:]): name for name in member_names(opened)}
                self._zips[path] = opened, names
            opened, names = self._zips[path]
            if plain in names:
                return zip_member(opened, path, names[plain])
        return None


def _score(link: Element, path: Path) -> float | None:
    """What the aligner thinks of a link: hunalign's certainty, or the overlap in time of two subtitles."""
    text = next((link.get(name) for name in ("certainty", "score", "overlap") if link.get(name)), None)
    try:
        return None if text is None else float(text)
    except ValueError as error:
        raise DamagedError(
            f"{path}: link {link.get('id')} has the score {text!r}, which is no number.", "Mend the link."
        ) from error


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


def _sentences(path: File) -> dict[str, str]:
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
