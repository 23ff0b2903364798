"""`isoglot corpus clean --margin`: what is left out, what is counted, and that a proper corpus folder comes out."""

import json

import numpy as np
import pytest

from isoglot.artefact import verify
from isoglot.corpus.overview import Mixing, overview
from isoglot.corpus.store import Corpus
from isoglot.corpus.stream import rows
from mine.two_sides import write_vectors

LANGUAGES, GROUPS, SWAPPED = ("de", "fr"), 120, 15
SPLITS = ("train", "dev", "test")


class Misaligned:
    """A corpus of two languages in which 15 German rows carry the translation of another row; `tr` has two pairs."""

    def __init__(self, mining):
        self.mining, self.folder = mining, mining.folder
        random = np.random.default_rng(3)
        names = [
            f"{a}{b}"
            for a in "bcdfghklmn"
            for b in ("ado", "eri", "iso", "ola", "umi", "ane", "eto", "iku", "oro", "ula", "ami", "eni")
        ]
        sources = [f"The name of this is {name}" for name in names]
        vectors = {text: random.normal(size=24) + 0.5 for text in sources}
        lines, self.wrong = ["source_lang\ttarget_lang\tsource\ttarget"], set()
        for language in LANGUAGES:
            texts = [f"{language} sagt dazu {name}" for name in names]
            for source, text in zip(sources, texts, strict=True):
                vectors[text] = vectors[source] + 0.5 * random.normal(size=24)
            if language == "de":
                texts[:SWAPPED] = texts[1:SWAPPED] + texts[:1]
                self.wrong = set(zip(sources[:SWAPPED], texts[:SWAPPED], strict=True))
            lines += [
                f"en\t{language}\t{source}\t{text}" for source, text in zip(sources, texts, strict=True)
            ]
        for number in range(2):
            lines.append(f"en\ttr\t{sources[number]}\ttr {names[number]}")
            vectors[f"tr {names[number]}"] = random.normal(size=24)
        (self.folder / "pairs.tsv").write_text("\n".join(lines) + "\n")
        write_vectors(self.folder / "model.jsonl", vectors)
        options = (
            "clean.max_untranslated=1.0",
            "clean.language_probability=1",
            "dev_percent=15",
            "test_percent=15",
        )
        settings = [part for option in options for part in ("--set", option)]
        built = mining.run("corpus", "build", "pairs.tsv", "--out", "corpus", *settings)
        assert built.exit_code == 0, built.stderr

    def clean(self, *more, margin="1.1"):
        done = self.mining.run("corpus", "clean", "corpus", "--margin", margin, "--model", "model.jsonl",
                               "--out", "clean", "--json", *more)  # fmt: skip
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout), Corpus.open(self.folder / "clean")


def pairs_of(corpus, language):
    found = [row for split in SPLITS for row in rows(corpus, split, [language])]
    return {(row.source, row.target) for row in found}


@pytest.fixture
def misaligned(mining):
    return Misaligned(mining)


def test_misaligned_pairs_go_and_the_others_stay(misaligned):
    before = Corpus.open(misaligned.folder / "corpus")
    found, after = misaligned.clean()
    assert pairs_of(before, "de") - pairs_of(after, "de") == misaligned.wrong
    assert pairs_of(after, "fr") == pairs_of(before, "fr")
    assert found["languages"]["de"]["dropped"] == SWAPPED and found["dropped"] == SWAPPED
    assert found["languages"]["de"]["margins"]["5 %"] < 1.1 < found["languages"]["de"]["margins"]["25 %"]
    assert found["languages"]["tr"] == {"kept": 2, "dropped": 0, "margins": {}}


