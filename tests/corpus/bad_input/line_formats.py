"""Every line format with rows whose two sides carry the same number, so that a shift shows."""

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.corpus.source import open_source

Rows = Sequence[tuple[bytes, bytes]]  # the two sides of each row, in whatever bytes

# what is put into a text, and why the row is then dropped; None: it is kept
ODD: dict[str, tuple[bytes, str | None]] = {
    "plain": (b"plain", None),
    "invalid byte": (b"\xff", "not Unicode"),
    "cut sequence": (b"\xe2\x82", "not Unicode"),
    "overlong slash": (b"\xc0\xaf", "not Unicode"),
    "surrogate in UTF-8": (b"\xed\xa0\x80", "not Unicode"),
    "above U+10FFFF": (b"\xf4\x90\x80\x80", "not Unicode"),
    "latin-1": ("Tür".encode("latin-1"), "not Unicode"),
    "latin-1 and UTF-8": ("Tür ".encode("latin-1") + "Tür".encode(), "not Unicode"),
    "cp1252 quotes": ("“so”".encode("cp1252"), "not Unicode"),
    "Shift-JIS": ("日本".encode("shift_jis"), "not Unicode"),
    "NUL": (b"\0", None),
    "BOM": ("\ufeff".encode(), None),
    "CR": (b"\r", None),
    "CR CR": (b"a\r\rb", None),
    "NEL": ("\x85".encode(), None),
    "U+2028": ("\u2028".encode(), None),
    "U+2029": ("\u2029".encode(), None),
    "VT": (b"\v", None),
    "FF": (b"\f", None),
    "FS GS RS US": (b"\x1c\x1d\x1e\x1f", None),
    "escape sequence": (b"\x1b[31mred\x1b[0m", None),
    "backspace": (b"\b\b", None),
    "DEL": (b"\x7f", None),
    "RTL override": ("\u202eabc\u202c".encode(), None),
    "isolates": ("\u2067abc\u2069".encode(), None),
    "ZWSP": ("a\u200bb".encode(), None),
    "ZWJ": ("\U0001f469\u200d\U0001f4bb".encode(), None),
    "word joiner": ("a\u2060b".encode(), None),
    "soft hyphen": ("Dampf\u00adschiff".encode(), None),
    "tag characters": ("\U000e0041\U000e007f".encode(), None),
    "noncharacter": ("\uffff".encode(), "not Unicode"),
    "private use": ("\ue000".encode(), None),
    "replacement character": ("\ufffd".encode(), "not Unicode"),
    "combining marks": (("a" + "\u0301" * 10).encode(), None),
    "astral": ("\U0001f600".encode(), None),
    "quotes": (b"\"a\" 'b'", None),
    "backslashes": (rb"a\n\t\\", None),
    "10 MB": (b"ab " * (10 * 2**20 // 3), "too long"),
}  # fmt: skip


@dataclass(frozen=True)
class LineFormat:
    """A line format.

    Attributes:
        write: writes rows into a folder and returns the SOURCE.
        separators: bytes that no text of it can hold.
        strict: bytes that are not UTF-8 make the whole file a damaged one, not only their row.
        files: the files that `write` writes.
    """

    write: Callable[[Path, Rows], str]
    files: tuple[str, ...]
    separators: bytes = b"\n"
    strict: bool = False


def numbered(odd: Sequence[bytes], side: str = "both") -> list[tuple[bytes, bytes]]:
    """Rows of plain sentences with their number on both sides and something odd in one or both of them."""
    return [
        (
            b"S%d The door %s is open." % (number, what if side != "target" else b"here"),
            b"T%d Die Haustuer %s ist offen." % (number, what if side != "source" else b"hier"),
        )
        for number, what in enumerate(odd)
    ]


def read_all(source: str) -> list[Pair]:
    return list(open_source(source).read(Border()))


def require_aligned(pairs: Sequence[Pair]) -> None:
    """Check that both sides of every pair carry the same number."""
    for pair in pairs:
        left, right = re.match(r"S(\d+) ", pair.source), re.match(r"T(\d+) ", pair.target)
        assert left and right and left[1] == right[1], pair


def as_text(data: bytes) -> str:
    """Bytes as the readers give them: what is not UTF-8 becomes lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def is_utf8(data: bytes) -> bool:
    return data == data.decode("utf-8", "ignore").encode()


def _tsv(folder: Path, rows: Rows) -> str:
    path = folder / "x.en-de.tsv"
    path.write_bytes(b"".join(b"%s\t%s\n" % row for row in rows))
    return str(path)


def _csv(folder: Path, rows: Rows) -> str:
    made = io.StringIO(newline="")
    csv.writer(made, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [*map(as_text, row)] for row in rows
    )
    path = folder / "x.en-de.csv"
    path.write_bytes(made.getvalue().encode("utf-8", "surrogateescape"))
    return str(path)


def _jsonl(folder: Path, rows: Rows, *, ascii_only: bool = False) -> str:
    path = folder / "x.en-de.jsonl"
    lines = [
        json.dumps(dict(zip(("source", "target"), map(as_text, row), strict=True)), ensure_ascii=ascii_only)
        for row in rows
    ]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    return str(path)


def _moses(folder: Path, rows: Rows) -> str:
    for side, name in enumerate(("x.en", "x.de")):
        (folder / name).write_bytes(b"".join(row[side] + b"\n" for row in rows))
    return f"moses:{folder}/x.en,{folder}/x.de"


def _words(folder: Path, rows: Rows) -> str:
    return "muse:" + _tsv(folder, rows)


def _titles(folder: Path, rows: Rows) -> str:
    path = folder / "x.en-de.tsv"
    path.write_bytes(b"".join(b"%s ||| %s\n" % row for row in rows))
    return f"wikititles:{path}"


def _tatoeba(folder: Path, rows: Rows) -> str:
    with (folder / "sentences.csv").open("wb") as sentences, (folder / "links.csv").open("wb") as links:
        for number, row in enumerate(rows):
            sentences.write(b"%d\teng\t%s\n" % (2 * number, row[0]))
            sentences.write(b"%d\tdeu\t%s\n" % (2 * number + 1, row[1]))
            links.write(b"%d\t%d\n%d\t%d\n" % (2 * number, 2 * number + 1, 2 * number + 1, 2 * number))
    return f"tatoeba:{folder}"


def _po(folder: Path, rows: Rows) -> str:
    head = b'msgid ""\nmsgstr "Language: de\\nContent-Type: text/plain; charset=UTF-8\\n"\n'
    entries = [b'\nmsgid "%s"\nmsgstr "%s"\n' % (_in_po(source), _in_po(target)) for source, target in rows]
    (folder / "x.po").write_bytes(head + b"".join(entries))
    return str(folder / "x.po")


def _in_po(text: bytes) -> bytes:
    return text.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\r", b"\\r")


FORMATS = {
    "tsv": LineFormat(_tsv, ("x.en-de.tsv",), b"\t\n"),
    "csv": LineFormat(_csv, ("x.en-de.csv",)),
    "jsonl": LineFormat(_jsonl, ("x.en-de.jsonl",)),
    "jsonl escapes": LineFormat(lambda folder, rows: _jsonl(folder, rows, ascii_only=True), ("x.en-de.jsonl",)),
    "moses": LineFormat(_moses, ("x.en", "x.de")),
    "words": LineFormat(_words, ("x.en-de.tsv",), b"\t\n"),
    "titles": LineFormat(_titles, ("x.en-de.tsv",), b"\t\n|"),
    "tatoeba": LineFormat(_tatoeba, ("sentences.csv", "links.csv"), b"\t\n"),
    "po": LineFormat(_po, ("x.po",), strict=True),
}  # fmt: skip
