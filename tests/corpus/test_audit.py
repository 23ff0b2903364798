"""The audit finds what is in a test set, exactly and nearly, on the right side, and nothing else."""

import csv
import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.benchmark_files import put
from typer.testing import CliRunner

from isoglot.cli.corpus import app
from isoglot.config import CorpusConfig
from isoglot.corpus.audit.audit import audit
from isoglot.corpus.audit.groups import find_leaks, without_leaks
from isoglot.corpus.audit.index import build_index
from isoglot.corpus.audit.ngrams import ngrams
from isoglot.corpus.audit.scan import Leaks, Place
from isoglot.corpus.benchmarks.layout import open_benchmarks
from isoglot.corpus.build import build
from isoglot.corpus.split import key
from isoglot.corpus.store import Groups
from isoglot.errors import RequestError

DATA = Path(os.environ.get("ISOGLOT_DATA", "unset"))
# VmHWM is of the program alone; the peak that a parent is told would count the parent's own memory, too
SAYING_ITS_PEAK = """
import atexit, pathlib, sys
import isoglot.cli.main
atexit.register(lambda: sys.stderr.write(pathlib.Path("/proc/self/status").read_text()))
isoglot.cli.main.main()
"""
EIGHT = "one two three four five six seven eight"


@pytest.fixture
def tests(tmp_path):
    """A Tatoeba of German and Chinese, and an STS set."""
    folder = tmp_path / "tests"
    put(
        folder / "tatoeba" / "deu.tsv",
        "source\ttarget\nGuten Morgen!\tGood morning.\nWie geht es?\tHow are you?\n",
    )
    put(folder / "tatoeba" / "cmn.tsv", "source\ttarget\n早上好\tGood morning.\n")
    put(folder / "stsb" / "en-test.tsv", f"score\tsentence1\tsentence2\n5\t{EIGHT}\tGood morning\n")
    return folder


def pairs(path, rows):
    lines = ["source_lang\ttarget_lang\tsource\ttarget", *("\t".join(row) for row in rows)]
    put(path, "\n".join(lines) + "\n")
    return str(path)


def leaks(found):
    return {tuple(place): vars(counts) for place, counts in found.leaks.items()}


def test_each_side_is_compared_with_its_own_languages(tmp_path, tests):
    corpus = pairs(
        tmp_path / "a" / "x.tsv",
        [
            ("eng", "deu", "GOOD  MORNING", "Moin"),  # source side, both sets, once each
            ("eng", "deu", "Hi", "«guten morgen»"),  # other side, its own language
            ("eng", "nld", "Hi", "Wie geht es"),  # other side, another language
            ("deu", "eng", "Guten Morgen", "Good morning"),  # the other way round, both sides
            ("eng", "deu", "Guten Morgen", "Good morning"),  # right words on the wrong sides
            ("eng", "zho", "...", "早上好!"),  # an empty key matches nothing; zho is cmn by the table
        ],
    )
    found = audit([corpus], [tests], None)
    assert found.test_sets == ("stsb-test", "tatoeba")
    zero = vars(Leaks())
    assert leaks(found) == {
        ("a/x", "de", "tatoeba"): {**zero, "rows": 3, "by_source": 2, "by_target": 2, "same_language": 2},
        ("a/x", "de", "stsb-test"): {**zero, "rows": 2, "by_source": 2},
        ("a/x", "nl", "tatoeba"): {**zero, "rows": 1, "by_target": 1},
        ("a/x", "zh", "tatoeba"): {**zero, "rows": 1, "by_target": 1, "same_language": 1},
    }
    assert found.read == {("a/x", "de"): 4, ("a/x", "nl"): 1, ("a/x", "zh"): 1}


def test_a_near_match_holds_its_share_of_the_5_grams(tmp_path, tests):
    rows = [
        ("eng", "deu", f"{EIGHT} nine", "a"),  # all four
        ("eng", "deu", "zero one two three four five six seven", "b"),  # three of four
        ("eng", "deu", "one two three four five six", "c"),  # two of four
        ("eng", "deu", EIGHT, "d"),  # exact, so not counted as near
        ("eng", "deu", "Good morning to you all and every one", "e"),  # its test sentence is too short
    ]
    corpus = pairs(tmp_path / "a" / "x.tsv", rows)
    place = Place("a/x", "de", "stsb-test")
    near = {share: audit([corpus], [tests], share).leaks[place].near for share in (1.0, 0.75, 0.76, 0.5)}
    assert near == {1.0: 1, 0.75: 2, 0.76: 1, 0.5: 3}
    assert audit([corpus], [tests], 0.5).leaks[place].rows == 1
    overlaps = {example.text: example.overlap for example in audit([corpus], [tests], 0.5).examples}
    assert overlaps == {rows[0][2]: 1.0, rows[1][2]: 0.75, rows[2][2]: 0.5, rows[3][2]: 1.0}


