"""A corpus folder in the formats that others read, one row at a time; what is written, our readers read back equal."""

from __future__ import annotations

import html
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby, islice
from pathlib import Path
from typing import IO, NamedTuple

from isoglot.corpus.formats.packed import SUFFIXES
from isoglot.corpus.languages import parse
from isoglot.corpus.packing import create_text
from isoglot.corpus.split import SPLITS, Split
from isoglot.corpus.store import NOTICE, Corpus
from isoglot.corpus.stream import Row, rows
from isoglot.disk import write_atomic, written_whole
from isoglot.errors import RequestError
from isoglot.progress import SILENT, Progress, counted

FIELDS = ("source_lang", "target_lang", "source", "target", "corpus", "split")
_OPEN_LANGUAGES = 100  # Moses: written side by side, two files each; more take another pass over the corpus
_BATCH_ROWS = 16_384
_BREAKS = re.compile(
    r"[\t\n\r]"
)  # end a cell or a line of a table; no text of a corpus that isoglot built has one
_NOT_XML = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # XML 1.0, production 2, negated


@dataclass(frozen=True)
class Wanted:
    """Which part of a corpus to write.

    Attributes:
        corpus: the folder.
        splits: in this order.
        languages: canonical tags of target languages.
    """

    corpus: Corpus
    splits: tuple[Split, ...]
    languages: tuple[str, ...]

    @property
    def source_lang(self) -> str:
        """Canonical tag of the source side."""
        return str(self.corpus.manifest.config["source_lang"])

    @property
    def pairs(self) -> int:
        """How many there are."""
        of = self.corpus.manifest.counts["languages"]
        return sum(of[tag]["splits"][split] for tag in self.languages for split in self.splits)


class Exported(NamedTuple):
    """What was written: the files, without the notice beside them, and the number of pairs."""

    files: tuple[Path, ...]
    pairs: int


class _Pair(NamedTuple):
    split: Split
    row: Row


def export(wanted: Wanted, form: str, out: Path, progress: Progress = SILENT) -> Exported:
    """Write a part of a corpus as one of `FORMATS`, with its terms in a file `<out>.NOTICE` beside it.

    Memory does not grow with the corpus. Each file gets its name only when it is whole, and the same corpus gives
    the same bytes. A name that ends in .gz, .bz2, .xz or .zst is packed.

    Args:
        wanted: which part of which corpus, as `choose` gives it.
        form: moses writes `<out>.<source>-<target>.<language>`, two files per language; the others write `out`.
        out: file, or for moses the beginning of names.
        progress: where to report.

    Raises:
        RequestError: no such format, or nothing to write, or `out` cannot be written in that format.
        DamagedError: the corpus cannot be read.
        IsoglotError: the disk is full.
    """
    corpus = wanted.corpus
    if form not in FORMATS:
        raise RequestError(f"{form!r} is no format isoglot writes.", f"Choose one of {', '.join(FORMATS)}.")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise RequestError(f"{out} is no name for a file.", "Give --out a file name in a folder that exists.")
    if form == "parquet" and out.suffix in SUFFIXES:
        raise RequestError(f"{out}: Parquet is packed on its own.", f"Write --out {out.with_suffix('')}.")
    if not wanted.pairs:
        raise RequestError(f"{corpus.folder} has no such pairs.", "Choose other --languages or --split.")
    write_atomic(out.with_name(out.name + f".{NOTICE}"), corpus.notice)
    with progress.task(f"writing {out.name}", wanted.pairs, "pairs") as task:

        def read(languages: Sequence[str]) -> Iterator[_Pair]:
            for split in wanted.splits:
                for row in counted(rows(corpus, split, frozenset(languages)), task):
                    yield _Pair(split, row)

        return Exported(tuple(FORMATS[form](out, wanted, read)), wanted.pairs)


def choose(corpus: Corpus, languages: Iterable[str] = (), split: str = "") -> Wanted:
    """Check what is asked for: codes of languages, empty for all, and one split, empty for all.

    Raises:
        RequestError: no such language or split in the corpus.
    """
    if split and split not in SPLITS:
        raise RequestError(f"There is no split {split!r}.", f"Choose one of {', '.join(SPLITS)}.")
    tags = sorted({parse(code) for code in languages})
    missing = [tag for tag in tags if tag not in corpus.languages]
    if missing:
        raise RequestError(
            f"{corpus.folder} has no pairs in {', '.join(missing)}.",
            f"See `isoglot corpus languages {corpus.folder}`.",
        )
    chosen = tuple(one for one in SPLITS if split in ("", one))
    return Wanted(corpus, chosen, tuple(tags) or corpus.languages)


_Read = Callable[[Sequence[str]], Iterator[_Pair]]


