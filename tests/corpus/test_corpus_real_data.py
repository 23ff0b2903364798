"""Opt-in: real files. Set ISOGLOT_DATA to a folder with `parallel/` and `raw/` to run these."""

import csv
import gzip
import os
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from isoglot.config import ReadConfig
from isoglot.corpus.languages import Border, parse
from isoglot.corpus.source import open_source

DATA = Path(os.environ.get("ISOGLOT_DATA", "unset"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="ISOGLOT_DATA names no data folder")


def test_every_code_of_the_parallel_sets_has_its_own_tag():
    codes = {
        path.name.split(".")[0].removeprefix("eng-") for path in (DATA / "parallel").glob("*/eng-*.tsv.gz")
    }
    assert len(codes) > 400
    # the usual script, said or not, is one language
    same = {"uig": "uig_Arab", "tuk": "tuk_Latn"}
    assert {code: parse(code) == parse(other) for code, other in same.items()} == dict.fromkeys(same, True)
    assert len({parse(code) for code in codes}) == len(codes) - len(same)


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
    rows = zip(pairs[::2], pairs[1::2], strict=True)
    assert sum("\n" in "".join((german[0], german[1], french[1])) for german, french in rows) == 46


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
        ("json:{raw}/homeassistant", {"en-de": 686}),
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


def test_a_real_csv_file_by_columns():
    text = str(DATA / "raw/csv/homeassistant.en-de-fr.csv")
    pairs = list(open_source(text, ReadConfig(columns=("en=en", "fr=fr"))).read(Border()))
    assert (len(pairs), {pair.target_lang for pair in pairs}) == (2551, {"fr"})
    with Path(text).open(encoding="utf-8", newline="") as file:
        expected = [(row["en"], row["fr"]) for row in csv.DictReader(file)]
    assert [(pair.source, pair.target) for pair in pairs] == expected


def test_a_real_export_of_tatoeba():
    folder = DATA / "raw/tatoeba-export"
    languages = dict(
        line.split("\t")[:2] for line in (folder / "sentences.tsv").read_text("utf-8").splitlines()
    )
    links = [line.split("\t") for line in (folder / "links.tsv").read_text("utf-8").splitlines()]
    expected = Counter(parse(languages[b]) for a, b in links if languages[a] == "eng" != languages[b])
    assert expected
    assert Counter(pair.target_lang for pair in open_source(f"tatoeba:{folder}").read(Border())) == expected


SAMPLES = [
    "tmx/mixed.en-de-fr.tmx", "xliff/homeassistant.en-de.xlf", "jsonl/tatoeba.eng-nld.jsonl",
    "csv/homeassistant.en-de-fr.csv", "tsv/tatoeba.eng-dan.tsv.zst", "tsv/tatoeba.eng-por.tsv.xz",
    "gettext/django.de.po", "gettext/django.pl.mo",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_in_an_archive_gives_the_same_pairs(tmp_path, name, kind):
    sample, archive = DATA / "raw" / name, tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.write(sample, name)
    else:
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(sample, name)
    plain = [pair[:4] for pair in open_source(str(sample)).read(Border())]
    assert len(plain) > 300
    for text in (str(archive), f"{archive}:{name}"):
        assert [pair[:4] for pair in open_source(text).read(Border())] == plain


def test_a_zip_of_all_translations(tmp_path):
    folder, archive = DATA / "raw/homeassistant", tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*.json")):
            packed.write(path, path.relative_to(folder))
    found, expected = (open_source(text).read(Border()) for text in (str(archive), f"json:{folder}"))
    assert [pair[:4] for pair in found] == [pair[:4] for pair in expected]
