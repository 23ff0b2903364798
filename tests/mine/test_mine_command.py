"""`isoglot mine` as users run it: pairs, every option's effect, and what a kill leaves behind."""

import gzip
import json
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from isoglot.corpus.formats.sentences import read_sentences
from isoglot.errors import DamagedError, RequestError
from isoglot.mine.knn import nearest_both_ways
from isoglot.mine.margin import mine
from mine.two_sides import PAIRS, write_vectors


def pairs_of(rows):
    return [(row["source"], row["target"]) for row in rows]


def test_translations_are_found_best_first(mining):
    found, rows = mining.mine()
    assert list(rows[0]) == ["source_lang", "target_lang", "source", "target", "score", "cosine"]
    assert {(row["source_lang"], row["target_lang"]) for row in rows} == {("de", "en")}
    assert len(mining.gold() & set(pairs_of(rows[:PAIRS]))) >= 0.9 * PAIRS
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True) and found["pairs"] == len(rows)
    assert found["margin"]["highest"] == pytest.approx(scores[0], abs=1e-5)
    assert found["sources"] == {"read": 66, "sentences": 66, "dropped": {}}


def test_scores_are_those_of_the_functions(mining):
    german, english = (list(read_sentences(mining.folder / name)) for name in ("news.de", "news.en"))
    sides = [np.array([mining.vectors[text] for text in side], np.float32) for side in (german, english)]
    wanted = mine(nearest_both_ways(*sides, 4))
    _, rows = mining.mine("--keep-identical", "--set", "store_precision='fp32'")
    assert pairs_of(rows) == [
        (german[one], english[other])
        for one, other in zip(wanted.sources.tolist(), wanted.targets.tolist(), strict=True)
    ]
    assert [float(row["score"]) for row in rows] == pytest.approx(wanted.scores.tolist(), abs=1e-5)


def test_the_table_is_a_source_of_a_corpus(mining):
    mining.mine("--top", 30)
    built = mining.run(
        "corpus", "build", "pairs.tsv", "--out", "corpus", "--json", "--set", "clean.match_numbers=false"
    )
    assert built.exit_code == 0, built.stderr
    assert json.loads(built.stdout)["languages"]["de"]["read"] == 30
    rows = mining.rows("pairs.tsv")
    least = rows[10]["score"]
    built = mining.run("corpus", "build", "pairs.tsv", "--out", "best", "--json", "--set", "clean.match_numbers=false",
                       "--set", f"clean.min_score={least}")  # fmt: skip
    low = json.loads(built.stdout)["languages"]["de"]["dropped"]["alignment score"]
    assert low == sum(float(row["score"]) < float(least) for row in rows) == 19
    (mining.folder / "bad.tsv").write_text(
        "source_lang\ttarget_lang\tsource\ttarget\tscore\nen\tde\ta b\tc d\tgood\n"
    )
    built = mining.run("corpus", "build", "bad.tsv", "--out", "bad")
    assert built.exit_code == 1 and "bad.tsv, line 2: 'good' is not a score" in built.stderr


def test_people_are_told_what_was_found_and_how_to_go_on(mining):
    done = mining.program("mine", "news.de", "news.en", "--model", "model.jsonl", "--min-margin", "1.2")
    assert done.returncode == 0
    assert "pairs.tsv: " in done.stdout and "left out (margin)" in done.stdout
    assert "isoglot corpus build pairs.tsv --out corpus" in done.stdout
    assert "nearest neighbours: 66 of 66 sentences" in done.stderr


def test_min_margin_and_top_cut_the_list(mining):
    _, every = mining.mine()
    found, rows = mining.mine("--min-margin", "1.1")
    assert rows == [row for row in every if float(row["score"]) >= 1.1] and 0 < len(rows) < len(every)
    assert found["dropped"]["margin"] == len(every) - len(rows)
    found, rows = mining.mine("--top", 7)
    assert rows == every[:7] and found["dropped"]["over the top"] == len(every) - 7


def test_identical_texts_are_left_out_unless_wanted(mining):
    found, rows = mining.mine()
    assert ("Berlin", "Berlin") not in pairs_of(rows) and found["dropped"] == {"identical": 1}
    found, rows = mining.mine("--keep-identical")
    assert ("Berlin", "Berlin") in pairs_of(rows) and found["dropped"] == {}


