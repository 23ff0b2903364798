"""`isoglot corpus languages`: which languages a corpus holds."""

from __future__ import annotations

from isoglot.cli.console import JsonOption, count, handled
from isoglot.cli.corpus.folder import FolderArgument


def languages(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """List the languages of a corpus: tag, name, pairs, and the codes its sources used."""
    with handled(as_json) as console:
        from isoglot.corpus.languages import name
        from isoglot.corpus.store import Corpus

        counts = Corpus.open(folder).manifest.counts
        found = [
            {"tag": tag, "name": name(tag), "pairs": of["kept"], "codes": counts["codes"][tag]}
            for tag, of in counts["languages"].items()
        ]
        lines = [f"{one['tag']:<12} {count(one['pairs']):>11}  {one['name']}" for one in found]
        console.finish({"languages": found}, "\n".join(lines))
