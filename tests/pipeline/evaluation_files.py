"""Small test sets in their published layouts, and models whose vectors of every sentence are known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import tiny

WIDTH = 16
SENTENCES = 120
DIFFERENT = 300  # sentences; the next ones are the first again
LANGUAGES = {"de": "deu", "fr": "fra"}


def meaning(text, seed=0):
    """A unit vector that depends on nothing but the text."""
    vector = np.random.default_rng([seed, *text.encode()]).standard_normal(WIDTH)
    return vector / np.linalg.norm(vector)


def english(number):
    return tiny.sentence(number * 7)


def write_search(folder, sentences=SENTENCES):
    """LASER's Tatoeba: one sentence per line."""
    folder.mkdir(parents=True)
    texts = [english(number) for number in range(sentences)]
    for language, code in LANGUAGES.items():
        lines = [tiny.translation(language, text) for text in texts]
        (folder / f"tatoeba.{code}-eng.{code}").write_text("\n".join(lines) + "\n")
        (folder / f"tatoeba.{code}-eng.eng").write_text("\n".join(texts) + "\n")
    return folder


def write_sts(folder, pairs=80):
    """STSb dev in English and German; people judge as the meanings' cosines do."""
    folder.mkdir(parents=True)
    rows = [(english(number), english(number + 1 + number % 5)) for number in range(pairs)]
    for tag in ("en", "de"):
        lines = ["score\tsentence1\tsentence2"]
        for first, second in rows:
            score = 2.5 + 2.5 * float(meaning(first) @ meaning(second))
            pair = (first, second) if tag == "en" else (tiny.translation(tag, t) for t in (first, second))
            lines.append("\t".join([f"{score:.3f}", *pair]))
        (folder / f"{tag}-dev.tsv").write_text("\n".join(lines) + "\n")
    return folder


def write_mining(folder, sentences=60):
    """BUCC: two monolingual files, in which every second sentence has its translation; train and test."""
    folder.mkdir(parents=True)
    for split, first in (("train", 0), ("dev", sentences)):
        numbers = range(first, first + sentences)
        german = [f"de-{n}\t{tiny.translation('de', english(n))}" for n in numbers]
        others = [f"en-{n}\t{english(n if n % 2 else n + 2 * sentences)}" for n in numbers]
        gold = [f"de-{n}\ten-{n}" for n in numbers if n % 2]
        for name, lines in (("de", german), ("en", others), ("gold", gold)):
            (folder / f"de-{split}.{name}").write_text("\n".join(lines) + "\n")
    return folder


def write_tests(folder):
    write_search(folder / "tatoeba")
    write_sts(folder / "stsb")
    write_mining(folder / "bucc-like")
    return folder


def write_model(path, noise, seed=0, lacking=()):
    """A Parquet file of vectors: English where its meaning is, translations `noise` away from it."""
    texts, vectors = [], []
    for number in range(DIFFERENT):
        text = english(number)
        for version in (text, *(tiny.translation(language, text) for language in LANGUAGES)):
            moved = meaning(text) + (noise if version != text else noise / 4) * meaning(version, seed + 1)
            texts.append(version)
            vectors.append(moved / np.linalg.norm(moved))
    kept = {text: vector for text, vector in zip(texts, vectors, strict=True) if text not in lacking}
    columns = {
        "text": list(kept),
        "vector": pa.array(
            [vector.astype(np.float32).tolist() for vector in kept.values()], pa.list_(pa.float32())
        ),
    }
    pq.write_table(pa.table(columns), path)
    return path
