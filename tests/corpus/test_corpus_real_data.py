"""Opt-in: real files. Set ISOGLOT_DATA to a folder with `parallel/` and `raw/` to run these."""

import gzip
import os
from collections import Counter
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


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("moses:{raw}/moses/tatoeba.eng-ita.eng.txt,{raw}/moses/tatoeba.eng-ita.ita.txt", {"en-it": 5000}),
        ("{raw}/tmx/mixed.en-de-fr.tmx", {"en-de": 2392, "en-fr": 2380}),
        ("{raw}/xliff/homeassistant.en-de.xlf", {"en-de": 518}),
        ("{raw}/jsonl/tatoeba.eng-nld.jsonl", {"en-nl": 3000}),
        ("{raw}/jsonl/tatoeba.eng-jpn.translation.jsonl", {"en-ja": 2000}),
        ("{raw}/parquet/tatoeba.eng-swe.parquet", {"en-sv": 8000}),
        ("{raw}/tsv/tatoeba.eng-dan.tsv.zst", {"en-da": 8000}),
        ("{raw}/tsv/tatoeba.eng-por.tsv.xz", {"en-pt": 11000}),
        ("{raw}/xces/de-en.xml", {"de-en": 864}),
    ],
)
def test_samples_of_all_formats(text, counts):
    pairs = open_source(text.format(raw=DATA / "raw")).read(Border())
    assert Counter(f"{pair.source_lang}-{pair.target_lang}" for pair in pairs) == counts


@pytest.mark.parametrize("language", ["de", "pl"])
def test_po_and_mo_of_one_catalogue_agree(language):
    folder = DATA / "raw/gettext"
    po, mo = (open_source(str(folder / f"django.{language}.{kind}")).read(Border()) for kind in ("po", "mo"))
    found = Counter((pair.source, pair.target) for pair in po)
    assert found == Counter((pair.source, pair.target) for pair in mo)
    assert found.total() > 300
