"""From sources to a folder: nothing leaks, nothing is counted wrong, the same input gives the same bytes."""

import gzip
import random
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from isoglot.artefact import Manifest, digest_file, publish, verify
from isoglot.config import CleanConfig, CorpusConfig
from isoglot.corpus import arrange, store
from isoglot.corpus.build import build
from isoglot.corpus.split import SPLITS, key, position
from isoglot.corpus.store import DROPPED, Corpus, ShardWriter
from isoglot.errors import DamagedError, IsoglotError, RequestError

LANGUAGES = ("deu", "fra", "zho_Hans")


def write_tsv(path: Path, rows: list[tuple[str, str, str]]) -> str:
    """Write (language, source, target) rows; English is the source."""
    lines = ["source_lang\ttarget_lang\tsource\ttarget", *(f"eng\t{lang}\t{a}\t{b}" for lang, a, b in rows)]
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return str(path)


def many_rows(number: int) -> list[tuple[str, str, str]]:
    """Rows in three languages whose English repeats in other case and punctuation."""
    chance = random.Random(7)
    forms = ("Sentence number {} is here.", "sentence number {} is here", "Sentence — number {}, is HERE!")
    rows = []
    for place in range(number):
        for language in LANGUAGES:
            source = chance.choice(forms).format(place)
            rows.append((language, source, f"Zeile {place} in {language}, ganz anders"))
    chance.shuffle(rows)
    return rows


@pytest.fixture
def source(tmp_path):
    return write_tsv(tmp_path / "many.tsv.gz", many_rows(300))


def config(*sources: str, **options: object) -> CorpusConfig:
    # the rows made here say that they are in languages that they are not in
    clean = {"language_probability": 1.0, "min_script": 0.0}
    return CorpusConfig.model_validate({"sources": sources, "clean": clean, **options})


def test_no_sentence_is_in_two_splits_through_any_language(tmp_path, source):
    corpus = build(config(source, dev_percent=20, test_percent=20), tmp_path / "out")
    seen: dict[str, set[str]] = {}
    for split in SPLITS:
        groups = corpus.groups(split)
        assert len(groups.sources) > 30
        for place in range(len(groups.targets)):
            seen.setdefault(key(groups.sources[groups.group[place]]), set()).add(split)
    assert len(seen) == 300
    assert all(len(splits) == 1 for splits in seen.values())


def test_a_sentence_keeps_its_split_in_another_corpus(tmp_path, source):
    whole = build(config(source), tmp_path / "whole")
    other = write_tsv(
        tmp_path / "other.tsv", [("nld", a, "Iets heel anders hier") for _, a, _ in many_rows(300)[:200]]
    )
    part = build(config(other), tmp_path / "part")
    where = {key(text): split for split in SPLITS for text in whole.sources(split)}
    assert all(where[key(text)] == split for split in SPLITS for text in part.sources(split))


def test_the_same_input_gives_the_same_bytes(tmp_path, source):
    first = build(config(source), tmp_path / "first")
    second = build(config(source), tmp_path / "second")
    assert first.manifest.digest == second.manifest.digest
    names = sorted(path.relative_to(first.folder) for path in first.folder.rglob("*") if path.is_file())
    assert names == sorted(
        path.relative_to(second.folder) for path in second.folder.rglob("*") if path.is_file()
    )
    for name in names:
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes(), name


def test_a_finished_folder_is_not_built_again(tmp_path, source):
    out = tmp_path / "out"
    build(config(source, languages=("deu",)), out)
    before = (out / "manifest.json").stat().st_mtime_ns
    again = build(config(source, languages=("de",)), out)  # another spelling of the same request
    assert (out / "manifest.json").stat().st_mtime_ns == before
    assert again.languages == ("de",)
    build(config(source, languages=("fr",)), out)
    assert Corpus.open(out).languages == ("fr",)


