"""A page as one HTML file: opens from disk, asks nothing of any server, readable without script.

Every text on it may come from a corpus, that is from strangers. Three fences hold: each printed value is
cleaned (`text.clean`) and then escaped by the template engine; scripts read no text but move and copy nodes; and
the page's content security policy allows that one script, by its hash, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from isoglot.page import text

_OWN = "isoglot.page"


def render(
    package: str,
    values: Mapping[str, object],
    *,
    kind: str,
    title: str,
    scripts: Sequence[str] = (),
    styles: Sequence[str] = ("page.css",),
) -> str:
    """Return the page of `package`: its `templates/page.html`, which extends `page/base.html`.

    Args:
        package: its `templates` folder also holds the `styles` and `scripts`.
        values: what the template shows.
        kind: what the page is, such as "distillation report"; stands above the title.
        title: headline.
        scripts: files of the templates folder that run after the one that sorts tables.
        styles: files of the templates folder that follow the common style sheet.
    """
    style = "".join([_packaged(_OWN, "base.css"), *(_packaged(package, name) for name in styles)])
    script = "".join([_packaged(_OWN, "sort.js"), *(_packaged(package, name) for name in scripts)])
    return (
        _environment(package)
        .get_template("page.html")
        .render(
            **values,
            kind=kind,
            title=title,
            style=Markup(style),  # noqa: S704  our own files
            script=Markup(script),  # noqa: S704  our own files
            policy=content_security_policy(script),
        )
    )


def content_security_policy(script: str) -> str:
    """Allow inline styles, data images and exactly this script; nothing else, and nothing from anywhere."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


@cache
def _environment(package: str) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PrefixLoader({"page": PackageLoader(_OWN)})]),
        autoescape=True,
        finalize=text.clean,
        undefined=StrictUndefined,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": text.percent,
        "points": text.points,
        "signed_points": text.signed_points,
        "decimal": text.decimal,
        "probability": text.probability,
        "score": text.score,
        "thousandths": text.thousandths,
        "significant": text.significant,
        "count": text.count,
        "duration": text.duration,
        "language_tag": text.language_tag,
    }
    return environment


def _packaged(package: str, name: str) -> str:
    return (files(package) / "templates" / name).read_text(encoding="utf-8")
