"""An overview of a corpus as text: tables and bars that stay readable with 500 languages."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from isoglot.cli.console import count, printable
from isoglot.cli.corpus.folder import SPLITS

if TYPE_CHECKING:
    from isoglot.corpus.overview import Overview, Part

MOST_ROWS = 20  # of a table, unless all are asked for
_MOST_REASONS = 3  # named in one row of a table
_LEAST = 1000  # reasons below one row in so many are not named
_BAR = 28  # characters
_EIGHTHS = "▏▎▍▌▋▊▉"
_MOST_WIDE = 160
_LEAST_WIDE = 8  # of a last column: a word is whole
_BETWEEN = 3  # characters between two columns
_MOST_NAME = 20


def reasons(overview: Overview) -> str:
    """Draw why rows were dropped, most first, with the corpus and language that lost most to each reason."""
    longest = max(overview.total.dropped.values(), default=0)
    rows = []
    for reason, lost in overview.total.reasons:
        worst = max(overview.parts, key=lambda part: part.dropped.get(reason, 0))
        where = f"most in {worst.corpus}, {worst.lang}: {count(worst.dropped.get(reason, 0))}"
        rows.append([reason, _bar(lost, longest), count(lost), _share(lost, overview.total.read), where])
    return table(["Dropped", "", "rows", "", ""], rows, right=(2, 3))


def languages(overview: Overview, most: int | None) -> str:
    """List the languages with rows, splits, share of training, and why rows were dropped."""
    mixing, shown = overview.mixing, overview.languages[:most]
    rows = [
        [
            language.part.lang, _cut(language.name, _MOST_NAME), count(language.part.kept),
            f"{100 * language.share:.2f} %",
            *(count(language.splits[split]) for split in SPLITS), count(language.part.read), *_why(language.part),
        ]
        for language in shown
    ]  # fmt: skip
    heads = ["Language", "", "kept", "share", *SPLITS, "read", "dropped", "why"]
    notes = [
        f"share: of the translations drawn in one epoch, at most {mixing.targets_per_group} per source sentence, "
        f"at temperature {mixing.temperature:g}",
        *_more(len(shown), len(overview.languages), "languages, those with most kept rows"),
    ]
    if overview.unchecked:
        notes.append(f"{count(overview.unchecked)} rows are in languages that the identifier does not know")
    return "\n".join([table(heads, rows, right=range(2, 9)), *notes])


def parts(overview: Overview, most: int | None) -> str:
    """List corpora and languages, those that lost most rows first."""
    shown = overview.parts[:most]
    rows = [
        [part.corpus, part.lang, count(part.read), count(part.kept), *_why(part)]
        for part in shown
    ]  # fmt: skip
    notes = _more(len(shown), len(overview.parts), "corpora and languages, those with most dropped rows")
    return "\n".join(
        [table(["Corpus", "language", "read", "kept", "dropped", "why"], rows, range(2, 5)), *notes]
    )


def lengths(overview: Overview) -> str:
    """Draw how long the kept sentences are, in characters."""
    edges = overview.edges
    names = [*(f"{low}-{high - 1}" for low, high in pairwise(edges)), f"{edges[-1]} and more"]
    sides = (overview.source_lengths, overview.target_lengths or (0,) * len(edges))
    columns = [[(_bar(rows, max(side)), count(rows)) for rows in side] for side in sides]
    rows = [
        [name, source[1], source[0], target[1], target[0]]
        for name, source, target in zip(names, *columns, strict=True)
    ]
    return table(["Characters", "sources", "", "translations", ""], rows, right=(0, 1, 3))


def examples(overview: Overview, most: int) -> str:
    """Show dropped rows of every reason, each of another language while there are some."""
    lines = ["Examples of dropped rows"]
    for reason, _ in overview.total.reasons:
        for number, row in enumerate(overview.examples_of(reason, most)):
            lines += [] if number else ["", reason]
            lines += [f"  {row['lang']:<8} {row['corpus']}"]
            lines += [_cut(f"    {printable(row[side])}", _width()) for side in ("source", "target")]
    return "\n".join(lines)


def terms(overview: Overview, most: int | None) -> str:
    """Terms and attribution of the sources; of many sources only the first."""
    lines = overview.notice.rstrip().splitlines()
    shown = lines[:most]
    return "\n".join([*shown, *_more(len(shown), len(lines), "lines of NOTICE")])


def _why(part: Part) -> list[str]:
    """Rows dropped, and the main reasons in percent of the rows read."""
    named = [(reason, lost) for reason, lost in part.reasons if lost * _LEAST >= part.read][:_MOST_REASONS]
    named = named or list(part.reasons[:1])
    shown = [f"{reason} {_share(lost, part.read)}" for reason, lost in named]
    return [count(part.lost), ", ".join([*shown, *["..."] * (len(part.dropped) > len(named))])]


def _more(shown: int, known: int, of: str) -> list[str]:
    return [f"{shown} of {count(known)} {of}; --all lists every one"] if shown < known else []


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} %"


def _bar(value: int, longest: int) -> str:
    """A bar in eighths of a character, never empty for what is there at all."""
    eighths = max(round(8 * _BAR * value / max(longest, 1)), int(value > 0))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8 - 1 : eighths % 8]


def _width() -> int:
    return min(shutil.get_terminal_size((_MOST_WIDE, 1)).columns, _MOST_WIDE)


def _cut(text: str, width: int) -> str:
    from rich.text import Text

    shown = Text(text)
    shown.truncate(width, overflow="ellipsis")
    return shown.plain


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Iterable[int]) -> str:
    """Columns under heads; only the last one is cut where the line is full, numbers never are."""
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown, numbers = Table(box=SIMPLE_HEAD, pad_edge=False), set(right)
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [
        max(cell_len(cell) for cell in (head, *(row[place] for row in cells)))
        for place, head in enumerate(heads)
    ]
    left = _width() - sum(widths[:-1]) - _BETWEEN * len(heads)
    widths[-1] = max(_LEAST_WIDE, min(widths[-1], left))
    for place, (head, width) in enumerate(zip(heads, widths, strict=True)):
        justify: Literal["left", "right"] = "right" if place in numbers else "left"
        shown.add_column(head, justify=justify, no_wrap=True, overflow="ellipsis", width=width)
    for row in cells:
        shown.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    text = io.StringIO()
    needed = sum(widths) + _BETWEEN * len(heads)
    Console(file=text, width=max(_width(), needed), color_system=None).print(shown)
    return "\n".join(line[1:].rstrip() for line in text.getvalue().splitlines() if line.strip())
