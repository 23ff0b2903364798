import numpy as np
import pytest

from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.mixing import draw_translations, language_weights
from isoglot.corpus.overview import Mixing, Part, language_shares, overview
from isoglot.corpus.store import Corpus
from isoglot.corpus.stream import rows
from isoglot.errors import DamagedError

DE = [
    "The door is open.\tDie Tür ist offen.",
    "The window is shut.\tDas Fenster ist zu.",
    "Bluetooth\tBluetooth",
]
DE += [f"The lamp in room {number} is on.\tDie Lampe in Raum {number} ist an." for number in range(40)]
FR = ["The door is open.\tLa porte est ouverte.", "Wifi\tWifi", "Radio\tRadio", "A lamp.\tUne lampe."]
FR += ["A lamp.\tUne lampe."]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("overview")
    (folder / "a").mkdir()
    for name, lines in (("a/home.en-de.tsv", DE), ("a/home.en-fr.tsv", FR), ("a/web.en-fr.tsv", FR[:2])):
        (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    sources = tuple(str(path) for path in sorted(folder.glob("a/*.tsv")))
    config = CorpusConfig(sources=sources, dev_percent=0, test_percent=0)
    return build(config, folder / "corpus")


def test_rows_are_counted_per_corpus_and_language_most_dropped_first(corpus):
    seen = overview(corpus, Mixing(0.5, 3))
    assert [(part.corpus, part.lang, part.read, part.lost) for part in seen.parts] == [
        ("a/home.en-fr", "fr", 5, 3), ("a/web.en-fr", "fr", 2, 2), ("a/home.en-de", "de", 43, 1),
    ]  # fmt: skip
    assert [(part.corpus, part.read) for part in seen.corpora] == [
        ("a/home.en-de", 43), ("a/home.en-fr", 5), ("a/web.en-fr", 2),
    ]  # fmt: skip
    assert seen.total == Part("", "", 50, 44, {"identical": 4, "duplicate": 2})
    assert seen.total.reasons == (("identical", 4), ("duplicate", 2))
    assert seen.title == "corpus"


def test_languages_come_with_name_splits_and_lengths(corpus):
    german, french = overview(corpus, Mixing(0.5, 3)).languages
    assert (german.part.lang, german.name, german.part.kept) == ("de", "German", 42)
    assert (french.part.lang, french.name, french.part.kept) == ("fr", "French", 2)
    assert sum(german.lengths) == german.splits["train"] == 42
    assert sum(overview(corpus, Mixing(0.5, 3)).source_lengths) == sum(
        corpus.manifest.counts["sources"].values()
    )


def test_examples_take_turns_between_languages(corpus):
    seen = overview(corpus, Mixing(0.5, 3))
    found = [(row["lang"], row["source"]) for row in seen.examples_of("identical", 3)]
    assert found == [("de", "Bluetooth"), ("fr", "Radio"), ("fr", "Wifi")]
    assert seen.examples_of("identical", 1) == seen.examples_of("identical", 3)[:1]
    assert seen.examples_of("no such reason", 3) == []


def test_shares_are_those_of_a_draw_with_the_sizes_of_the_train_split(corpus):
    groups = corpus.groups("train")
    for temperature, most in ((0.0, 1), (1.0, 1), (0.5, 3)):
        sizes = np.bincount(groups.language)
        weights = language_weights(sizes, temperature)[groups.language]
        drawn = np.bincount(
            groups.language[draw_translations(groups.group, weights, most, (0, 0))], minlength=2
        )
        found = language_shares(corpus, Mixing(temperature, most))
        assert found == pytest.approx(dict(zip(("de", "fr"), drawn / drawn.sum(), strict=True)))


def test_shares_of_a_corpus_beyond_the_sample_come_from_its_first_rows(corpus, monkeypatch):
    monkeypatch.setattr("isoglot.corpus.stream._BATCH_ROWS", 4)
    monkeypatch.setattr("isoglot.corpus.overview.SAMPLE_ROWS", 7)  # two batches
    first = [row.lang for row in list(rows(corpus, "train"))[:8]]
    found = language_shares(corpus, Mixing(0.5, 50))
    assert found == {tag: first.count(tag) / 8 for tag in ("de", "fr")}


def test_rows_are_the_groups_of_the_store_one_by_one(corpus):
    groups = corpus.groups("train")
    expected = [
        (groups.sources[group], groups.languages[language], target)
        for group, language, target in zip(groups.group, groups.language, groups.targets, strict=True)
    ]
    found = list(rows(corpus, "train"))
    assert [(row.source, row.lang, row.target) for row in found] == expected
    assert {row.corpus for row in found if row.lang == "de"} == {"a/home.en-de"}
    assert list(rows(corpus, "train", {"fr"})) == [row for row in found if row.lang == "fr"]
    assert list(rows(corpus, "test")) == []


def test_a_shard_that_is_cut_off_is_an_error(corpus, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(corpus.folder, broken)
    shard = broken / "sources-train-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(DamagedError, match=r"sources-train-00000\.parquet cannot be read"):
        list(rows(Corpus.open(broken), "train"))


def test_translations_without_their_source_are_an_error(corpus, tmp_path):
    import shutil

    import pyarrow.parquet as pq

    broken = tmp_path / "broken"
    shutil.copytree(corpus.folder, broken)
    shard = broken / "sources-train-00000.parquet"
    pq.write_table(pq.read_table(shard).slice(3), shard)
    with pytest.raises(DamagedError, match="names source 0, which is not there"):
        list(rows(Corpus.open(broken), "train"))
