"""Thirty texts that a corpus could hold to attack whoever opens the report, and a report made of one of them.

Each attack that runs would set `window.canary` or open a dialog.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from isoglot.evaluate.report import data

PAYLOADS = (
    "<script>window.canary=1</script>",
    "</script><script>window.canary=1</script>",
    "</style><script>window.canary=1</script>",
    "</title><script>window.canary=1</script>",
    "<img src=x onerror=window.canary=1>",
    "<svg onload=window.canary=1>",
    "<svg><script>window.canary=1</script></svg>",
    "<svg><animate onbegin=window.canary=1 attributeName=x dur=1s>",
    "]]><script>window.canary=1</script>",
    "<![CDATA[<script>window.canary=1</script>]]>",
    "--><script>window.canary=1</script><!--",
    '" onmouseover="window.canary=1" x="',
    "' onfocus='window.canary=1' autofocus tabindex='1",
    '"><script>window.canary=1</script>',
    "` onclick=window.canary=1 `",
    "javascript:window.canary=1",
    '<a href="javascript:window.canary=1" autofocus>x</a>',
    '<iframe srcdoc="<script>parent.canary=1</script>"></iframe>',
    '<meta http-equiv="refresh" content="0;url=https://example.org/">',
    '<link rel="stylesheet" href="https://example.org/x.css">',
    '<base href="https://example.org/">',
    "<form action='https://example.org/'><button autofocus>x</button></form>",
    "</style><style>body{display:none}@import 'https://example.org/x.css'",
    '" style="background:url(https://example.org/x.png)',
    "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "${window.canary=1}#{window.canary=1}<%= 7*7 %>",
    "&lt;script&gt;window.canary=1&lt;/script&gt;&#x3C;script>&NewLine;",
    "abc\u202eevil\u202c\u2066isolated\u2069\u200f",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J\x00<script\x00>window.canary=1</script>\x08",
    '<noscript><p title="</noscript><img src=x onerror=window.canary=1>">\ud800\u2028\ufeff',
)


def everywhere(report: data.RunReport, text: str) -> data.RunReport:
    """The report with `text` in place of every text in it, new fields included; choices and numbers stay."""
    return _replaced(report, text)


def _replaced(value, text):
    if dataclasses.is_dataclass(value):
        changes = {
            field.name: _replaced(getattr(value, field.name), text)
            for field in dataclasses.fields(value)
            if field.name != "shipped"
        }
        return dataclasses.replace(value, **changes)
    if isinstance(value, str):
        return text
    if isinstance(value, Mapping):
        return {
            key if key in data.STAGES else f"{text} {number}": _replaced(item, text)
            for number, (key, item) in enumerate(value.items())
        }
    if isinstance(value, tuple):
        return tuple(_replaced(item, text) for item in value)
    return value