@pytest.mark.parametrize(
    "option",
    [
        ("--margin", "distance"),
        ("--margin", "absolute"),
        ("--retrieval", "forward"),
        ("--retrieval", "backward"),
        ("--retrieval", "intersection"),
        ("--neighbours", "9"),
        ("-k", "1"),
        ("--set", "store_precision='int8'"),
    ],
)
def test_each_way_of_scoring_and_choosing_has_its_effect(mining, option):
    _, every = mining.mine()
    _, rows = mining.mine(*option)
    assert rows != every
    if option[1] == "absolute":
        assert all(row["score"] == row["cosine"] for row in rows)
    if option[1] == "forward":
        assert sorted(source for source, _ in pairs_of(rows)) == sorted(mining.german)


def test_two_models_stand_side_by_side(mining):
    _, every = mining.mine()
    other = {text: np.roll(vector, 3) * np.arange(len(vector)) for text, vector in mining.vectors.items()}
    write_vectors(mining.folder / "other.jsonl", other)
    _, rows = mining.mine("--model", "other.jsonl")
    assert rows != every and len(mining.gold() & set(pairs_of(rows))) >= 0.8 * PAIRS


def test_repeated_empty_and_foreign_lines_are_counted(mining):
    path = mining.folder / "news.de"
    again = [*mining.german, "", "  ", mining.german[0], f"  {mining.german[1].replace(' ', '   ')} "]
    path.write_bytes("\n".join(again).encode() + b"\n\xff\xfe\nunknown to the model\n")
    found, rows = mining.mine("--set", "missing='drop'")
    assert found["sources"]["dropped"] == {"empty": 2, "no vector": 1, "not Unicode": 1, "repeated": 2}
    assert found["sources"]["read"] == len(again) + 2 and found["sources"]["sentences"] == len(mining.german)
    assert len({row["source"] for row in rows}) == len(rows)


def test_languages_come_from_the_names_or_from_the_option(mining):
    for name in ("de", "en"):
        shutil.copy(mining.folder / f"news.{name}", mining.folder / f"{name}-news")
        shutil.copy(mining.folder / f"news.{name}", mining.folder / f"2026.{name}-Latn.news.txt")
        shutil.copy(mining.folder / f"news.{name}", mining.folder / f"2026.{name}-Latn.txt")
    found, rows = mining.mine(files=("de-news", "en-news"))
    assert found["languages"] is None and list(rows[0]) == ["source", "target", "score", "cosine"]
    assert mining.mine(files=("2026.de-Latn.news.txt", "2026.en-Latn.news.txt"))[0]["languages"] is None
    assert mining.mine(files=("2026.de-Latn.txt", "2026.en-Latn.txt"))[0]["languages"] == ["de", "en"]
    found, rows = mining.mine("--languages", "deu-en", files=("de-news", "en-news"))
    assert found["languages"] == ["de", "en"] and rows[0]["source_lang"] == "de"


def test_packed_lines_and_columns_are_read(mining):
    import pyarrow as pa
    import pyarrow.parquet as pq

    _, every = mining.mine()
    packed = gzip.compress((mining.folder / "news.de").read_bytes())
    (mining.folder / "packed.de.gz").write_bytes(packed)
    english = list(read_sentences(mining.folder / "news.en"))
    pq.write_table(pa.table({"id": range(len(english)), "body": english}), mining.folder / "x.en.parquet")
    lines = "".join(json.dumps({"body": text}) + "\n" for text in english)
    (mining.folder / "x.en.jsonl").write_text(lines)
    table = "".join(f"{number}\t{text}\n" for number, text in enumerate(english))
    (mining.folder / "x.en.tsv").write_text("id\tbody\n" + table)
    (mining.folder / "y.en.tsv").write_text(table)
    for name in ("x.en.parquet", "x.en.jsonl", "x.en.tsv"):
        assert list(read_sentences(mining.folder / name, "body")) == english
    assert list(read_sentences(mining.folder / "y.en.tsv", "2")) == english
    assert mining.mine("--out", "other.tsv", files=("packed.de.gz", "news.en"))[1] == every
    german = "".join(json.dumps({"body": text}) + "\n" for text in read_sentences(mining.folder / "news.de"))
    (mining.folder / "x.de.jsonl").write_text(german)
    assert mining.mine("--column", "body", files=("x.de.jsonl", "x.en.parquet"))[1] == every
    with pytest.raises(RequestError, match="no column"):
        next(read_sentences(mining.folder / "x.en.tsv", "none"))
    with pytest.raises(RequestError, match="no column of texts 'id'; it has id, body"):
        next(read_sentences(mining.folder / "x.en.parquet", "id"))
    with pytest.raises(DamagedError, match="line 1 has 2 columns"):
        next(read_sentences(mining.folder / "y.en.tsv", "3"))
    with pytest.raises(RequestError, match="line 1 has no text under 'text'"):
        next(read_sentences(mining.folder / "x.en.jsonl"))


