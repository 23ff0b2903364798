"""What is exported is read back equal, by our own readers and by others."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from isoglot.artefact import Manifest, publish
from isoglot.cli.corpus import app
from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.export import FIELDS, _tmx_side, choose, export
from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.corpus.split import SPLITS
from isoglot.corpus.store import Corpus
from isoglot.corpus.stream import rows
from isoglot.errors import IsoglotError, RequestError

TRICKY = [
    'He said "no" & left <b>at once</b>.\tEr sagte „nein“ & ging <b>sofort</b>.',
    "Fish & chips, please; it's cheap.\tFisch, bitte: 'billig'.",
    "A formula: a < b > c.\tEine Formel: a < b > c \U0001f44b \U00020bb7.",
    "=1+1, said the sheet\t-2+3, sagte die Tabelle",
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """All splits filled; two translations of one sentence in a language; tags with scripts and private use."""
    folder = tmp_path_factory.mktemp("export")
    files = {
        "films.en-de.tsv": [*TRICKY, *(f"Lamp {n} is on.\tLampe {n} ist an." for n in range(200))],
        "more.en-de.tsv": [f"Lamp {n} is on.\tDie Lampe {n} brennt." for n in range(100)],
        "films.en-sr_Latn.tsv": [f"Lamp {n} is on.\tLampa {n} je upaljena." for n in range(150)],
        "films.en-zh_Hans.tsv": [f"Lamp {n} is on.\t灯 {n} 亮了。" for n in range(50, 250)],
    }
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    raw = {"placeholders": "keep"}
    config = CorpusConfig(
        sources=tuple(str(folder / name) for name in files), clean=raw, dev_percent=20, test_percent=20
    )
    return build(config, folder / "corpus")


def pairs_of(corpus, splits=SPLITS, languages=()):
    """Every pair of the folder, as often as it is there."""
    return Counter(
        (row.source, row.lang, row.target) for split in splits for row in rows(corpus, split, languages)
    )


def read_back(*sources):
    found = Counter()
    for source in sources:
        found.update(
            (pair.source, pair.target_lang, pair.target) for pair in open_source(source).read(Border())
        )
    return found


def write(corpus, form, out, languages=(), split=""):
    return export(choose(corpus, languages, split), form, out)


NAMES = ["x.tsv", "x.tsv.gz", "x.tsv.bz2", "x.tsv.xz", "x.tsv.zst", "x.jsonl", "x.jsonl.zst", "x.tmx", "x.tmx.gz",
         "x.parquet"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_our_readers_read_back_every_pair(corpus, tmp_path, name):
    written = write(corpus, name.split(".")[1], tmp_path / name)
    assert written.files == (tmp_path / name,)
    assert written.pairs == sum(pairs_of(corpus).values()) > 600
    assert read_back(str(tmp_path / name)) == pairs_of(corpus)


@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
def test_moses_files_are_read_back_language_by_language(corpus, tmp_path, packed):
    written = write(corpus, "moses", tmp_path / f"all{packed}")
    names = [path.name for path in written.files]
    assert names[:2] == [f"all.en-de.en{packed}", f"all.en-de.de{packed}"]
    assert names[4:] == [f"all.en-zh-Hans.en{packed}", f"all.en-zh-Hans.zh-Hans{packed}"]
    pairs = [written.files[at : at + 2] for at in range(0, 6, 2)]
    assert read_back(*(f"moses:{source},{target}" for source, target in pairs)) == pairs_of(corpus)


def test_more_languages_than_files_may_be_open_take_more_passes(corpus, tmp_path, monkeypatch):
    whole = write(corpus, "moses", tmp_path / "whole")
    monkeypatch.setattr("isoglot.corpus.export._OPEN_LANGUAGES", 1)
    parts = write(corpus, "moses", tmp_path / "parts")
    assert [path.read_bytes() for path in parts.files] == [path.read_bytes() for path in whole.files]


def test_only_the_languages_and_the_split_asked_for(corpus, tmp_path):
    write(corpus, "jsonl", tmp_path / "x.jsonl", ["zho_Hans", "srp_Latn"], "dev")
    assert read_back(str(tmp_path / "x.jsonl")) == pairs_of(corpus, ["dev"], {"zh-Hans", "sr-Latn"})
    records = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    assert {record["split"] for record in records} == {"dev"}


# readers that are not ours


def test_csv_reads_the_tsv(corpus, tmp_path):
    write(corpus, "tsv", tmp_path / "x.tsv")
    with (tmp_path / "x.tsv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    assert tuple(header) == FIELDS
    assert Counter((line[2], line[1], line[3]) for line in lines) == pairs_of(corpus)
    assert Counter(line[5] for line in lines) == {
        split: sum(pairs_of(corpus, [split]).values()) for split in SPLITS
    }


def test_pyarrow_reads_the_parquet(corpus, tmp_path):
    import pyarrow.parquet as pq

    write(corpus, "parquet", tmp_path / "x.parquet")
    table = pq.read_table(tmp_path / "x.parquet")
    assert tuple(table.column_names) == FIELDS
    columns = (table[name].to_pylist() for name in ("source", "target_lang", "target"))
    assert Counter(zip(*columns, strict=True)) == pairs_of(corpus)
    assert set(table["corpus"].to_pylist()) == {row.corpus for row in rows(corpus, "train")}


def test_an_xml_parser_reads_the_tmx(corpus, tmp_path):
    from defusedxml.ElementTree import parse

    write(corpus, "tmx", tmp_path / "x.tmx")
    root = parse(tmp_path / "x.tmx").getroot()
    assert (root.tag, root.get("version"), root[0].get("srclang")) == ("tmx", "1.4", "en")
    assert root.findtext("header/note") == corpus.notice.strip()
    names = {row.corpus for split in SPLITS for row in rows(corpus, split)}
    found = Counter()
    for unit in root.iterfind("body/tu"):
        source, *targets = unit.iterfind("tuv")
        languages = [target.get("{http://www.w3.org/XML/1998/namespace}lang") for target in targets]
        assert len(set(languages)) == len(languages)
        for language, target in zip(languages, targets, strict=True):
            found[source.findtext("seg"), language, target.findtext("seg")] += 1
            assert target.findtext("prop") in names
    assert found == pairs_of(corpus)
    several = [unit for unit in root.iterfind("body/tu") if len(unit.findall("tuv")) == 4]
    assert len(several) > 50  # German, Serbian and Chinese of one sentence stand in one unit


def test_gzip_and_zstandard_read_the_packed_files(corpus, tmp_path):
    for name in ("x.tsv", "x.tsv.gz", "x.tsv.zst"):
        write(corpus, "tsv", tmp_path / name)
    plain = (tmp_path / "x.tsv").read_bytes()
    assert gzip.decompress((tmp_path / "x.tsv.gz").read_bytes()) == plain
    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO((tmp_path / "x.tsv.zst").read_bytes()))
    assert reader.read() == plain


# characters that a format cannot carry


def folder_with(tmp_path, source, target):
    """A corpus folder with one pair that no build would write."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    counts = {"languages": {"de": {"kept": 1, "splits": {"train": 1, "dev": 0, "test": 0}}}}
    with publish(tmp_path / "odd", Manifest("corpus", config={"source_lang": "en"}, counts=counts)) as folder:
        (folder / "NOTICE").write_text("terms\x0b of \x1b[1m it")
        pq.write_table(pa.table({"group": [0], "source": [source]}), folder / "sources-train-00000.parquet")
        table = pa.table({"group": [0], "lang": ["de"], "corpus": ["a\x01b"], "target": [target]})
        pq.write_table(table, folder / "targets-train-00000.parquet")
    return Corpus.open(tmp_path / "odd")


