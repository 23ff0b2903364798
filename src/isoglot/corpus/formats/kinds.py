"""Which reader reads a file, by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePath

from isoglot.config import ReadConfig
from isoglot.corpus.formats.file import File
from isoglot.corpus.formats.gettext import read_gettext
from isoglot.corpus.formats.jsonl import read_jsonl
from isoglot.corpus.formats.names import Languages
from isoglot.corpus.formats.packed import plain_name
from isoglot.corpus.formats.parquet import read_parquet
from isoglot.corpus.formats.table import read_table
from isoglot.corpus.formats.tmx import read_tmx
from isoglot.corpus.formats.xces import alignment_documents, read_xces
from isoglot.corpus.formats.xliff import read_xliff
from isoglot.corpus.formats.xml import root_name
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import RequestError

Reader = Callable[[File, str, Border, Languages | None], Iterator[Pair]]


def reader_of(file: File, read: ReadConfig) -> tuple[Reader, list[Path]]:
    """Return the reader of a file, set to what `read` says, and the other files it needs.

    Raises:
        RequestError: there is none, or a file it needs is missing.
        DamagedError: it is XML and broken.
    """
    kind = kind_of(file)
    if kind == "xml":
        kind = root_name(file)
    match kind:
        case "tsv" | "csv" | "txt":
            return partial(read_table, columns=read.columns), []
        case "jsonl" | "ndjson":
            return read_jsonl, []
        case "parquet":
            return _on_disk(read_parquet), []
        case "tmx":
            return read_tmx, []
        case "xlf" | "xliff":
            return read_xliff, []
        case "po" | "mo":
            return read_gettext, []
        case "cesAlign":
            return _on_disk(read_xces), alignment_documents(_path(file))
        case unknown:
            raise RequestError(
                f"{file}: isoglot has no reader for .{unknown} files.",
                "A SOURCE is .tsv, .csv, .jsonl, .parquet, .tmx, .xlf, .po, .mo, OPUS .xml, or an archive of them.",
            )


def kind_of(file: PurePath | File) -> str:
    """Ending of a name without its compression: `pairs.TSV.gz` -> `tsv`."""
    return plain_name(file).rpartition(".")[2]


def _on_disk(read: Callable[[Path, str, Border, Languages | None], Iterator[Pair]]) -> Reader:
    return lambda file, corpus, border, languages: read(_path(file), corpus, border, languages)


def _path(file: File) -> Path:
    if not isinstance(file, Path):
        raise RequestError(f"{file} cannot be read inside an archive.", "Take it out of the archive first.")
    return file
