"""The language filter: drops a side that is clearly in another language than its tag says.

Only languages that the identifier knows are checked, and a close relative that it confuses with the right language is
never the wrong one: the filter finds text left in the source language and files with the wrong name, not dialects.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isoglot.config import CleanConfig
from isoglot.corpus.clean import identify
from isoglot.corpus.clean.column import Column, Mask
from isoglot.corpus.clean.filters import Batch
from isoglot.corpus.scripts import script_subtag, usual_script

OFF = 1.0  # the value of `language_probability` at which nothing is checked

# our language -> labels of the identifier that are the language, where it is not the code itself
_LABELS = {
    "sr": "sr hr bs", "hr": "hr bs sr", "bs": "bs hr sr", "sh": "sr hr bs", "cnr": "sr hr bs",
    "no": "no nn da", "nb": "no nn da", "nn": "nn no da", "da": "da no nn",
    "id": "id ms jv", "ms": "ms id", "zsm": "ms id",
    "cs": "cs sk", "sk": "sk cs",
    "zh": "zh wuu yue", "cmn": "zh wuu yue", "yue": "yue zh wuu", "wuu": "wuu zh yue",
    "pt": "pt gl", "gl": "gl pt es", "es": "es gl an ext", "an": "an es ca ext", "ext": "ext es an",
    "ca": "ca oc", "oc": "oc ca", "it": "it lij vec", "lij": "lij it vec", "vec": "vec it lij",
    "ar": "ar arz ary", "arb": "ar arz ary", "arz": "arz ar ary", "ary": "ary ar arz",
    "fa": "fa ps", "pes": "fa ps", "prs": "fa ps", "ps": "ps fa",
    "el": "el grc", "grc": "grc el", "he": "he hbo", "hbo": "hbo he",
    "az": "az tr crh tk", "azj": "az tr crh tk", "tr": "tr az", "tk": "tk tr az crh",
    "crh": "crh tr tt tk az uz ky ku",
    "tt": "tt ba crh tk kk ky tr", "ba": "ba tt kk", "kk": "kk ky tt ba ug crh", "ky": "ky kk tt",
    "pa": "pa ur", "fr": "fr wa", "nl": "nl af fy", "bn": "bn as", "as": "as bn", "ga": "ga gd", "gd": "gd ga",
    "uz": "uz uzs", "uzn": "uz uzs", "uzs": "uzs uz",
    "ku": "ku sdh", "kmr": "ku sdh", "sw": "sw", "swh": "sw",
    "ht": "ht gcf gcr", "gcf": "gcf gcr ht", "gcr": "gcr gcf ht", "en": "en pcm", "pcm": "pcm en",
    "ff": "fuv", "fuv": "fuv", "gn": "gug", "gug": "gug", "ki": "kik", "kok": "gom", "gom": "gom mr",
    "tl": "tl bcl", "fil": "tl bcl", "bcl": "bcl tl", "ig": "ig yo",
    "st": "st nso", "nso": "nso st", "xh": "xh zu", "zu": "zu xh",
    "et": "et", "ekk": "et", "lv": "lv ltg", "lvs": "lv ltg", "ltg": "ltg lv", "khk": "mn", "npi": "ne", "ory": "or",
    "pbt": "ps fa", "als": "sq", "quy": "qu", "plt": "mg", "gaz": "om",
    "be": "be uk ru", "uk": "uk be ru", "bg": "bg mk", "mk": "mk bg sr",
    "lb": "lb de", "fy": "fy nl", "af": "af nl", "wa": "wa fr", "fo": "fo is", "jv": "jv id ms",
}  # fmt: skip
# written in two scripts, and the identifier has learnt both
_BOTH_SCRIPTS = {"sr", "sh", "bs", "uz"}
_NO_LANGUAGE = "zxx"  # the identifier's label of numbers, formulas and the like


def wrong_language(batch: Batch, config: CleanConfig, alive: Mask) -> Mask:
    """Either side in another language than it should be, found with at least `language_probability`.

    Sides of fewer than `language_min_chars` characters (weighted) and languages that the identifier does not know
    are not looked at.
    """
    found = np.zeros(len(alive), np.bool_)
    if config.language_probability >= OFF:
        return found
    targets_seen: identify.Memory = {}  # they hardly ever come again
    sides = (
        (batch.target, batch.languages, batch.language, targets_seen),
        # a source sentence comes again with each of its translations, often in another file
        (batch.source, [batch.source_lang], np.zeros(len(alive), np.int64), _sources_seen()),
    )
    for column, tags, tag_of, memory in sides:
        rows = _to_check(column, tags, tag_of, config, alive & ~found)
        texts = [column.texts[row] for row in rows.tolist()]
        found[rows] = is_other(texts, tags, tag_of[rows], config.language_probability, memory)
    return found


@functools.cache
def _sources_seen() -> identify.Memory:
    return {}


def is_checked(tag: str) -> bool:
    """Tell whether the identifier knows the language of a canonical tag, in its script."""
    return accepted(tag) is not None


def is_other(
    texts: Sequence[str],
    tags: Sequence[str],
    tag_of: NDArray[np.int64],
    probability: float,
    memory: identify.Memory | None = None,
) -> Mask:
    """Tell which texts are in another language than their tag says.

    Args:
        texts: n texts.
        tags: canonical tags; rows of a tag that is not checked are never wrong.
        tag_of: int64 [n], the tag of each text.
        probability: the identifier's least probability, in (0, 1).
        memory: what the identifier said of texts before.

    Returns:
        bool [n].
    """
    if not len(texts):
        return np.zeros(0, np.bool_)
    best, chance = identify.most_probable(texts, {} if memory is None else memory)
    labels = identify.model().labels
    allowed = np.ones((len(tags), len(labels)), np.bool_)
    for number, tag in enumerate(tags):
        own = accepted(tag)
        if own is not None:
            allowed[number] = [label in own for label in labels]
    other: Mask = (chance >= probability) & ~allowed[tag_of, best]
    return other


@functools.cache
def accepted(tag: str) -> frozenset[str] | None:
    """Return the identifier's labels that are no mistake for a tag, or None when it does not know the language."""
    language, script = tag.split("-")[0], script_subtag(tag)
    own = frozenset(_LABELS.get(language, language).split())
    usual = script in (None, usual_script(language), "Hans", "Hant")
    if not own & set(identify.model().labels) or not (usual or language in _BOTH_SCRIPTS):
        return None
    return own | {_NO_LANGUAGE}


def _to_check(
    column: Column, tags: Sequence[str], tag_of: NDArray[np.int64], config: CleanConfig, alive: Mask
) -> NDArray[np.intp]:
    long = np.flatnonzero(alive & (column.weighted_lengths >= config.language_min_chars))
    if not len(long):
        return long  # so few texts that the model need not be loaded
    known = np.array([is_checked(tag) for tag in tags], np.bool_)
    return long[known[tag_of[long]]]
