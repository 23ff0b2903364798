"""One record with named fields, from JSON or Parquet, becomes sentence pairs."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from isoglot.corpus.formats.names import Languages, field_names, language_fields
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError

_FIELDS = {"source", "target", "source_lang", "target_lang", "translation"}


def record_pairs(
    record: Mapping[str, Any], where: str, corpus: str, border: Border, languages: Languages | None
) -> Iterator[Pair]:
    """Yield the pairs of one record.

    Three shapes are known: `source` and `target`, with `source_lang` and `target_lang` or `languages`;
    `translation` with one text per language code; and one text per language code at the top.

    Raises:
        RequestError: it has none of these shapes, or its languages are unknown.
        DamagedError: a text is not text.
    """
    record = dict(zip(_names(tuple(record)), record.values(), strict=True))
    if "source" in record and "target" in record:
        source_lang, target_lang = _sides(record, where, languages)
        yield Pair(
            _text(record["source"], "source", where),
            _text(record["target"], "target", where),
            border.tag(source_lang, where),
            border.tag(target_lang, where),
            corpus,
        )
    elif isinstance(record.get("translation"), Mapping):
        yield from _by_language(record["translation"], where, corpus, border)
    elif len(codes := _codes(tuple(record))) > 1:
        yield from _by_language({code: record[code] for code in codes}, where, corpus, border)
    else:
        raise RequestError(
            f"{where}: found {', '.join(map(repr, record)) or 'nothing'}, which names no sentence pair.",
            'Give "source" and "target", or "translation" with one text per language code.',
        )


def record_fields(fields: Sequence[str]) -> list[str]:
    """Return those fields that `record_pairs` may look at; all when it knows none, for its error."""
    known = _codes(tuple(fields))
    needed = [field for field in fields if field in known or _names((field,))[0] in _FIELDS]
    return needed or list(fields)


@functools.lru_cache(1024)
def _names(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(field_names(fields))


@functools.lru_cache(1024)
def _codes(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(fields[place] for place in language_fields(fields))


def _sides(record: Mapping[str, Any], where: str, languages: Languages | None) -> Languages:
    if record.get("source_lang") and record.get("target_lang"):
        return str(record["source_lang"]), str(record["target_lang"])
    if languages is None:
        raise RequestError(
            f"{where}: nothing says which languages source and target are.",
            "Add source_lang and target_lang, put #en-de behind the file name, or name it like x.en-de.jsonl.",
        )
    return languages


def _by_language(texts: Mapping[str, Any], where: str, corpus: str, border: Border) -> Iterator[Pair]:
    """Pair the source language, or the first one when it is missing, with each other one."""
    tagged = {border.tag(code, where): _text(text, code, where) for code, text in texts.items()}
    first = border.source_lang if border.source_lang in tagged else next(iter(tagged), "")
    for tag, text in tagged.items():
        if tag != first:
            yield Pair(tagged[first], text, first, tag, corpus)


def _text(value: object, field: str, where: str) -> str:
    if value is None:
        return ""  # the filter "empty" counts it
    if not isinstance(value, str):
        raise DamagedError(
            f"{where}: {field!r} is {type(value).__name__}, not text.", "Mend or remove that record."
        )
    return value