def test_a_5_gram_of_thousands_of_test_sentences_is_counted_in_parts(tmp_path, monkeypatch):
    """However the pairs of rows and test sentences are cut, each row keeps all of its own."""
    endings = "\n".join(f"a b c d e f g h{n}\ta b c d e f g h{n}" for n in range(300))
    put(tmp_path / "t" / "deu.tsv", f"source\ttarget\n{endings}\n")
    rows = [("eng", "deu", f"a b c d e f g {n}", "x") for n in range(7)] + [
        ("eng", "deu", "a b c d e f g h5 i", "x")
    ]
    corpus = pairs(tmp_path / "a" / "x.tsv", rows)
    for most in (1, 2000, 10**9):
        monkeypatch.setattr("isoglot.corpus.audit.index._MOST_PAIRS", most)
        assert audit([corpus], [tmp_path / "t"], 0.75).totals()["t"].near == 8
        assert audit([corpus], [tmp_path / "t"], 0.76).totals()["t"].near == 1


def test_scripts_without_spaces_are_compared_by_characters(tmp_path):
    put(tmp_path / "t" / "jpn.tsv", "source\ttarget\nわたしは本を読みます\tI read books.\n")
    rows = [("eng", "jpn", "a", "きのうわたしは本を読みました"), ("eng", "jpn", "b", "あなたは本を読みます")]
    corpus = pairs(tmp_path / "a" / "x.tsv", rows)
    # 10 characters, 6 of 5 each: the first row has the 5 of わたしは本を読みま, the second the 3 of は本を読みます
    for share, near in [(5 / 6, 1), (0.84, 0), (0.5, 2)]:
        assert audit([corpus], [tmp_path / "t"], share).totals().get("t", Leaks()).near == near


words = st.lists(st.sampled_from(["a", "b", "ab", "c", "学", "生 ", "é"]), max_size=12).map(" ".join)


@given(st.lists(words, max_size=6))
def test_5_grams_of_many_texts_are_those_of_each(texts):
    keys = [key(text) for text in texts]
    grams, rows = ngrams(keys)
    expected = [
        len({tuple(text.split()[at : at + 5]) for at in range(len(text.split()) - 4)}) for text in keys
    ]
    assert np.bincount(rows, minlength=len(keys)).tolist() == expected
    for row, text in enumerate(keys):
        assert sorted(grams[rows == row].tolist()) == sorted(ngrams([text])[0].tolist())


def test_a_built_corpus_is_audited_as_it_is(tmp_path, tests):
    rows = [("eng", "deu", f"Sentence number {n}.", f"Satz Nummer {n}.") for n in range(40)]
    rows += [
        ("eng", "deu", "Good morning!", "Moin."),
        ("eng", "fra", "Good morning!", "Bonjour !"),
        ("eng", "deu", "Hey", "Guten Morgen"),
    ]
    source = pairs(tmp_path / "a" / "x.tsv", rows)
    out = tmp_path / "corpus"
    build(CorpusConfig(sources=(source,), dev_percent=20, test_percent=20), out)
    found = audit([str(out)], [tests], None)
    assert found.read.total() == len(rows)
    assert {place: counts.rows for place, counts in found.leaks.items()} == {
        ("a/x", "de", "tatoeba"): 2, ("a/x", "fr", "tatoeba"): 1,
        ("a/x", "de", "stsb-test"): 1, ("a/x", "fr", "stsb-test"): 1,
    }  # fmt: skip


def test_premise_and_hypothesis_are_two_sides(tmp_path, tests):
    put(
        tmp_path / "nli" / "eng.tsv",
        "premise\thypothesis\tlabel\nGood morning\tHow are you\tneutral\nNo\tYes\tneutral\n",
    )
    found = audit([str(tmp_path / "nli" / "eng.tsv")], [tests / "tatoeba"], None)
    assert leaks(found) == {
        ("nli/eng", "en", "tatoeba"): {
            **vars(Leaks()),
            "rows": 1,
            "by_source": 1,
            "by_target": 1,
            "same_language": 1,
        }
    }


def test_another_source_language(tmp_path, tests):
    corpus = pairs(
        tmp_path / "a" / "x.tsv",
        [("deu", "nld", "Guten Morgen", "Goedemorgen"), ("deu", "eng", "Hm", "Good morning")],
    )
    found = audit([corpus], [tests / "tatoeba"], None, source_lang="de")
    assert {place: (counts.by_source, counts.by_target) for place, counts in found.leaks.items()} == {
        ("a/x", "nl", "tatoeba"): (1, 0), ("a/x", "en", "tatoeba"): (0, 1),
    }  # fmt: skip