def test_the_table_is_packed_as_its_name_says(mining):
    _, every = mining.mine()
    done = mining.run(
        "mine", "news.de", "news.en", "--model", "model.jsonl", "--out", "p.tsv.gz", "--work", "w"
    )
    assert done.exit_code == 0 and list((mining.folder / "w").glob("store-*"))
    assert len(gzip.decompress((mining.folder / "p.tsv.gz").read_bytes()).splitlines()) == len(every) + 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.de", "news.en"), "There is no file none.de"),
        (("news.de", "empty.en"), "empty.en holds no sentence"),
        (("news.de", "news.en", "--languages", "de"), "names no two languages"),
        (("news.de", "news.en", "--out", "./news.en"), "news.en is no name for the table"),
        (("news.de", "news.en", "--out", "."), ". is no name for the table"),
        (("news.de", "news.en", "--min-margin", "nan"), "min_margin: Input should be a finite number"),
    ],
)
def test_what_cannot_be_mined_is_refused(mining, arguments, said):
    mining.write("empty.en", ["", " "])
    done = mining.run("mine", *arguments, "--model", "model.jsonl")
    assert done.exit_code == 2 and said in done.stderr and not (mining.folder / "pairs.tsv").exists()


def test_a_second_run_reuses_vectors_and_blocks_and_another_side_does_not(mining):
    mining.mine("--block-rows", 20)
    blocks = sorted((mining.folder / "pairs.tsv.work").glob("blocks-*/*.block"))
    assert len(blocks) == 4
    done = mining.run("mine", "news.de", "news.en", "--model", "model.jsonl", "--block-rows", 20)
    assert "all 4 were finished before" in done.stderr
    mining.write("news.en", mining.english[:50])
    mining.mine("--block-rows", 20)
    assert not any(path.exists() for path in blocks)


def test_blocks_change_nothing_and_a_damaged_one_is_done_again(mining):
    _, every = mining.mine()
    _, rows = mining.mine("--block-rows", 3)  # fewer than the neighbours wanted
    assert rows == every
    block = next((mining.folder / "pairs.tsv.work").glob("blocks-*/*.block"))
    content = bytearray(block.read_bytes())
    content[-1] ^= 1
    block.write_bytes(content)
    assert mining.mine("--block-rows", 3)[1] == every
    assert block.read_bytes() != bytes(content)


@pytest.mark.slow
def test_after_kill_nine_at_any_moment_the_same_bytes_come_out(mining):
    chance = np.random.default_rng(1)
    german, english = ([f"{side} {number}" for number in range(3000)] for side in ("satz", "sentence"))
    vectors = dict(zip(german + english, chance.normal(size=(6000, 32)).round(4), strict=True))
    write_vectors(mining.folder / "model.jsonl", vectors)
    mining.write("news.de", german)
    mining.write("news.en", english)
    command = [sys.executable, "-m", "isoglot.cli.main", "mine", "news.de", "news.en", "--model", "model.jsonl",
               "--block-rows", "100", "--set", "chunk_rows=200"]  # fmt: skip
    subprocess.run([*command, "--out", "whole.tsv"], cwd=mining.folder, check=True, capture_output=True)
    whole, delays, kept, kills = (mining.folder / "whole.tsv").read_bytes(), random.Random(2), {}, 0
    while not (mining.folder / "pairs.tsv").exists():
        process = subprocess.Popen(command, cwd=mining.folder, stderr=subprocess.PIPE)
        wanted = len(kept) + delays.randrange(1, 8)
        while process.poll() is None and len(finished(mining)) < wanted:
            time.sleep(0.001)
        time.sleep(delays.uniform(0, 0.01))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        now = finished(mining)
        assert all(now.get(name) == when for name, when in kept.items())  # none was done twice
        kept = now
    print(f"{kills} kills, {len(kept)} blocks")
    assert kills >= 3 and (mining.folder / "pairs.tsv").read_bytes() == whole


def finished(mining):
    """Blocks that are there, and when each was written."""
    blocks = (mining.folder / "pairs.tsv.work").glob("blocks-*/*.block")
    return {path.name: path.stat().st_mtime_ns for path in blocks}
