"""The one evaluator of all arms: the same texts, the same teacher vectors, whatever encodes."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distillation.material import Folder, Settings, cleared
from isoglot.artefact import write_json
from isoglot.corpus.languages import parse
from isoglot.corpus.store import Corpus
from isoglot.encode.encoder import load_encoder
from isoglot.encode.locate import locate
from isoglot.evaluate.closeness import r_squared
from isoglot.evaluate.retrieval import pair_cosines, top1_accuracy
from isoglot.evaluate.statistics import spearman

Encode = Callable[[list[str]], NDArray[np.float32]]
Row = tuple[str, ...]
_TEXTS, _VECTORS = "judge.json", "judge.npy"


class Judge(NamedTuple):
    """Test material and the teacher's vectors of its English sides.

    Attributes:
        parts: "tatoeba", "sts" and "dev" -> language -> rows (text, English[, score]).
        teacher: English text -> row of `vectors`.
        vectors: float32 [n, d].
    """

    parts: dict[str, dict[str, list[list[Any]]]]
    teacher: dict[str, int]
    vectors: NDArray[np.float32]

    @classmethod
    def open(cls, folder: Folder) -> Judge:
        """Read what `prepare` wrote."""
        raw = json.loads((folder.root / _TEXTS).read_text())
        return cls(
            raw["parts"],
            {text: row for row, text in enumerate(raw["english"])},
            np.load(folder.root / _VECTORS),
        )

    def score(self, encode: Encode) -> dict[str, Any]:
        """Macro averages and the figures of each language."""
        texts = list(dict.fromkeys(text for text in self._asked()))
        place = {text: row for row, text in enumerate(texts)}
        vectors = np.asarray(encode(texts), np.float32)

        def of(rows: list[list[Any]], side: int) -> NDArray[np.float32]:
            return vectors[[place[row[side]] for row in rows]]

        found: dict[str, dict[str, float]] = {
            "tatoeba": {
                tag: top1_accuracy(of(rows, 0), self._target(rows), np.arange(len(rows)))
                for tag, rows in self.parts["tatoeba"].items()
            },
            "sts": {
                tag: spearman(pair_cosines(of(rows, 0), of(rows, 1)), np.array([row[2] for row in rows]))
                for tag, rows in self.parts["sts"].items()
            },
            "r2": {
                tag: r_squared(of(rows, 0), self._target(rows)) for tag, rows in self.parts["dev"].items()
            },
        }
        means = {name: float(np.mean(list(by.values()))) for name, by in found.items() if by}
        return {**means, "languages": found}

    def _target(self, rows: list[list[Any]]) -> NDArray[np.float32]:
        return self.vectors[[self.teacher[row[1]] for row in rows]]

    def _asked(self) -> list[str]:
        """Every text that the student encodes: the English side of STS pairs is among them."""
        asked = [row[0] for part in self.parts.values() for rows in part.values() for row in rows]
        return asked + [row[1] for rows in self.parts["sts"].values() for row in rows]


def prepare(folder: Folder, settings: Settings) -> None:
    """Choose the test texts and encode their English sides with the teacher, unless that was done."""
    if (folder.root / _TEXTS).is_file():
        return
    tests = Path(settings.data) / "eval"
    _, dev = cleared(Corpus.open(folder.corpus), settings)
    parts: dict[str, dict[str, Any]] = {
        "tatoeba": {
            language: read(tests / "tatoeba-v1" / f"{language}.tsv.gz")[: settings.tatoeba_rows]
            for language in settings.languages
        },
        "sts": _crossed(tests / "stsb", settings),
        "dev": {
            tag: [(dev.queries[row], dev.pool[dev.gold[row]]) for row in dev.rows_of(number)]
            for number, tag in enumerate(dev.languages)
        },
    }
    english = {row[1] for name in ("tatoeba", "dev") for rows in parts[name].values() for row in rows}
    ordered = sorted(english)
    np.save(folder.root / _VECTORS, load_encoder(locate(settings.teacher).folder).encode(ordered))
    write_json(folder.root / _TEXTS, {"parts": parts, "english": ordered})


def read(path: Path) -> list[Row]:
    """Rows of a test file without its header."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [tuple(row) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)][1:]


def _crossed(folder: Path, settings: Settings) -> dict[str, list[tuple[str, str, float]]]:
    """First sentence in x, second in English; for the languages that there are."""
    known = {path.name.removesuffix("-dev.tsv.gz"): path for path in sorted(folder.glob("*-dev.tsv.gz"))}
    english: Sequence[Row] = read(known["en"]) if "en" in known else ()
    wanted = {parse(language) for language in settings.languages}
    return {
        tag: [(own[1], other[2], float(own[0])) for own, other in zip(read(path), english, strict=True)][
            : settings.sts_rows
        ]
        for tag, path in known.items()
        if tag in wanted
    }