def test_the_folder_is_whole_and_holds_nothing_else(tmp_path, source):
    corpus = build(config(source), tmp_path / "out")
    assert verify(corpus.folder) == []
    names = {path.name for path in corpus.folder.iterdir()}
    shards = {f"{table}-{split}-00000.parquet" for table in ("sources", "targets") for split in SPLITS}
    assert names == shards | {"NOTICE", "dropped.parquet", "manifest.json"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_tables_are_sorted_and_joined_by_group(tmp_path, source):
    corpus = build(config(source, dev_percent=20, test_percent=20), tmp_path / "out")
    places, first = [], 0
    for split in SPLITS:
        sources = pq.read_table(corpus.folder / f"sources-{split}-00000.parquet").to_pydict()
        targets = pq.read_table(corpus.folder / f"targets-{split}-00000.parquet").to_pylist()
        assert sources["group"] == list(range(first, first + len(sources["group"])))
        assert set(sources["split"]) == {split}
        assert targets == sorted(targets, key=lambda row: (row["group"], row["lang"], row["target"]))
        assert {row["group"] for row in targets} == set(sources["group"])
        places.append([position(key(text)) for text in sources["source"]])
        first += len(sources["group"])
    assert all(part == sorted(part) for part in places)  # so every prefix is a random sample


def test_groups_index_sources_and_languages(tmp_path, source):
    corpus = build(config(source), tmp_path / "out")
    assert corpus.languages == ("de", "fr", "zh-Hans")
    groups = corpus.groups("train")
    assert (groups.group.dtype, groups.language.dtype) == (np.int32, np.int16)
    assert len(groups.targets) == len(groups.group) == len(groups.language)
    assert groups.group.min() == 0
    assert groups.group.max() == len(groups.sources) - 1
    codes = {"de": "deu", "fr": "fra", "zh-Hans": "zho_Hans"}
    for place, target in enumerate(groups.targets):
        number = key(groups.sources[groups.group[place]]).split()[2]
        assert (
            target == f"Zeile {int(number)} in {codes[groups.languages[groups.language[place]]]}, ganz anders"
        )
    assert corpus.sources("train") == groups.sources
    assert corpus.sources() == [text for split in SPLITS for text in corpus.groups(split).sources]


def test_the_most_frequent_form_speaks_for_its_group(tmp_path):
    rows = [("deu", "the door", "die Tür"), ("fra", "The door!", "la porte"), ("spa", "The door!", "la puerta"),
            ("deu", "b tie.", "eins"), ("deu", "B tie", "zwei")]  # fmt: skip
    corpus = build(
        config(write_tsv(tmp_path / "x.tsv", rows), dev_percent=0, test_percent=0), tmp_path / "out"
    )
    assert sorted(corpus.sources("train")) == ["B tie", "The door!"]


def test_counts_say_what_happened_to_every_row(tmp_path):
    rows = [
        ("deu", "The door is open.", "Die Tür ist offen."),
        ("deu", "The door  is open. ", " Die Tür ist offen."),  # equal once normalised
        ("deu", "the door is open", "Die Tür ist offen."),  # same group, same translation
        ("deu", "Hello {name}", "Hallo"),
        ("deu", "", "nichts"),
        ("fra", "The door is open.", "La porte est ouverte."),
        ("fra", "Bluetooth", "Bluetooth"),
        ("nld", "The door is open.", "De deur is open."),
    ]
    corpus = build(config(write_tsv(tmp_path / "x.tsv", rows), languages=("de", "fr")), tmp_path / "out")
    counts = corpus.manifest.counts
    assert (counts["read"], counts["kept"], counts["not asked for"]) == (7, 2, {"en-nl": 1})
    assert counts["dropped"] == {"duplicate": 2, "empty": 1, "identical": 1, "placeholder": 1}
    assert counts["languages"]["de"]["dropped"] == {"duplicate": 2, "empty": 1, "placeholder": 1}
    assert counts["languages"]["fr"]["dropped"] == {"identical": 1}
    for language in counts["languages"].values():
        assert language["read"] == language["kept"] + sum(language["dropped"].values())
        assert language["kept"] == sum(language["splits"].values())
    assert sum(counts["sources"].values()) == 1
    assert counts["codes"] == {"de": ["deu"], "en": ["eng"], "fr": ["fra"], "nl": ["nld"]}


def test_a_row_counts_for_the_source_that_came_first(tmp_path):
    rows = [("deu", "The door is open.", "Die Tür ist offen.")]
    (tmp_path / "b").mkdir()
    first, second = write_tsv(tmp_path / "b" / "z.tsv", rows), write_tsv(tmp_path / "b" / "a.tsv", rows)
    assert build(config(first, second), tmp_path / "out").manifest.counts["corpora"] == {"b/z": 1}


def test_pairs_the_other_way_round_are_turned(tmp_path):
    path = tmp_path / "x.de-en.tsv"
    path.write_text("Die Tür ist offen.\tThe door is open.\n")
    corpus = build(config(str(path), dev_percent=0, test_percent=0), tmp_path / "out")
    assert (corpus.sources("train"), corpus.languages) == (["The door is open."], ("de",))


def test_lines_that_are_not_utf8_are_dropped_and_counted(tmp_path):
    path = tmp_path / "x.en-de.tsv"
    path.write_bytes(b"The door\tdie T\xfcr\nThe window\tdas Fenster\n")
    counts = build(config(str(path)), tmp_path / "out").manifest.counts
    assert (counts["kept"], counts["dropped"]) == (1, {"not Unicode": 1})


def test_nothing_kept_says_why(tmp_path):
    rows = [
        ("deu", "Hello {name}", "Hallo {du}"),
        ("deu", "Bluetooth", "Bluetooth"),
        ("nld", "a door", "een deur"),
    ]
    path = write_tsv(tmp_path / "x.tsv", rows)
    with pytest.raises(IsoglotError) as caught:
        build(config(path, languages=("de",)), tmp_path / "out")
    for part in ("of 2 rows read", "identical: 1", "placeholder: 1", "en-nl: 1"):
        assert part in caught.value.problem
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == [tmp_path / "x.tsv"]


def test_what_isoglot_did_not_write_is_not_replaced(tmp_path, source):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("more work")
    for name in ("mine", "file"):
        with pytest.raises(RequestError, match="is there already and is no isoglot folder"):
            build(config(source), tmp_path / name)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert (tmp_path / "file").read_text() == "more work"
    (tmp_path / "empty").mkdir()
    assert build(config(source), tmp_path / "empty").languages == ("de", "fr", "zh-Hans")


def test_a_damaged_source_leaves_the_old_folder_alone(tmp_path, source):
    out = tmp_path / "out"
    build(config(source), out)
    before = digest_file(out / "manifest.json")
    data = Path(source).read_bytes()
    Path(source).write_bytes(data[: len(data) // 2])
    with pytest.raises(DamagedError, match="cut off"):
        build(config(source), out)
    assert digest_file(out / "manifest.json") == before


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nowhere.tsv", "There is no file nowhere.tsv"),
        (".", "is a folder, not a source"),
        ("floppy:a", "no reader for floppy: sources"),
        ("pairs.tsv#en", "does not name two languages"),
    ],
)
def test_sources_that_cannot_be_read(tmp_path, text, problem):
    with pytest.raises(RequestError, match=problem):
        build(config(text), tmp_path / "out")


def test_a_file_without_a_reader(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"x")
    with pytest.raises(RequestError, match=r"no reader for \.png files"):
        build(config(str(path)), tmp_path / "out")


def test_no_source_at_all(tmp_path):
    with pytest.raises(RequestError, match="No SOURCE"):
        build(config(), tmp_path / "out")


def test_a_package_becomes_a_corpus_with_its_licence(tmp_path, put_wheel):
    wheel = put_wheel()
    corpus = build(config("package:smalltexts==1.0"), tmp_path / "out")
    assert corpus.manifest.inputs == {"package:smalltexts==1.0": digest_file(wheel)}
    assert corpus.manifest.counts["kept"] == 6
    assert "Apache-2.0" in corpus.notice
    assert "by Somebody." in corpus.notice
    assert (corpus.folder / "licences" / "smalltexts.txt").read_text() == "The full terms."


def test_long_tables_are_cut_into_shards_by_row_number(tmp_path, source, monkeypatch):
    whole = build(config(source), tmp_path / "whole").groups("train")
    monkeypatch.setattr(store, "SHARD_ROWS", 100)
    corpus = build(config(source), tmp_path / "cut")
    shards = sorted(corpus.folder.glob("targets-train-*.parquet"))
    rows = [pq.read_metadata(path).num_rows for path in shards]
    assert len(rows) > 3
    assert set(rows[:-1]) == {100}
    cut = corpus.groups("train")
    assert (cut.sources, cut.targets) == (whole.sources, whole.targets)
    assert np.array_equal(cut.group, whole.group)


def test_shards_do_not_depend_on_how_rows_arrive(tmp_path, monkeypatch):
    import pyarrow as pa

    monkeypatch.setattr(store, "SHARD_ROWS", 7)
    table = pa.table({"group": range(20), "source": map(str, range(20)), "split": ["dev"] * 20})
    for name, size in (("one", 20), ("many", 3), ("single", 1)):
        (tmp_path / name).mkdir()
        writer = ShardWriter(tmp_path / name, "sources", "dev")
        for batch in table.to_batches(size):
            writer.write(batch)
        writer.close()
        assert writer.rows == 20
    digests = [
        [digest_file(path) for path in sorted((tmp_path / name).iterdir())]
        for name in ("one", "many", "single")
    ]
    assert len(digests[0]) == 3
    assert digests[0] == digests[1] == digests[2]


def test_an_empty_split_reads_as_empty(tmp_path, source):
    corpus = build(config(source, dev_percent=0), tmp_path / "out")
    groups = corpus.groups("dev")
    assert (groups.sources, groups.targets, groups.group.shape, groups.language.shape) == ([], [], (0,), (0,))
    assert groups.language.dtype == np.int16


def test_a_lost_shard_is_named(tmp_path, source):
    corpus = build(config(source), tmp_path / "out")
    (corpus.folder / "targets-dev-00000.parquet").write_bytes(b"no Parquet")
    with pytest.raises(DamagedError, match=r"targets-dev-00000\.parquet or one beside it cannot be read"):
        corpus.groups("dev")


def test_another_kind_of_folder_is_refused(tmp_path):
    with publish(tmp_path / "store", Manifest("store")) as folder:
        (folder / "rows").write_bytes(b"")
    with pytest.raises(RequestError, match="is a store, not a corpus"):
        Corpus.open(tmp_path / "store")


def test_a_cap_keeps_a_random_sample_of_whole_groups(tmp_path, source):
    everything = build(config(source, dev_percent=20, test_percent=20), tmp_path / "all")
    capped = build(config(source, dev_percent=20, test_percent=20, max_sources=90), tmp_path / "capped")
    kept = {split: set(capped.sources(split)) for split in SPLITS}
    assert sum(map(len, kept.values())) == 90
    for split in SPLITS:
        assert kept[split] <= set(everything.sources(split))
        groups = capped.groups(split)
        assert np.array_equal(np.unique(groups.group), np.arange(len(groups.sources)))
        assert len(kept[split]) == pytest.approx(0.3 * len(everything.sources(split)), rel=0.5)
    counts = capped.manifest.counts
    assert counts["kept"] == 90 * len(LANGUAGES)
    assert counts["dropped"]["over the cap"] == 210 * len(LANGUAGES)


@pytest.mark.parametrize("split_by", ["corpus", "language"])
def test_a_cap_per_corpus_or_language_keeps_a_random_sample_of_each(tmp_path, split_by):
    rows = [("deu", f"Sentence number {n} here.", f"Satz Nummer {n} hier.") for n in range(300)]
    other = [("deu", f"Text of number {n} here.", f"Text von Nummer {n} da.") for n in range(50)]
    french = [("fra", f"Sentence number {n} here.", f"La phrase numéro {n}.") for n in range(300)]
    first, second = write_tsv(tmp_path / "a.tsv", rows + french), write_tsv(tmp_path / "b.tsv", rows + other)
    options = {f"max_per_{split_by}": 100}
    corpus = build(config(first, second, **options), tmp_path / "out")
    counts = corpus.manifest.counts
    kept = {(cell["corpus"].rpartition("/")[2], cell["lang"]): cell["kept"] for cell in counts["by corpus"]}
    if split_by == "corpus":  # what both have belongs to the first
        assert kept == {("a", "de"): 100, ("a", "fr"): 100, ("b", "de"): 50}
    else:
        assert (kept["a", "de"] + kept["b", "de"], kept["a", "fr"]) == (100, 100)
        assert kept["b", "de"] == pytest.approx(100 * 50 / 350, abs=12)
    for cell in counts["by corpus"]:
        assert cell["read"] == cell["kept"] + sum(cell["dropped"].values())
    # the order of the sample is that of the sources, so the languages share most of their groups
    assert sum(counts["sources"].values()) < counts["kept"]


def test_slices_change_nothing(tmp_path, source, monkeypatch):
    whole = build(config(source, max_sources=200, max_per_language=150), tmp_path / "whole")
    monkeypatch.setattr(arrange, "_SLICE_ROWS", 37)
    cut = build(config(source, max_sources=200, max_per_language=150), tmp_path / "cut")
    shards = [name for name in whole.manifest.files if name != DROPPED]
    assert [whole.manifest.files[name] for name in shards] == [cut.manifest.files[name] for name in shards]
    assert whole.manifest.counts == cut.manifest.counts


def test_some_dropped_rows_are_kept_to_look_at(tmp_path):
    rows = [("deu", f"word {n}", f"word {n}") for n in range(9)]
    rows += [("fra", "good \u200bmorning", "Bonjour"), ("fra", "good morning", "Bonjour")]
    corpus = build(config(write_tsv(tmp_path / "x.tsv", rows), examples=2), tmp_path / "out")
    found = [(row["reason"], row["lang"], row["source"], row["target"]) for row in corpus.dropped()]
    assert found == [
        ("duplicate", "fr", "good morning", "Bonjour"),
        ("identical", "de", "word 0", "word 0"),
        ("identical", "de", "word 1", "word 1"),
    ]
    none = build(config(write_tsv(tmp_path / "x.tsv", rows), examples=0), tmp_path / "none")
    assert none.dropped() == []


def test_lengths_are_counted_in_characters(tmp_path):
    rows = [
        ("deu", "x" * 9 + "y", "z" * 4 + "a" * 5),
        ("deu", "a b", "ö" * 10 + " u"),
        ("jpn", "a b", "日本 " * 250),
    ]
    path = write_tsv(tmp_path / "x.tsv", rows)
    corpus = build(config(path, clean=CleanConfig(max_repeats=99, max_length_ratio=9999)), tmp_path / "out")
    lengths = corpus.manifest.counts["lengths"]
    assert lengths["edges"][:3] == [0, 10, 20]
    assert lengths["source"][:3] == [1, 1, 0]
    assert lengths["target"]["de"][:3] == [1, 1, 0]
    assert lengths["target"]["ja"][-1] == 1


def test_two_builds_of_one_folder_do_not_meet(tmp_path, source):
    with (
        publish(tmp_path / "out", Manifest("corpus")),
        pytest.raises(IsoglotError, match="Another process is writing"),
    ):
        build(config(source), tmp_path / "out")
    assert build(config(source), tmp_path / "out").manifest.counts["kept"]


def test_near_duplicates_are_dropped_only_when_asked_for(tmp_path):
    long = "The committee will meet on the second day of the month to talk about the plans"
    rows = [
        ("deu", f"{long} for {what}.", f"Der Ausschuss trifft sich am zweiten Tag des Monats wegen {what}")
        for what in ("cats", "bats", "rats")
    ]
    rows += [
        ("fra", f"{long} for cats.", "Le comité se réunira le deuxième jour du mois"),
        ("deu", "Something else altogether.", "Etwas ganz anderes."),
    ]
    path = write_tsv(tmp_path / "x.tsv", rows)
    everything = build(config(path), tmp_path / "all").manifest.counts
    assert everything["kept"] == 5
    corpus = build(config(path, near_duplicates=0.8), tmp_path / "fewer")
    counts = corpus.manifest.counts
    assert len(corpus.sources()) == 2
    assert "Something else altogether." in corpus.sources()
    assert counts["dropped"]["near-duplicate"] == 5 - counts["kept"]
    shown = [row for row in corpus.dropped() if row["reason"] == "near-duplicate"]
    assert {row["lang"] for row in shown} <= {"de", "fr"}
    assert len(shown) == counts["dropped"]["near-duplicate"]
    assert not {row["source"] for row in shown} & set(corpus.sources())
    for cell in counts["by corpus"]:
        assert cell["read"] == cell["kept"] + sum(cell["dropped"].values())
    strict = build(config(path, near_duplicates=0.97), tmp_path / "strict").manifest.counts
    assert strict["kept"] == 5
