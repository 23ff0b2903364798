"""`isoglot corpus languages`: which languages a corpus holds."""

from __future__ import annotations

from isoglot.cli.console import JsonOption, count, handled
from isoglot.cli.corpus.folder import FolderArgument
from isoglot.cli.corpus.tables import table


def languages(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """List the languages of a corpus: tag, name, script, pairs, and the codes its sources used."""
    with handled(as_json) as console:
        from isoglot.corpus.languages import name, script
        from isoglot.corpus.store import Corpus

        counts = Corpus.open(folder).manifest.counts
        found = [
            {"tag": tag, "name": name(tag), "script": script(tag), "pairs": of["kept"], "codes": counts["codes"][tag]}
            for tag, of in counts["languages"].items()
        ]  # fmt: skip
        rows = [
            [one["tag"], one["name"], one["script"] or "unknown", count(one["pairs"]), " ".join(one["codes"])]
            for one in found
        ]
        heads = ["tag", "language", "script", "pairs", "codes in the sources"]
        console.finish({"languages": found}, table(heads, rows, right=[3]))
