"""Texts in one form: Unicode NFC, single spaces, nothing invisible. Repairing never drops a row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from isoglot.corpus.clean import characters
from isoglot.corpus.clean.column import Column, Mask

_SPACE = 0x20
_JOINERS = "\u200c\u200d"
# between letters of Arabic or Indic scripts and inside emoji the joiners mean something; beside Latin, nothing
_LOOSE_JOINER = re.compile(rf"(?<![^\x00-\u024f])[{_JOINERS}]|[{_JOINERS}](?![^\x00-\u024f])")
# white space among the control characters separates words, so it goes with the spaces
_NOTHING = dict.fromkeys(
    [
        *(number for number in range(0xA0) if unicodedata.category(chr(number)) == "Cc" and not chr(number).isspace()),
        *map(ord, characters.ZERO_WIDTH - set(_JOINERS)),
    ]
)  # fmt: skip


def repair(text: str) -> str:
    """Return `text` in NFC, without control and zero-width characters, trimmed, with single spaces."""
    visible = _LOOSE_JOINER.sub("", text.translate(_NOTHING))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def repair_mojibake(text: str) -> str:
    """Return `text` with wrongly decoded characters put right (`schÃ¶n` -> `schön`), as ftfy sees them.

    Raises:
        RequestError: ftfy is not installed.
    """
    try:
        import ftfy
    except ModuleNotFoundError as error:
        from isoglot.errors import RequestError

        raise RequestError(
            "corpus.clean.repair_mojibake needs ftfy.", "Install it: pip install 'isoglot[clean]'."
        ) from error
    return str(ftfy.fix_encoding(text))


def repaired(texts: Sequence[str], *, mojibake: bool = False) -> Column:
    """Return the column of the repaired texts; the few that need it are repaired one by one."""
    if mojibake:
        texts = [text if text.isascii() else repair_mojibake(text) for text in texts]
    column = Column.of(texts)
    rows = np.flatnonzero(_needs_repair(column)).tolist()
    if not rows:
        return column
    mended = list(texts)
    for row in rows:
        mended[row] = repair(mended[row])
    return Column.of(mended)


def _needs_repair(column: Column) -> Mask:
    """Tell which texts `repair` may change; it leaves all others as they are."""
    needed = column.has(characters.INVISIBLE | characters.SPACE)
    for row in np.flatnonzero(column.has(characters.COMPOSING) & ~needed).tolist():
        needed[row] = not unicodedata.is_normalized("NFC", column.texts[row])
    space = column.codes == _SPACE
    needed[column.rows_of(np.flatnonzero(space[1:] & space[:-1]))] = True
    filled = column.lengths > 0
    needed[filled] |= space[column.starts[:-1][filled]] | space[column.starts[1:][filled] - 1]
    return needed
