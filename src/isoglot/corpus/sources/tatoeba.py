"""Tatoeba's own export, as a folder or per language from its server.

A folder has `sentences` (id, language, text) and `links` (id, id of a translation) of all languages. The server
also has them per language: `eng/eng_sentences.tsv.bz2`, `deu/deu_sentences.tsv.bz2`, `eng/eng-deu_links.tsv.bz2`.
`eng-*` is one language with all that it is linked with, read in one pass.
"""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.config import DownloadConfig
from isoglot.corpus.download import Downloaded, download
from isoglot.corpus.formats.lines import read_lines
from isoglot.corpus.formats.packed import SUFFIXES, unpack
from isoglot.corpus.languages import Border, is_code
from isoglot.corpus.pair import Pair
from isoglot.corpus.sources.licence import Licence
from isoglot.corpus.transfer import Remote
from isoglot.errors import DamagedError, RequestError
from isoglot.progress import Progress

if TYPE_CHECKING:
    import duckdb

_TERMS = "CC BY 2.0 FR"
_WORK = "Sentences of Tatoeba (https://tatoeba.org) by its contributors"
_CODES = re.compile(r"([a-z]{3,4})-([a-z]{3,4})")
_ALL = re.compile(r"([a-z]{3,4})-\*")
_NEXT = "Tatoeba's codes have three letters, such as eng, deu or cmn; see https://tatoeba.org/downloads."
_JOINED = """
    select s.text, t.text, t.lang from links
    join sentences s on s.id = links.first join sentences t on t.id = links.second
    where s.lang = $1 and t.lang <> $1 order by links.number
"""
_BATCH_ROWS = 65_536
_MEMORY = "500MB"  # more goes to the temporary folder
_UNKNOWN = "\\N"  # the export's mark for a sentence whose language nobody has set


def read_tatoeba(folder: Path, corpus: str, border: Border) -> Iterator[Pair]:
    """Yield each sentence of the source language with each of its translations that are wanted, in link order.

    Raises:
        RequestError: a file is missing.
        DamagedError: a line has another number of columns, or an id is no number.
    """
    sentences, links = export_files(folder)
    yield from _joined([sentences], [links], corpus, border)


def read_all_linked(files: Sequence[Path], corpus: str, border: Border) -> Iterator[Pair]:
    """Yield what `read_tatoeba` does from the files of a language with all others, as `fetch_all` gives them.

    Raises:
        DamagedError: a line has another number of columns, or an id is no number.
    """
    first, *others = files
    yield from _joined([first, *others[::2]], others[1::2], corpus, border)


def _joined(sentences: Sequence[Path], links: Sequence[Path], corpus: str, border: Border) -> Iterator[Pair]:
    """Sentences and links meet in DuckDB, which spills to disk: an export has tens of millions of both."""
    import duckdb

    with (
        tempfile.TemporaryDirectory() as scratch,
        duckdb.connect(f"{scratch}/export.duckdb", config={"memory_limit": _MEMORY}) as database,
    ):
        database.execute("create table sentences (id bigint, lang text, text blob)")
        database.execute("create table links (number bigint, first bigint, second bigint)")
        for path in sentences:
            _insert(database, "sentences", _wanted_sentences(path, border))
        counter = itertools.count(1)
        for path in links:
            numbered = ((next(counter), *_ids(row, path, number)) for number, row in _rows(path, 2))
            _insert(database, "links", numbered)
        # every link of an export is there in both directions: the one from the source language is enough
        reader = database.sql(_JOINED, params=[border.source_lang]).to_arrow_reader(_BATCH_ROWS)
        for batch in reader:
            for source, target, tag in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield Pair(_decoded(source), _decoded(target), border.source_lang, tag, corpus)


def fetch_tatoeba(text: str, config: DownloadConfig, progress: Progress) -> list[Downloaded]:
    """Download the sentences of both languages of `eng-deu` and the links between them.

    Raises:
        RequestError: it names no two codes, or Tatoeba has no such files.
        IsoglotError: a download failed.
    """
    matched = _CODES.fullmatch(text)
    if matched is None:
        raise RequestError(f"tatoeba:{text} is no folder and names no two languages.", _NEXT)
    first, second = matched.groups()
    base = config.tatoeba_url.rstrip("/")
    names = [f"{first}/{first}_sentences", f"{second}/{second}_sentences", f"{first}/{text}_links"]
    return [
        download(Remote(f"{base}/{name}.tsv.bz2", _require_whole, _NEXT), config, progress) for name in names
    ]


