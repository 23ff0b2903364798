"""The arms' curves in one SVG: how well translations find their English in the teacher's space, over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree

_NAMES = {
    "ours": "isoglot",
    "cold": "isoglot, without warm start",
    "warm": "sentence-transformers after our warm start",
    "best": "sentence-transformers at its best",
    "published": "sentence-transformers as published",
}
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1d2126 }
.quiet { fill: #5b626c }
.grid { stroke: #e2dfd8 }
.curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.ours, .cold { stroke: #0b6a61 } .warm, .best, .published { stroke: #a84f08 }
.cold, .warm { stroke-dasharray: 6 4 } .best { stroke-dasharray: 2 4 }
circle { stroke: none } circle.ours, circle.cold { fill: #0b6a61 }
circle.warm, circle.best, circle.published { fill: #a84f08 }
.ground { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e7e9ec } .quiet { fill: #a5adb7 } .grid { stroke: #31373e } .ground { fill: #131619 }
  .ours, .cold { stroke: #53cdbb } .warm, .best, .published { stroke: #f0a45c }
  circle.ours, circle.cold { fill: #53cdbb } circle.warm, circle.best, circle.published { fill: #f0a45c }
}
"""
_WIDTH, _HEIGHT = 900, 400
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 48, 388, 46  # around the curves; labels stand on the right
_LABEL = 18  # least distance of two labels
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)  # minutes


class _Frame(NamedTuple):
    """From minutes and shares to places in the picture; time is logarithmic."""

    first: float
    last: float

    def x(self, minutes: float) -> float:
        share = math.log(minutes / self.first) / math.log(self.last / self.first)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, share: float) -> float:
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def draw(arms: Mapping[str, Sequence[Mapping[str, Any]]], title: str) -> str:
    """Draw one curve per arm.

    Args:
        arms: of each arm its snapshots, with "seconds" and "tatoeba" (0..1), at least one.
        title: what is shown.

    Returns:
        An SVG that follows a page's light or dark look.
    """
    picture = ElementTree.Element(
        "svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img"
    )
    ElementTree.SubElement(picture, "title").text = title
    ElementTree.SubElement(picture, "style").text = _STYLE
    _add(picture, "rect", "ground", width=_WIDTH, height=_HEIGHT)
    _text(picture, title, _LEFT, 24)
    frame = _frame_of(arms)
    _axes(picture, frame)
    for name, snapshots in arms.items():
        points = [(frame.x(row["seconds"] / 60), frame.y(row["tatoeba"])) for row in snapshots]
        _add(picture, "polyline", f"curve {name}", points=" ".join(f"{x},{y}" for x, y in points))
        for x, y in points:
            _add(picture, "circle", name, cx=x, cy=y, r=3.5)
    _labels(picture, frame, arms)
    return ElementTree.tostring(picture, encoding="unicode")


def _frame_of(arms: Mapping[str, Sequence[Mapping[str, Any]]]) -> _Frame:
    minutes = [row["seconds"] / 60 for snapshots in arms.values() for row in snapshots]
    before = [tick for tick in _TICKS if tick <= min(minutes)]
    return _Frame(before[-1] if before else min(minutes), max(*minutes, 2 * min(minutes)))


def _axes(picture: ElementTree.Element, frame: _Frame) -> None:
    right = _WIDTH - _RIGHT
    for percent in range(0, 101, 20):
        y = frame.y(percent / 100)
        _add(picture, "line", "grid", x1=_LEFT, x2=right, y1=y, y2=y)
        _text(picture, f"{percent} %", _LEFT - 8, y + 4, "quiet", "end")
    for tick in _TICKS:
        if frame.first <= tick <= frame.last:
            _text(picture, f"{tick:g}", frame.x(tick), _HEIGHT - _BOTTOM + 20, "quiet", "middle")
    _text(
        picture, "minutes, the teacher's pass included", (_LEFT + right) / 2, _HEIGHT - 6, "quiet", "middle"
    )


def _labels(
    picture: ElementTree.Element, frame: _Frame, arms: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    """A name and the last number at the right of each curve, from above to below, none on another."""
    lowest = -math.inf
    for name, snapshots in sorted(arms.items(), key=lambda arm: -arm[1][-1]["tatoeba"]):
        last = snapshots[-1]["tatoeba"]
        lowest = max(frame.y(last), lowest + _LABEL)
        at = _WIDTH - _RIGHT + 12
        _add(picture, "line", f"curve {name}", x1=at, x2=at + 24, y1=lowest, y2=lowest)
        _text(picture, f"{100 * last:.1f} % {_NAMES[name]}", at + 32, lowest + 4)


def _text(
    parent: ElementTree.Element, words: str, x: float, y: float, kind: str = "", anchor: str = "start"
) -> None:
    _add(parent, "text", kind, x=x, y=y).text = words
    parent[-1].set("text-anchor", anchor)


def _add(parent: ElementTree.Element, tag: str, kind: str, **places: str | float) -> ElementTree.Element:
    return ElementTree.SubElement(
        parent, tag, {"class": kind} | {name: str(at) for name, at in places.items()}
    )