def test_what_xml_cannot_carry_becomes_the_replacement_character(tmp_path):
    from defusedxml.ElementTree import parse

    odd = folder_with(tmp_path, "a\x00b\x0bc\x1bd\ufffee", "\x07\uffff\x7f\x85\U0010ffff]]>")
    write(odd, "tmx", tmp_path / "x.tmx")
    segments = [seg.text for seg in parse(tmp_path / "x.tmx").getroot().iter("seg")]
    assert segments == ["a\ufffdb\ufffdc\ufffdd\ufffde", "\ufffd\ufffd\x7f\x85\U0010ffff]]>"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_tmx_but_for_what_xml_cannot_carry(text):
    from defusedxml.ElementTree import fromstring

    seen = fromstring(_tmx_side("de", text)).findtext("seg")
    allowed = [c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text]
    assert seen == "".join(allowed)


@pytest.mark.parametrize("form", ["tsv", "moses"])
def test_tabs_and_line_breaks_never_shift_a_table(tmp_path, form):
    odd = folder_with(tmp_path, "one\ttwo\nthree\rfour", "eins\r\nzwei")
    written = write(odd, form, tmp_path / "x.tsv")
    source = str(tmp_path / "x.tsv") if form == "tsv" else "moses:" + ",".join(map(str, written.files))
    assert read_back(source) == {("one two three four", "de", "eins  zwei"): 1}


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_json_and_parquet_carry_them_as_they_are(tmp_path, form):
    odd = folder_with(tmp_path, "one\ttwo\nthree\rfour\x00", "eins\r\nzwei\uffff")
    write(odd, form, tmp_path / f"x.{form}")
    assert read_back(str(tmp_path / f"x.{form}")) == {
        ("one\ttwo\nthree\rfour\x00", "de", "eins\r\nzwei\uffff"): 1
    }


# the promises of a file


@pytest.mark.parametrize("name", NAMES)
def test_the_same_corpus_gives_the_same_bytes(corpus, tmp_path, name):
    (tmp_path / "again").mkdir()
    for folder in (tmp_path, tmp_path / "again"):
        write(corpus, name.split(".")[1], folder / name)
    assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_corpus_that_breaks_on_the_way_leaves_the_old_file(corpus, tmp_path):
    import shutil

    shutil.copytree(corpus.folder, tmp_path / "broken")
    shard = tmp_path / "broken" / "targets-test-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-9])
    for form in ("tsv", "parquet", "tmx"):
        out = tmp_path / f"x.{form}"
        out.write_text("old")
        with pytest.raises(IsoglotError, match="cannot be read"):
            write(Corpus.open(tmp_path / "broken"), form, out)
        assert out.read_text() == "old"
    with pytest.raises(IsoglotError, match="cannot be read"):
        write(Corpus.open(tmp_path / "broken"), "moses", tmp_path / "m")
    assert not list(tmp_path.glob("*.partial"))
    assert not list(tmp_path.glob("m.en*"))


def test_the_terms_of_the_sources_go_with_the_file(corpus, tmp_path):
    write(corpus, "tsv", tmp_path / "x.tsv")
    assert (tmp_path / "x.tsv.NOTICE").read_text("utf-8") == corpus.notice


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"form": "csv"}, "'csv' is no format"),
        ({"languages": ["fr"]}, "has no pairs in fr"),
        ({"split": "valid"}, "There is no split 'valid'"),
        ({"name": "no/such/x.tsv"}, "is no name for a file"),
        ({"name": "."}, "is no name for a file"),
        ({"form": "parquet", "name": "x.parquet.gz"}, "Parquet is packed on its own"),
    ],
)
def test_what_cannot_be_is_refused(corpus, tmp_path, options, said):
    with pytest.raises(RequestError, match=said):
        write(
            corpus, options.get("form", "tsv"), tmp_path / options.get("name", "x.tsv"),
            options.get("languages", ()), options.get("split", ""),
        )  # fmt: skip


def test_a_split_without_pairs_is_refused(tmp_path):
    odd = folder_with(tmp_path, "a", "b")
    with pytest.raises(RequestError, match="has no such pairs"):
        write(odd, "tsv", tmp_path / "x.tsv", split="dev")


def test_the_command(corpus, tmp_path):
    arguments = [
        "export",
        str(corpus.folder),
        "--to",
        "moses",
        "--out",
        str(tmp_path / "m"),
        "--languages",
        "de",
    ]
    result = CliRunner().invoke(app, [*arguments, "--split", "test", "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["files"] == [str(tmp_path / "m.en-de.en"), str(tmp_path / "m.en-de.de")]
    assert said["pairs"] == len((tmp_path / "m.en-de.de").read_text("utf-8").splitlines()) > 0
    assert (tmp_path / "m.NOTICE").is_file()
