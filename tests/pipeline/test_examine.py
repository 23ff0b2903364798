"""`corpus doctor` on a small real encoder: misaligned pairs that were put in are found."""

from __future__ import annotations

import csv
import json
import random

import pytest
from typer.testing import CliRunner

import tiny
from isoglot.cli.corpus import app
from isoglot.config import CorpusConfig
from isoglot.corpus.build import build
from isoglot.corpus.split import SPLITS
from isoglot.errors import RequestError
from isoglot.pipeline import examine as room
from isoglot.pipeline.examine import COLUMNS, Examination, examine, open_pair

CHANGED = {"de": (0, "small"), "fr": (4, "house")}  # a "translation" has another word in one place
GROUPS = 300  # distinct sentences
CLEAN = {"max_untranslated": 1.0, "language_probability": 1.0}  # the words are English on both sides


def translated(text, tag):
    place, word = CHANGED[tag]
    words = text.split()
    return " ".join([*words[:place], word, *words[place + 1 :]])


def unlike(text, texts):
    """A sentence without a word of `text`."""
    return next(other for other in texts if not set(other.split()) & set(text.split()))


@pytest.fixture(scope="module")
def injected(tmp_path_factory):
    """A corpus of two files, and the five percent of its pairs whose translation is another sentence's."""
    folder = tmp_path_factory.mktemp("doctor")
    draw, wrong, sources = random.Random(5), set(), []
    for tag in CHANGED:
        texts = [tiny.sentence(number * 7) for number in range(GROUPS)]
        targets = [translated(text, tag) for text in texts]
        for at in draw.sample(range(GROUPS), GROUPS // 20):
            targets[at] = translated(unlike(texts[at], texts), tag)
            wrong.add((tag, texts[at]))
        path = folder / f"{tag}" / f"x.en-{tag}.tsv"
        path.parent.mkdir()
        path.write_text("".join(f"{a}\t{b}\n" for a, b in zip(texts, targets, strict=True)), "utf-8")
        sources.append(str(path))
    config = CorpusConfig(sources=tuple(sources), clean=CLEAN)
    corpus = build(config, folder / "corpus")
    assert corpus.manifest.counts["kept"] == 2 * GROUPS
    return corpus, wrong


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return str(tiny_folder / "teacher")


ALL = Examination(SPLITS, None, 4.0, 1000)


def found_in(examined):
    return {(one.lang, one.source) for one in examined.suspects}


def test_injected_misalignments_are_found_and_little_else(injected, encoder):
    corpus, wrong = injected
    examined = examine(corpus, open_pair(encoder, None), ALL)
    found = found_in(examined)
    assert len(found & wrong) / len(wrong) > 0.8  # recall
    assert len(found & wrong) / len(found) > 0.9  # precision
    assert examined.pairs == {("de/x.en-de", "de"): GROUPS, ("fr/x.en-fr", "fr"): GROUPS}
    assert examined.found.total() == len(examined.suspects)


def test_a_clean_corpus_has_hardly_a_suspect(injected, encoder, tmp_path):
    lines = (f"{tiny.sentence(n * 7)}\t{translated(tiny.sentence(n * 7), 'de')}\n" for n in range(GROUPS))
    (tmp_path / "x.en-de.tsv").write_text("".join(lines))
    config = CorpusConfig(sources=(str(tmp_path / "x.en-de.tsv"),), clean=CLEAN)
    examined = examine(build(config, tmp_path / "corpus"), open_pair(encoder, None), ALL)
    assert examined.found.total() <= 3


def test_the_worst_come_first_and_only_so_many_are_listed(injected, encoder):
    every = examine(injected[0], open_pair(encoder, None), ALL)
    scores = [one.score for one in every.suspects]
    assert scores == sorted(scores, reverse=True)
    few = examine(injected[0], open_pair(encoder, None), Examination(SPLITS, None, 4.0, 7))
    assert few.suspects == every.suspects[:7]
    assert few.found == every.found


def test_a_higher_threshold_finds_fewer(injected, encoder):
    models = open_pair(encoder, None)
    counts = [
        examine(injected[0], models, Examination(SPLITS, None, threshold, 0)).found.total()
        for threshold in (-100.0, 4.0, 1000.0)
    ]
    assert counts[0] == 2 * GROUPS > counts[1] > counts[2] == 0


def test_blocks_are_only_a_matter_of_memory(injected, encoder, monkeypatch):
    models = open_pair(encoder, None)
    whole = examine(injected[0], models, ALL)
    monkeypatch.setattr(room, "_BLOCK_GROUPS", 37)
    parts = examine(injected[0], models, ALL)
    assert found_in(parts) == found_in(whole)
    assert [one.excess for one in parts.suspects] == pytest.approx(
        [one.excess for one in whole.suspects], abs=1e-5
    )


def test_a_sample_and_a_split(injected, encoder):
    corpus = injected[0]
    few = examine(corpus, open_pair(encoder, None), Examination(("train",), 50, 4.0, 1000))
    assert few.pairs.total() == 100
    assert {one.split for one in few.suspects} <= {"train"}
    firsts = set(corpus.sources("train")[:50])
    assert {one.source for one in few.suspects} <= firsts


def test_student_and_teacher_must_share_a_space(tiny_folder):
    student, teacher = open_pair(str(tiny_folder / "teacher"), str(tiny_folder / "teacher"))
    assert student is not teacher
    with pytest.raises(RequestError, match=r"vectors of 32 numbers, .* of 24"):
        open_pair(str(tiny_folder / "student"), str(tiny_folder / "teacher"))


def test_the_command_writes_a_table_and_json(injected, encoder, tmp_path):
    corpus, wrong = injected
    out = tmp_path / "suspects.tsv"
    arguments = ["doctor", str(corpus.folder), "--model", encoder, "--out", str(out), "--most", "12"]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["pairs"], said["threshold"], len(said["suspects"])) == (2 * GROUPS, 4.0, 12)
    assert sum(of["suspicious"] for of in said["by corpus"]) == said["suspicious"] >= 0.8 * len(wrong)
    with out.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    assert tuple(header) == COLUMNS
    assert [(line[3], line[5], line[6]) for line in lines] == [
        (one["lang"], one["source"], one["target"]) for one in said["suspects"]
    ]


def test_the_command_shows_the_worst(injected, encoder):
    arguments = [
        "doctor",
        str(injected[0].folder),
        "--model",
        encoder,
        "--split",
        "train",
        "--threshold",
        "6",
    ]
    text = CliRunner().invoke(app, arguments).stdout
    assert "6 or more robust standard deviations" in text
    assert "de/x.en-de" in text
    none = CliRunner().invoke(app, [*arguments, "--threshold", "1000"]).stdout
    assert none.startswith("0 of ")
