"""What all arms share: the settings, the corpus, and its pairs as the peer reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from isoglot.artefact import write_json
from isoglot.config import CorpusConfig, EvaluateConfig
from isoglot.corpus.build import build
from isoglot.corpus.store import Corpus
from isoglot.evaluate.heldout import HeldOut, hold_out
from isoglot.pipeline.leaks import clear, open_reported
from isoglot.progress import SILENT
from isoglot.recipe import parse_options
from isoglot.teacher.coverage import Covered

MAX_TOKENS = 128  # of the student, on both sides, as in the peer's example
POOL, DEV_QUERIES, OWN_QUERIES = 1000, 60, 20  # of our own run; its own look at the test split is made small


class Settings(NamedTuple):
    """What every arm is measured with; a folder of results belongs to one of these.

    Attributes:
        data: folder with `parallel/<set>/eng-<language>.tsv.gz` and `eval/{tatoeba-v1,stsb}/`.
        sets: folders of `parallel`.
        languages: ISO 639-3, as the files are named.
        pairs: to draw, over all files alike; some fall to cleaning, dev and test splits.
        teacher: model.
        student: model that all start from.
        threads: of every arm.
        tatoeba_rows: first rows of each Tatoeba file.
        sts_rows: first rows of STSb dev.
    """

    data: str
    sets: tuple[str, ...]
    languages: tuple[str, ...]
    pairs: int
    teacher: str
    student: str
    threads: int
    tatoeba_rows: int
    sts_rows: int

    @property
    def evaluate(self) -> dict[str, Any]:
        """Options of our own evaluation; training pairs that are in the bench's test sets are dropped."""
        tests = [str(Path(self.data) / "eval" / name) for name in ("tatoeba-v1", "stsb")]
        return {"benchmarks": tests, "pool": POOL, "dev_queries": DEV_QUERIES, "queries": OWN_QUERIES}


class Folder(NamedTuple):
    """Files of one measurement."""

    root: Path

    @property
    def settings(self) -> Path:
        """The settings, JSON."""
        return self.root / "settings.json"

    @property
    def corpus(self) -> Path:
        """The corpus that both sides learn from."""
        return self.root / "corpus"

    @property
    def pairs(self) -> Path:
        """Training pairs without those of the test sets, JSON: language -> english, non_english."""
        return self.root / "pairs.json"

    @property
    def align(self) -> Path:
        """Run folder of the warm start alone: its teacher store and its student."""
        return self.root / "align"

    def arm(self, name: str) -> Path:
        """What an arm measured, JSON."""
        return self.root / f"arm-{name}.json"

    def load(self) -> Settings:
        """Read the settings."""
        raw = json.loads(self.settings.read_text())
        return Settings(**{**raw, "sets": tuple(raw["sets"]), "languages": tuple(raw["languages"])})


def prepare(folder: Folder, settings: Settings) -> None:
    """Build the corpus and write down its training pairs, unless that was done."""
    if folder.pairs.is_file():
        return
    corpus = build(_corpus_config(settings), folder.corpus, SILENT)
    groups = cleared(corpus, settings)[0]
    found: dict[str, dict[str, list[str]]] = {}
    for target, group, language in zip(groups.targets, groups.group, groups.language, strict=True):
        rows = found.setdefault(groups.languages[language], {"english": [], "non_english": []})
        rows["english"].append(groups.sources[group])
        rows["non_english"].append(target)
    write_json(folder.pairs, found)


def cleared(corpus: Corpus, settings: Settings) -> tuple[Any, HeldOut]:
    """Give the groups of the train split and the held-out dev texts, as our own run uses them."""
    covered = Covered(corpus, frozenset())
    config = EvaluateConfig(**settings.evaluate)
    parts = clear(covered, open_reported(config), SILENT, keep_leaks=False)
    return parts.train, hold_out(parts.dev, covered.sources("train"), POOL, DEV_QUERIES)


def count(pairs: Path) -> dict[str, Any]:
    """Count what is trained on."""
    rows = json.loads(pairs.read_text())
    english = [text for part in rows.values() for text in part["english"]]
    return {
        "pairs": len(english),
        "distinct English": len(set(english)),
        "by language": {tag: len(part["english"]) for tag, part in rows.items()},
    }


def _corpus_config(settings: Settings) -> CorpusConfig:
    files = [
        path
        for name in settings.sets
        for language in settings.languages
        if (path := Path(settings.data) / "parallel" / name / f"eng-{language}.tsv.gz").is_file()
    ]
    each = -(-settings.pairs // max(1, len(files)))
    raw = {"sources": [str(path) for path in files], "max_per_corpus": each}
    return parse_options(CorpusConfig, raw, "bench")
