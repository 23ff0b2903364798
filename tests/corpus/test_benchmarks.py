"""Every layout of a public test set is recognised and read as its publisher means it."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.benchmark_files import (
    GERMAN,
    SCORED,
    bucc,
    extended,
    flores,
    labelled,
    laser,
    put,
    semeval,
    stsb,
    stsbenchmark,
    tables,
    xnli,
)

from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.benchmarks.matching import STANDARD_MEMBER, matches
from isoglot.corpus.benchmarks.record import Inference, Labelled, Line, Similarity, Translation
from isoglot.corpus.languages import parse
from isoglot.errors import DamagedError, IsoglotError, RequestError

DATA = Path(os.environ.get("ISOGLOT_DATA", "unset"))


def found(path):
    """Test set and languages -> records."""
    return {(one.test_set, *one.languages): list(one.read()) for one in open_benchmarks([path])}


def test_tatoeba_of_laser(tmp_path):
    laser(tmp_path)
    assert found(tmp_path) == {
        ("tatoeba-v1", "de", "en"): [
            Translation("Hallo.", "Hello."),
            Translation("Gute Nacht!", "Good night!"),
        ],
        ("tatoeba-v1", "cmn", "en"): [Translation("你好。", "Hello.")],
    }


def test_flores_pairs_every_language_with_english(tmp_path):
    flores(tmp_path)
    both = {"de": [Translation("Hallo.", "Hello.")], "zh-Hant": [Translation("你好。", "Hello.")]}
    assert found(tmp_path) == {
        (f"flores200-{split}", tag, "en"): records
        for split in ("dev", "devtest")
        for tag, records in both.items()
    }


def test_tables_with_header_lines(tmp_path):
    tables(tmp_path)
    assert found(tmp_path) == {
        ("tatoeba-v1", "de", "en"): [Translation("Hallo.", "Hello."), Translation("Gute Nacht!", "Good night!")],
        ("stsb-test", "de", "de"): [Similarity(*row) for row in GERMAN],
        ("stsb-dev", "en", "en"): [Similarity(*row) for row in SCORED],
        ("sts17", "es", "en"): [Similarity("Un perro.", "A dog.", 1.5)],
        ("bucc-like-dev", "de", "en"): [
            Line("de-1", "Hallo.", 0), Line("de-2", "Ein\tTab.", 0), Line("en-1", "Hello.", 1),
        ],
        ("nli", "en", "en"): [Inference("It rains.", "It is dry.", "contradiction")],
    }  # fmt: skip


def test_sts_2017_as_published(tmp_path):
    """Scores are in a folder beside; track 2 is named ar-en and has English first; an empty score is no judgement."""
    semeval(tmp_path)
    assert found(tmp_path) == {
        ("sts17", "en", "en"): [Similarity(*row) for row in SCORED],
        ("sts17", "en", "ar"): [Similarity("A dog.", "كلب.", 5.0)],
    }


def test_sts_2017_extended_is_read_in_its_zip(tmp_path):
    extended(tmp_path / "STS2017-extended.zip")
    assert found(tmp_path / "STS2017-extended.zip") == {
        ("sts17", "en", "de"): [Similarity("A dog.", "Ein Hund.", 5.0)],
        ("sts17", "fr", "en"): [
            Similarity("Un chien.", "A dog.", 5.0),
            Similarity("Un chat.", "A dog.", 1.0),
        ],
    }


def test_stsb_multilingual_and_english(tmp_path):
    stsb(tmp_path)
    assert found(tmp_path) == {
        ("stsb-test", "de", "de"): [Similarity(*row) for row in GERMAN],
        ("stsb-test", "en", "en"): [Similarity(*row) for row in SCORED],
    }


def test_one_table_of_all_stsb_splits(tmp_path):
    stsbenchmark(tmp_path)
    assert found(tmp_path) == {
        (f"stsb-{split}", "en", "en"): [Similarity(f"{split} one", f"{split} two", 2.5)]
        for split in ("train", "dev", "test")
    }


def test_bucc_has_two_sides_and_gold_where_it_is_told(tmp_path):
    bucc(tmp_path)
    benchmarks = {one.split: one for one in open_benchmarks([tmp_path])}
    assert set(benchmarks) == {"sample", "test"}
    assert list(benchmarks["sample"].gold()) == [("de-000000001", "en-000000005")]
    assert benchmarks["test"].gold is None
    assert benchmarks["test"].test_set == "bucc2018-test"
    assert list(benchmarks["sample"].sentences()) == [("de", "Hallo."), ("en", "Hello."), ("en", "Bye.")]


def test_xnli_has_all_languages_in_one_file_and_no_quoting(tmp_path):
    xnli(tmp_path)
    assert found(tmp_path) == {
        ("xnli-test", "sw", "sw"): [Inference("Moja.", "Mbili.", "neutral")],
        ("xnli-test", "en", "en"): [Inference("One.", '"Two.', "neutral")],
        ("xnli-train", "sw", "sw"): [Inference("Moja.", "Tatu.", "contradiction")],
    }


def test_the_second_spanish_track_is_a_set_of_its_own(tmp_path):
    for track, text in (("4a.es-en", "Un perro.\tA dog.\n"), ("4b.es-en", "Un gato.\tA cat.\n")):
        put(tmp_path / f"STS.input.track{track}.txt", text)
        put(tmp_path / f"STS.gs.track{track}.txt", "2.5\n")
    for letter in "ab":
        put(
            tmp_path / "mine" / f"es-en-{letter}.tsv", f"score\tsentence1\tsentence2\n1\t{letter}\t{letter}\n"
        )
    assert {name: records[0].sentence1 for (name, *_), records in found(tmp_path).items()} == {
        "sts17": "Un perro.", "sts17-4b": "Un gato.", "mine": "a", "mine-b": "b",
    }  # fmt: skip


def test_labelled_sentences_in_three_layouts(tmp_path):
    labelled(tmp_path)
    assert {known: records for known, records in found(tmp_path).items() if records} == {
        ("sib200-test", "de", "de"): [
            Labelled("sport", 'Er rief: "Tor!"'),
            Labelled("travel", "Wir reisen."),
        ],
        ("sib200-dev", "zh-Hans", "zh-Hans"): [Labelled("sport", "进球！")],
        ("massive-train", "de-DE", "de-DE"): [Labelled("music", "spiel was")],
        ("massive-test", "de-DE", "de-DE"): [Labelled("alarm", "weck mich"), Labelled("music", "lauter")],
        ("topics-test", "fr", "fr"): [Labelled("sport", "Il court.")],
        ("topics", "fr", "fr"): [Labelled("sport", "Elle nage.")],
    }
    (table,) = open_benchmarks([tmp_path / "topics" / "fr.tsv"])
    assert list(table.sentences()) == [("fr", "Elle nage.")]


def test_files_that_only_look_like_labelled_sentences_are_left_out(tmp_path):
    put(tmp_path / "de-DE.jsonl", '{"utt": "no partition"}\n')
    put(tmp_path / "deu_Latn" / "test.tsv", "id\ttext\n1\tHallo.\n")
    put(tmp_path / "results" / "test.tsv", "index_id\tcategory\ttext\n1\ta\tb\n")
    put(tmp_path / "notes.tsv", "label\tsentence\na\tb\n")
    with pytest.raises(RequestError, match="SIB-200, MASSIVE"):
        open_benchmarks([tmp_path])


def test_a_set_named_twice_is_opened_once(tmp_path):
    tables(tmp_path)
    assert len(open_benchmarks([tmp_path, tmp_path / "stsb"])) == len(open_benchmarks([tmp_path]))


def test_the_digest_is_of_the_content_not_of_its_packing(tmp_path):
    content = "source\ttarget\nHallo.\tHello.\n"
    for place, name, text in [
        ("a", "deu.tsv", content),
        ("b", "deu.tsv.gz", content),
        ("c", "deu.tsv", content + "x\ty\n"),
    ]:
        put(tmp_path / place / "tatoeba" / name, text)
    plain, packed, longer = (open_benchmarks([tmp_path / place])[0].digest for place in "abc")
    assert plain == packed != longer


def test_records_of_another_kind_are_refused(tmp_path):
    tables(tmp_path)
    (benchmark,) = open_benchmarks([tmp_path / "nli"])
    assert list(benchmark.records(Inference))
    with pytest.raises(RequestError, match="holds Inference records, not Similarity"):
        list(benchmark.records(Similarity))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tatoeba.deu-eng.deu", "Hallo.\n", "ends before line 2"),
        ("STS.input.track5.en-en.txt", "A.\tB.\nC.\tD.\nE.\tF.\n", "has 3 pairs, .* has 2 scores"),
        ("sts-test.csv", "only\tfour\tcolumns\there\n", "line 1: 4 columns, at least 7"),
        ("stsb-de-test.csv", "a,b,c\n", "line 1: 'c' is no score"),
        ("stsb-de-dev.csv", "a,b,nan\n", "line 1: 'nan' is no score"),
        ("stsb-fr-test.csv", 'a,"b,1\n', "line 1: unexpected end"),
        ("xnli.dev.tsv", "language\tgold_label\tsentence1\tpairID\n", "has no column sentence2"),
        ("deu.tsv", "source\ttarget\nHallo.\n", "line 2: 1 columns, at least 2"),
        ("deu.tsv", "label\tsentence\nsport\n", "line 2: 1 columns, at least 2"),
        ("deu_Latn/dev.tsv", "index_id\tcategory\ttext\n1\tsport\n", "line 2: 2 columns instead of 3"),
        ("deu_Latn/dev.tsv", 'index_id\tcategory\ttext\n1\tsport\t"x\n', "line 2: unexpected end"),
        (
            "de-DE.jsonl",
            '{"partition": "dev", "scenario": "a", "utt": "b"}\n[]\n',
            "line 2 is no object with",
        ),
    ],
)
def test_a_damaged_set_is_named_with_its_line(tmp_path, name, text, said):
    put(tmp_path / "tatoeba.deu-eng.eng", "Hello.\nGood night!\n")
    put(tmp_path / "STS.gs.track5.en-en.txt", "1\n2\n")
    put(tmp_path / name, text)
    with pytest.raises(DamagedError, match=said):
        for benchmark in open_benchmarks([tmp_path]):
            list(benchmark.read())


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "deu.tsv").write_bytes(b"source\ttarget\nGr\xfc\xdfe\tHello.\n")
    with pytest.raises(DamagedError, match="line 2 is not UTF-8"):
        list(open_benchmarks([tmp_path])[0].read())


NAMES = [
    "tatoeba.deu-eng.deu", "deu_Latn.dev", "deu.tsv", "STS.input.track5.en-en.txt", "STS.en-de.txt", "sts-dev.tsv",
    "stsb-de-test.csv", "stsbenchmark.tsv", "de-en.sample.de", "de-dev.de", "xnli.dev.tsv", "multinli.train.de.tsv",
    "de-test.tsv", "de-DE.jsonl", "pairs.zip",
]  # fmt: skip
HEADERS = [
    "", "source\ttarget\n", "score\tsentence1\tsentence2\n", "language\tgold_label\tsentence1\tsentence2\n",
    "label\tsentence\n", '{"partition": "dev", "scenario": "a", "utt": "b"}\n',
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(NAMES), st.sampled_from(HEADERS), st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_records_or_an_error_with_a_next_step(tmp_path_factory, name, header, content):
    folder = tmp_path_factory.mktemp("any")
    for other in (
        "tatoeba.deu-eng.eng",
        "eng_Latn.dev",
        "STS.gs.track5.en-en.txt",
        "de-en.sample.en",
        "de-dev.en",
    ):
        put(folder / other, "1\t2\n")
    (folder / name).write_bytes(header.encode() + content)
    try:
        for benchmark in open_benchmarks([folder]):
            assert all(isinstance(text, str) for record in benchmark.read() for text in record[:2])
    except IsoglotError as error:
        assert str(folder) in error.problem
        assert error.next_step


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "holds no test set that isoglot knows"),
        (lambda folder: put(folder / "pairs.en-de.tsv", "A.\tB.\n"), "holds no test set that isoglot knows"),
        (lambda folder: put(folder / "STS.input.track1.ar-ar.txt", "A.\tB.\n"), "has no scores"),
    ],
)
def test_what_is_no_test_set_is_refused(tmp_path, make, said):
    make(tmp_path)
    with pytest.raises(RequestError, match=said):
        open_benchmarks([tmp_path])
    with pytest.raises(RequestError, match="does not exist"):
        open_benchmarks([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("test", "corpus", "same"),
    [
        ("cmn", "zho", True), ("cmn", "zho_Hans", True), ("zho_Hans", "zho_Hant", False), ("cmn", "yue", False),
        ("swh", "swa", True), ("lvs", "lav", True), ("lav", "ltg", False), ("nob", "nor", True), ("nor", "nno", False),
        ("zsm", "msa", True), ("pes", "fas", True), ("pes", "prs", False), ("ydd", "yid", True), ("kzj", "dtp", True),
        ("aze", "azb", False), ("srp", "hbs", False), ("ara", "arz", False), ("ara", "arb_Arab", True),
        ("por", "por-BR", True), ("deu", "deu-formal", True), ("ace_Arab", "ace_Latn", False),
        ("ace_Latn", "ace", True),
        ("x-eml", "eml", True), ("deu", "nld", False), ("tgl", "fil", True),
    ],
)  # fmt: skip
def test_codes_of_one_language_match_by_the_table(test, corpus, same):
    assert matches(parse(test), parse(corpus)) is same
    assert matches(parse(corpus), parse(test)) is same


def test_the_table_holds_canonical_tags_and_no_chains():
    for whole, member in STANDARD_MEMBER.items():
        assert (parse(whole), parse(member)) == (whole, member)
        assert member not in STANDARD_MEMBER


@pytest.mark.skipif(not DATA.is_dir(), reason="ISOGLOT_DATA names no data folder")
def test_the_real_sets_have_their_numbers_of_records():
    benchmarks = open_benchmarks([DATA / "eval", DATA / "nli"])
    records = Counter()
    for benchmark in benchmarks:
        records[benchmark.test_set] += sum(1 for _ in benchmark.read())
    assert records == {
        "tatoeba-v1": 88_877, "stsb-train": 11 * 5_749, "stsb-dev": 11 * 1_500, "stsb-test": 4 * 1_379,
        "sts17": 3 * 250, "bucc-like-dev": 2 * (4_526 + 4_811 + 2_820 + 3_541 + 1_819), "nli": 15_001,
    }  # fmt: skip
    gold = {benchmark.languages[0]: len(list(benchmark.gold())) for benchmark in benchmarks if benchmark.gold}
    assert gold == {"cs": 133, "de": 142, "fr": 83, "ru": 104, "zh": 53}
    assert {one.languages for one in benchmarks if one.name == "sts17"} == {
        ("en", "en"),
        ("es", "es"),
        ("es", "en"),
    }