def test_a_proper_corpus_folder_comes_out(misaligned):
    before, (_, after) = Corpus.open(misaligned.folder / "corpus"), misaligned.clean()
    assert verify(after.folder) == [] and after.notice == before.notice
    counts, old = after.manifest.counts, before.manifest.counts
    assert counts["read"] == old["read"] and counts["kept"] == old["kept"] - SWAPPED
    assert counts["dropped"] == {**old["dropped"], "margin": SWAPPED}
    assert counts["languages"]["de"]["dropped"] == {**old["languages"]["de"]["dropped"], "margin": SWAPPED}
    for tag in ("de", "fr", "tr"):
        of = counts["languages"][tag]
        assert of["kept"] + sum(of["dropped"].values()) == of["read"]
        assert sum(of["splits"].values()) == of["kept"] == len(pairs_of(after, tag))
        assert sum(counts["lengths"]["target"][tag]) == of["kept"]
    assert sum(counts["corpora"].values()) == counts["kept"]
    first = 0
    for split in SPLITS:
        groups, whole = after.groups(split), before.groups(split)
        assert counts["sources"][split] == len(groups.sources) == len(set(groups.group.tolist()))
        assert set(groups.sources) <= set(whole.sources)
        numbers = [row.group for row in rows(after, split)]
        assert sorted(set(numbers)) == list(range(first, first + len(groups.sources)))
        first += len(groups.sources)
    assert sum(counts["lengths"]["source"]) == sum(counts["sources"].values())
    assert "margin" in dict(overview(after, Mixing(0.5, 3)).total.reasons)
    shown = misaligned.mining.run("corpus", "show", "clean", "--html", "page.html")
    assert shown.exit_code == 0 and f"most in pairs, de: {SWAPPED}" in shown.stdout
    assert "margin" in (misaligned.folder / "page.html").read_text("utf-8")
    assert misaligned.mining.run("corpus", "export", "clean", "--to", "tsv", "--out", "x.tsv").exit_code == 0
    assert len((misaligned.folder / "x.tsv").read_text().splitlines()) == counts["kept"] + 1


def test_left_out_pairs_are_shown_and_what_judged_them_is_kept(misaligned):
    before, (_, after) = Corpus.open(misaligned.folder / "corpus"), misaligned.clean("-k", "3")
    examples = [row for row in after.dropped() if row["reason"] == "margin"]
    assert {(row["source"], row["target"]) for row in examples} < misaligned.wrong and len(examples) == 5
    assert after.manifest.config["margin"] == {"least": 1.1, "score": "ratio", "neighbours": 3}
    assert after.manifest.config["source_lang"] == "en"
    assert after.manifest.inputs["corpus corpus"] == before.manifest.digest
    assert len(after.manifest.inputs["model model.jsonl"]) == 64


def test_a_finished_folder_is_left_and_another_request_is_not(misaligned):
    found, after = misaligned.clean()
    written = (after.folder / "manifest.json").stat().st_mtime_ns
    assert misaligned.clean()[0] == found
    assert (after.folder / "manifest.json").stat().st_mtime_ns == written
    assert misaligned.clean(margin="1.3")[0]["dropped"] > SWAPPED


def test_sources_without_translations_leave(misaligned):
    found, after = misaligned.clean("--score", "absolute", margin="0.9")
    before = Corpus.open(misaligned.folder / "corpus")
    assert (
        0 < sum(after.manifest.counts["sources"].values()) < sum(before.manifest.counts["sources"].values())
    )
    assert found["kept"] == len(pairs_of(after, "de")) + len(pairs_of(after, "fr")) + len(
        pairs_of(after, "tr")
    )


@pytest.mark.parametrize("option", [("--score", "distance"), ("-k", "40")])
def test_each_option_has_its_effect(misaligned, option):
    found, _ = misaligned.clean()
    assert misaligned.clean(*option)[0]["languages"]["de"] != found["languages"]["de"]


def test_work_says_where_vectors_are_and_people_see_margins(misaligned):
    misaligned.clean("--work", "here")
    assert list((misaligned.folder / "here").glob("store-*"))
    assert not list((misaligned.folder / "here").glob("blocks-*"))
    done = misaligned.mining.program(
        "corpus", "clean", "corpus", "--margin", "1.1", "--model", "model.jsonl", "--out", "b"
    )
    assert done.returncode == 0 and "15 left out for their margin" in done.stdout
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
    assert lines["language"] == ["language", "kept", "left", "out", "1", "%", "5", "%", "25", "%", "50", "%"]
    assert lines["tr"] == ["tr", "2", "0", "nan", "nan", "nan", "nan"] and lines["de"][:3] == [
        "de",
        "105",
        "15",
    ]


@pytest.mark.parametrize(
    ("margin", "folder", "code", "said"),
    [("99", "corpus", 1, "No pair would be left"), ("nan", "corpus", 2, "least"), ("1", "none", 2, "none")],
)
def test_what_leaves_nothing_or_is_no_corpus_is_refused(misaligned, margin, folder, code, said):
    more = ("--model", "model.jsonl", "--out", "clean")
    if margin == "99":  # the language that is not judged would stay
        misaligned.mining.run("corpus", "build", "pairs.tsv", "--out", "corpus", "--languages", "de,fr")
    done = misaligned.mining.run("corpus", "clean", folder, "--margin", margin, *more)
    assert done.exit_code == code and said in done.stderr and not (misaligned.folder / "clean").exists()