def fetch_all(text: str, config: DownloadConfig, progress: Progress) -> list[Downloaded]:
    """Download the sentences of the one language of `eng-*`, and of every other that it is linked with, with the links.

    The list of the others is the server's page of that language at the first time; later runs mean the same ones.

    Returns:
        The language's sentences; then sentences and links of each other one.

    Raises:
        RequestError: it names no code, or Tatoeba has no such language.
        IsoglotError: a download failed.
    """
    matched = _ALL.fullmatch(text)
    if matched is None:
        raise RequestError(f"tatoeba:{text} names no language before -*.", _NEXT)
    first = matched[1]
    base = config.tatoeba_url.rstrip("/")
    page = download(Remote(f"{base}/{first}/", _require_page, _NEXT), config, progress)
    listed = re.findall(
        rf'href="{first}-([a-z]{{3,4}})_links\.tsv\.bz2"', page.path.read_text("utf-8", "replace")
    )
    if not listed:
        raise RequestError(f"{base}/{first}/ lists no links to other languages.", _NEXT)
    names = [f"{first}/{first}_sentences"]
    for code in sorted(set(listed)):
        names += [f"{code}/{code}_sentences", f"{first}/{first}-{code}_links"]
    return [
        download(Remote(f"{base}/{name}.tsv.bz2", _require_whole, _NEXT), config, progress) for name in names
    ]


def read_terms(links: Downloaded | None = None) -> Licence:
    """Terms of Tatoeba's exports; with the date of the links where the server gave one, since they change weekly."""
    date = f", exported {links.modified}" if links and links.modified else ""
    return Licence(_TERMS, f"{_WORK}{date}.")


def read_linked(files: Sequence[Path], codes: str, corpus: str, border: Border) -> Iterator[Pair]:
    """Yield the linked sentences of two languages, in link order; only linked sentences are held in memory.

    A link to a sentence that is not there is passed over: the server writes the files at different times.

    Args:
        files: as `fetch_tatoeba` gives them: sentences of both languages, and links.
        codes: Tatoeba's codes, such as `eng-deu`.
        corpus: name for the pairs.
        border: makes the codes tags.

    Raises:
        DamagedError: a line has another number of columns.
    """
    links = [(cells[0], cells[1]) for _, cells in _rows(files[2], 2)]
    texts = []
    for side in (0, 1):
        linked = {link[side] for link in links}
        texts.append({cells[0]: cells[2] for _, cells in _rows(files[side], 3) if cells[0] in linked})
    tags = [border.tag(_own_code(code), f"tatoeba:{codes}") for code in codes.split("-")]
    for first, second in links:
        if first in texts[0] and second in texts[1]:
            yield Pair(texts[0][first], texts[1][second], tags[0], tags[1], corpus)


def export_files(folder: Path) -> tuple[Path, Path]:
    """Find `sentences` and `links`, as .tsv or .csv (both are tab separated), compressed or not.

    Raises:
        RequestError: one is missing.
    """
    found = []
    for name in ("sentences", "links"):
        candidates = [
            folder / f"{name}{kind}{packed}" for kind in (".tsv", ".csv") for packed in ("", *SUFFIXES)
        ]
        path = next((path for path in candidates if path.is_file()), None)
        if path is None:
            raise RequestError(
                f"{folder} has no {name}.tsv or {name}.csv.", "Give the folder of a Tatoeba export."
            )
        found.append(path)
    return found[0], found[1]


def _wanted_sentences(path: Path, border: Border) -> Iterator[tuple[int, str, bytes]]:
    for number, row in _rows(path, 3):
        if row[1] in ("", _UNKNOWN):
            continue
        tag = border.tag(_own_code(row[1]), path, number)
        if tag == border.source_lang or border.wants(tag):
            # as bytes, since what is not UTF-8 stays in its line, for the filter to count
            yield next(_ids(row, path, number)), tag, row[2].encode("utf-8", "surrogateescape")


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _insert(database: duckdb.DuckDBPyConnection, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    import pyarrow as pa

    while batch := list(itertools.islice(rows, _BATCH_ROWS)):
        columns = [list(column) for column in zip(*batch, strict=True)]
        names = database.table(table).columns
        database.from_arrow(pa.table(columns, names=names)).insert_into(table)


def _ids(cells: Sequence[str], path: Path, number: int) -> Iterator[int]:
    for cell in cells:
        if not (cell.isascii() and cell.isdigit() and len(cell) < 19):
            raise DamagedError(
                f"{path}, line {number}: {cell!r} is not the number of a sentence.", "Mend that line."
            )
        yield int(cell)


def _own_code(code: str) -> str:
    """Codes of Tatoeba's own stay apart as private use; nobody can mean them by accident."""
    return code if is_code(code) else f"x-{code}"


def _require_whole(path: Path) -> None:
    with path.open("rb") as file:
        for _ in unpack(file, ".bz2", path.name):
            pass


def _require_page(path: Path) -> None:
    if not path.stat().st_size:
        raise DamagedError("The list of languages is empty.", _NEXT)


def _rows(path: Path, width: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.removesuffix("\r").split("\t")  # or the last identifier of a line would match none
        if len(cells) != width:
            raise DamagedError(
                f"{path}, line {number}: {len(cells)} columns instead of {width}.", "Mend that line."
            )
        yield number, cells
