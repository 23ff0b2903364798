"""One record with named fields, from JSON or Parquet, becomes sentence pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from isoglot.corpus.formats.names import Languages, field_names, language_fields
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.errors import DamagedError, RequestError


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
    record = dict(zip(field_names(list(record)), record.values(), strict=True))
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
    elif len(places := language_fields(list(record))) > 1:
        fields = list(record)
        yield from _by_language(
            {fields[place]: record[fields[place]] for place in places}, where, corpus, border
        )
    else:
        raise RequestError(
            f"{where}: found {', '.join(map(repr, record)) or 'nothing'}, which names no sentence pair.",
            'Give "source" and "target", or "translation" with one text per language code.',
        )


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
