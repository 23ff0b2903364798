"""A report made of one hostile text."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, get_origin, get_type_hints

from isoglot.evaluate.report import data


def everywhere(report: data.Report, text: str) -> data.Report:
    """The report with `text` in place of every text in it, new fields included; choices and numbers stay."""
    return _replaced(report, text)


def _replaced(value, text):
    if dataclasses.is_dataclass(value):
        choices = get_type_hints(type(value))
        changes = {
            field.name: _replaced(getattr(value, field.name), text)
            for field in dataclasses.fields(value)
            if get_origin(choices[field.name]) is not Literal
        }
        return dataclasses.replace(value, **changes)
    if isinstance(value, str):
        return text
    if isinstance(value, Mapping):
        return {
            key if key in data.STAGES or isinstance(key, int) else f"{text} {number}": _replaced(item, text)
            for number, (key, item) in enumerate(value.items())
        }
    if isinstance(value, tuple):
        return tuple(_replaced(item, text) for item in value)
    return value
