"""Under which terms a source may be used, as it says itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """Terms of a source.

    Attributes:
        name: licence expression, such as `Apache-2.0`; empty when it states none.
        attribution: one sentence naming the work and its authors; empty when nobody is named.
        text: full text of the licence; empty when the source does not bring it.
    """

    name: str = ""
    attribution: str = ""
    text: str = ""