def test_training_groups_lose_what_leaks_on_either_side(tests):
    groups = Groups(
        sources=["Good morning.", "Hello.", "Bye.", "Fine."],
        targets=["Moin.", "Wie geht es?", "Salut.", "Guten Morgen", "Gut."],
        group=np.array([0, 1, 1, 2, 3], np.int32),
        language=np.array([0, 0, 1, 0, 0], np.int16),
        languages=("de", "fr"),
    )
    found = find_leaks(groups, build_index(open_benchmarks([tests]), "en", with_ngrams=False))
    assert (found.groups, found.translations) == (
        {"tatoeba": 1, "stsb-test": 1},
        {"tatoeba": 2, "stsb-test": 0},
    )
    left = without_leaks(groups, found)
    assert (left.sources, left.targets) == (["Hello.", "Fine."], ["Salut.", "Gut."])
    assert (left.group.tolist(), left.language.tolist(), left.languages) == ([0, 1], [1, 0], ("de", "fr"))


def test_lone_surrogates_and_clean_text_leak_nothing(tmp_path, tests):
    path = tmp_path / "a" / "x.tsv"
    pairs(path, [("eng", "deu", "Good", "Gut")])
    path.write_bytes(path.read_bytes() + b"eng\tdeu\tGood morning\xff\tGuten Morgen\xff\n")
    found = audit([str(path)], [tests], 0.5)
    assert (found.read.total(), leaks(found), found.examples) == (2, {}, [])


def test_the_command_prints_counts_and_examples(tmp_path, tests):
    corpus = pairs(
        tmp_path / "a" / "x.tsv",
        [("eng", "deu", "Good morning", "Moin"), ("eng", "deu", f"{EIGHT} 9", "Neun")],
    )
    arguments = ["audit", corpus, "--against", str(tests / "tatoeba"), "--against", str(tests / "stsb")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["2", "rows", "against", "tatoeba,", "stsb-test"]
    assert ["a", "stsb-test", "1", "1", "0", "0", "1"] in lines
    assert f"stsb-test (en), near 100%, a/x: {EIGHT} 9" in result.stdout
    as_json = json.loads(CliRunner().invoke(app, [*arguments, "--exact", "--json"]).stdout)
    assert as_json["rows"] == 2
    assert as_json["totals"]["stsb-test"] == {**vars(Leaks()), "rows": 1, "by_source": 1}
    assert {example["text"] for example in as_json["examples"]} == {"Good morning"}
    assert f"test sentence: {EIGHT}\n" in result.stdout + "\n"
    assert as_json["leaks"][1] == {
        "corpus": "a/x",
        "language": "de",
        "test_set": "tatoeba",
        **vars(Leaks(rows=1, by_source=1)),
    }


def test_a_threshold_that_is_no_share_is_refused(tmp_path, tests):
    with pytest.raises(RequestError, match="is no share"):
        audit([pairs(tmp_path / "x.tsv", [])], [tests], 1.5)


def rows_in(path):
    with gzip.open(path) as file:
        return sum(1 for _ in file) - 1


@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=pytest.mark.faults), pytest.param(12, marks=pytest.mark.slow)]
)
@pytest.mark.skipif(not DATA.is_dir(), reason="ISOGLOT_DATA names no data folder")
def test_real_counts_are_those_of_an_independent_count(every):
    """All rows of 745 parallel files, or of some, and the NLI table against all test sets: the counts of leaks.tsv."""
    parallel = sorted((DATA / "parallel").glob("*/eng-*.tsv.gz"))
    files = [*parallel[::every], DATA / "nli" / "eng.tsv.gz"]
    arguments = ["corpus", "audit", *files, "--against", DATA / "eval", "--exact", "--json"]
    command = [sys.executable, "-c", SAYING_ITS_PEAK, *map(str, arguments)]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(process.stdout)
    peak = int(process.stderr.partition("VmHWM:")[2].split()[0])
    asked = {(path.parent.name, path.name.removesuffix(".tsv.gz").removeprefix("eng-")) for path in files}
    with (DATA / "leaks.tsv").open(encoding="utf-8", newline="") as file:
        expected = {
            key: int(row["n_rows"])
            for row in csv.DictReader(file, delimiter="\t")
            if (key := (row["parallel_set"], row["lang"], row["eval_set"]))[:2] in asked
        }
    counted = Counter()
    for leaks_of in found["leaks"]:
        folder, _, name = leaks_of["corpus"].partition("/")
        code = name if folder == "nli" else name.removeprefix("eng-")
        counted[folder, code, leaks_of["test_set"]] += leaks_of["rows"]
    assert len(parallel) == 745
    assert found["rows"] == (3_113_041 if every == 1 else sum(map(rows_in, files)))
    assert dict(counted) == expected != {}
    assert peak < 250 * 1024  # kibibytes; measured 127 MiB
