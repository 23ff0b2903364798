"""Opt-in: real files. Set ISOGLOT_DATA to a folder with `parallel/` and `raw/` to run these."""

import gzip
import os
from pathlib import Path

import pytest

from isoglot.corpus.languages import Border, parse
from isoglot.corpus.source import open_source

DATA = Path(os.environ.get("ISOGLOT_DATA", "unset"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="ISOGLOT_DATA names no data folder")


def test_every_code_of_the_parallel_sets_has_its_own_tag():
    codes = {
        path.name.split(".")[0].removeprefix("eng-") for path in (DATA / "parallel").glob("*/eng-*.tsv.gz")
    }
    assert len(codes) > 400
    assert len({parse(code) for code in codes}) == len(codes)


@pytest.mark.parametrize("name", ["udhr/eng-abs", "mediawiki/eng-roa-tara", "mediawiki/eng-zho_Hans"])
def test_a_parallel_file_is_read_line_by_line(name):
    path = DATA / "parallel" / f"{name}.tsv.gz"
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")[1:-1]
    found = [(pair.source, pair.target) for pair in open_source(str(path)).read(Border())]
    assert found == [tuple(line.split("\t")[2:]) for line in lines]


def test_a_real_csv_file():
    pairs = list(
        open_source(str(DATA / "raw/csv/homeassistant.en-de-fr.csv")).read(Border("en", ["de", "fr"]))
    )
    assert len(pairs) == 2 * 2551
    assert sum("\n" in pair.source for pair in pairs if pair.target_lang == "de") > 10