def _write_moses(out: Path, wanted: Wanted, read: _Read) -> list[Path]:
    """Two files per language, whose lines translate each other."""
    files: list[Path] = []
    for start in range(0, len(wanted.languages), _OPEN_LANGUAGES):
        languages = wanted.languages[start : start + _OPEN_LANGUAGES]
        with ExitStack() as stack:
            opened: dict[str, tuple[IO[str], IO[str]]] = {}
            for tag in languages:
                paths = moses_files(out, wanted.source_lang, tag)
                files += paths
                source, target = (stack.enter_context(create_text(path)) for path in paths)
                opened[tag] = source, target
            for _, row in read(languages):
                source, target = opened[row.lang]
                source.write(_cell(row.source) + "\n")
                target.write(_cell(row.target) + "\n")
    return files


def moses_files(out: Path, source_lang: str, tag: str) -> tuple[Path, Path]:
    """Names of the two files of a language: `x/train.gz` -> `x/train.en-de.en.gz`, `x/train.en-de.de.gz`."""
    packed = out.suffix if out.suffix in SUFFIXES else ""
    stem = out.name.removesuffix(packed)
    source, target = (
        out.with_name(f"{stem}.{source_lang}-{tag}.{side}{packed}") for side in (source_lang, tag)
    )
    return source, target


def _write_tsv(out: Path, wanted: Wanted, read: _Read) -> list[Path]:
    """A header and one line per pair; no quoting, as in all TSV that isoglot reads."""
    with create_text(out) as file:
        file.write("\t".join(FIELDS) + "\n")
        for pair in read(wanted.languages):
            file.write("\t".join(map(_cell, _values(pair, wanted))) + "\n")
    return [out]


def _write_jsonl(out: Path, wanted: Wanted, read: _Read) -> list[Path]:
    with create_text(out) as file:
        for pair in read(wanted.languages):
            record = dict(zip(FIELDS, _values(pair, wanted), strict=True))
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return [out]


def _write_parquet(out: Path, wanted: Wanted, read: _Read) -> list[Path]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, pairs = pa.schema([(field, pa.string()) for field in FIELDS]), read(wanted.languages)
    with written_whole(out) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        while batch := [_values(pair, wanted) for pair in islice(pairs, _BATCH_ROWS)]:
            columns = [list(column) for column in zip(*batch, strict=True)]
            writer.write_batch(
                pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=schema)
            )
    return [out]


def _write_tmx(out: Path, wanted: Wanted, read: _Read) -> list[Path]:
    """TMX 1.4: one unit per source sentence; further translations into the same language get units of their own."""
    with create_text(out) as file:
        file.write(_tmx_head(wanted))
        for (split, _), pairs in groupby(
            read(wanted.languages), key=lambda pair: (pair.split, pair.row.group)
        ):
            units: defaultdict[int, list[Row]] = defaultdict(list)
            seen: Counter[str] = Counter()
            for _, row in pairs:
                units[seen[row.lang]].append(row)
                seen[row.lang] += 1
            file.writelines(_tmx_unit(unit, split, wanted.source_lang) for unit in units.values())
        file.write("</body>\n</tmx>\n")
    return [out]


def _tmx_head(wanted: Wanted) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4">\n'
        f'<header creationtool="isoglot" creationtoolversion="{_xml(version("isoglot"))}" segtype="sentence"'
        f' o-tmf="isoglot" adminlang="en" srclang="{_xml(wanted.source_lang)}" datatype="plaintext">\n'
        f"<note>{_xml(wanted.corpus.notice.strip())}</note>\n</header>\n<body>\n"
    )


def _tmx_unit(unit: Sequence[Row], split: Split, source_lang: str) -> str:
    lines = [f'<tu><prop type="x-split">{split}</prop>', _tmx_side(source_lang, unit[0].source)]
    lines += [
        _tmx_side(row.lang, row.target, f'<prop type="x-corpus">{_xml(row.corpus)}</prop>') for row in unit
    ]
    return "\n".join([*lines, "</tu>\n"])


def _tmx_side(tag: str, text: str, said: str = "") -> str:
    return f'<tuv xml:lang="{_xml(tag)}">{said}<seg>{_xml(text)}</seg></tuv>'


def _xml(text: str) -> str:
    """Text for an element or an attribute; a character that XML cannot carry becomes U+FFFD."""
    # a parser would read a plain carriage return as a line feed
    return html.escape(_NOT_XML.sub("\ufffd", text)).replace("\r", "&#13;")


def _cell(text: str) -> str:
    return _BREAKS.sub(" ", text)


def _values(pair: _Pair, wanted: Wanted) -> tuple[str, ...]:
    row = pair.row
    return wanted.source_lang, row.lang, row.source, row.target, row.corpus, pair.split


FORMATS: dict[str, Callable[[Path, Wanted, _Read], list[Path]]] = {
    "moses": _write_moses,
    "tmx": _write_tmx,
    "tsv": _write_tsv,
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
}
