"""The script filter: drops a side whose letters are not those that its language is written in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isoglot.config import CleanConfig
from isoglot.corpus.clean.column import Column, Mask
from isoglot.corpus.clean.filters import Batch
from isoglot.corpus.scripts import expected_scripts, script_codes, script_of


def wrong_script(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """Either side with less than `min_script` of its letters in a script of its language.

    Languages whose scripts are not known, and sides without a letter, pass.
    """
    if config.min_script == 0:
        return np.zeros(len(batch), np.bool_)
    everywhere = np.zeros(len(batch), np.int64)
    return _foreign(batch.target, batch.languages, batch.language, config.min_script) | _foreign(
        batch.source, [batch.source_lang], everywhere, config.min_script
    )


def _foreign(column: Column, tags: Sequence[str], tag_of: NDArray[np.int64], least: float) -> Mask:
    wanted = np.array([_is_wanted(tag) for tag in tags])
    # nothing but ASCII: every letter is Latin
    latin = wanted[:, script_codes().index("Latn")][tag_of]
    rows = np.flatnonzero(~(latin & (column.ascii_lengths == column.lengths)))
    part = Column.of([column.texts[row] for row in rows.tolist()])
    scripts = script_of().take(part.codes, mode="clip")
    cells = np.repeat(tag_of[rows].astype(np.int32) * wanted.shape[1], part.lengths) + scripts
    found = np.zeros(len(tag_of), np.bool_)
    found[rows] = part.count(wanted.ravel().take(cells)) < least * part.count(scripts != 0)
    return found


def _is_wanted(tag: str) -> NDArray[np.bool_]:
    """Tell of each script whether its letters belong to a language; shared characters (place 0) never count."""
    expected = expected_scripts(tag)
    return np.array([bool(code) and (expected is None or code in expected) for code in script_codes()])
