"""Parallel sentences out of two files of one language each: read, embed, search, score, write."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isoglot.artefact import digest_json
from isoglot.config import MineConfig, TeacherConfig
from isoglot.corpus.formats.names import Languages
from isoglot.corpus.formats.packed import plain_name
from isoglot.corpus.formats.sentences import read_sentences
from isoglot.corpus.languages import is_code, parse
from isoglot.corpus.packing import create_text
from isoglot.errors import RequestError
from isoglot.lock import exclusive
from isoglot.mine.approximate import search_within
from isoglot.mine.blocks import Job, forget
from isoglot.mine.margin import Mined, mine
from isoglot.mine.sentences import Side, distinct, with_vectors
from isoglot.progress import SILENT, Progress
from isoglot.teacher.embed import embed
from isoglot.teacher.kinds import open_teacher

_FORMATS = ("txt", "tsv", "jsonl", "ndjson", "parquet")
_CODE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z]{4})?([_-][A-Z]{2})?")
COLUMNS = ("source", "target", "score", "cosine")


@dataclass(frozen=True)
class MineRequest:
    """What is mined, and where to.

    Attributes:
        sources: file of the one side.
        targets: file of the other side.
        out: table of pairs to write; packed when it ends in .gz, .bz2, .xz or .zst.
        work: folder of vectors and finished blocks, by which a killed pass goes on.
        column: where the sentences are in files that have columns; see `read_sentences`.
        languages: codes of both sides, such as de-en; empty: from the names of the files.
    """

    sources: Path
    targets: Path
    out: Path
    work: Path
    column: str = ""
    languages: str = ""


def mine_files(
    request: MineRequest, teacher: TeacherConfig, config: MineConfig, progress: Progress = SILENT
) -> dict[str, Any]:
    """Mine pairs, best first, into a table that `isoglot corpus build` reads.

    Returns:
        Counts: lines read and dropped of both sides, pairs found, dropped and written, and their margins.

    Raises:
        RequestError: a file is missing or holds no sentence, or there is no such model.
        DamagedError: a file is broken.
        IsoglotError: the disk is full, or another process works in the same folder.
    """
    languages = _languages(request)
    if request.out.is_dir() or request.out.resolve() in (
        request.sources.resolve(),
        request.targets.resolve(),
    ):
        raise RequestError(f"{request.out} is no name for the table of pairs.", "Give another --out.")
    with exclusive(request.work):
        model, _ = open_teacher(teacher)
        sides = []
        for path in (request.sources, request.targets):
            with progress.task(f"reading {path.name}", None, "lines") as task:
                side = with_vectors(distinct(read_sentences(path, request.column)), model)
                task.advance(side.read)
            if not side.texts:
                raise RequestError(f"{path} holds no sentence.", "Give a file with one sentence per line.")
            sides.append(side)
        vectors = request.work / f"store-{digest_json(teacher.model_dump(mode='json'))[:16]}"
        store = embed(sides[0].texts + sides[1].texts, model, teacher, vectors, progress)
        job = Job.of(
            store, sides[0].texts, sides[1].texts, config.neighbours, request.work, config.block_rows
        )
        forget(request.work, keep=job.folder)
        found, how = search_within(job, config.max_minutes, progress)
        every = mine(found, margin=config.margin, retrieval=config.retrieval)
        kept, dropped = _kept(every, sides[0], sides[1], config)
        _write(request.out, kept, sides[0], sides[1], languages)
    return {
        "out": str(request.out),
        "work": str(request.work),
        "languages": languages,
        "space": store.space["fingerprint"],
        "sources": _counted(sides[0]),
        "targets": _counted(sides[1]),
        "search": asdict(how),
        "found": len(every.scores),
        "dropped": dropped,
        "pairs": len(kept.scores),
        "margin": _spread(kept),
    }


def _languages(request: MineRequest) -> Languages | None:
    """Canonical tags of both sides; None when nothing says them."""
    if request.languages:
        source, _, target = request.languages.partition("-")
        if not is_code(source) or not is_code(target):
            raise RequestError(f"--languages {request.languages} names no two languages.", "Write de-en.")
        return parse(source), parse(target)
    named = _language_in(request.sources), _language_in(request.targets)
    return named if all(named) else None


def _language_in(path: Path) -> str:
    """Tag of a name such as `news.de`, `news.de.txt.gz` or `x.zh-Hans.jsonl`; empty: it says none."""
    parts = path.name[: len(plain_name(path))].split(".")
    code = (
        parts[-2] if parts[-1].lower() in _FORMATS and len(parts) > 2 else parts[-1] if len(parts) > 1 else ""
    )
    return parse(code) if _CODE.fullmatch(code) and is_code(code) else ""


def _kept(pairs: Mined, sources: Side, targets: Side, config: MineConfig) -> tuple[Mined, dict[str, int]]:
    """Leave out what was not asked for, and count it by reason."""
    dropped = Counter[str]()
    keep = np.ones(len(pairs.scores), bool)
    if not config.keep_identical:
        same = zip(pairs.sources.tolist(), pairs.targets.tolist(), strict=True)
        keep = np.array([sources.texts[one] != targets.texts[other] for one, other in same], bool)
        dropped["identical"] = int((~keep).sum())
    if config.min_margin is not None:
        low = keep & (pairs.scores < config.min_margin)
        dropped["margin"] = int(low.sum())
        keep &= ~low
    rows = np.flatnonzero(keep)
    if config.top is not None:
        dropped["over the top"] = max(len(rows) - config.top, 0)
        rows = rows[: config.top]
    return pairs.chosen(rows), {reason: lost for reason, lost in dropped.items() if lost}


def _write(out: Path, pairs: Mined, sources: Side, targets: Side, languages: Languages | None) -> None:
    heads = COLUMNS if languages is None else ("source_lang", "target_lang", *COLUMNS)
    before = "" if languages is None else "\t".join(languages) + "\t"
    rows = zip(
        pairs.sources.tolist(),
        pairs.targets.tolist(),
        pairs.scores.tolist(),
        pairs.cosines.tolist(),
        strict=True,
    )
    with create_text(out) as file:
        file.write("\t".join(heads) + "\n")
        for source, target, score, cosine in rows:
            file.write(
                f"{before}{sources.texts[source]}\t{targets.texts[target]}\t{score:.6f}\t{cosine:.6f}\n"
            )


def _counted(side: Side) -> dict[str, Any]:
    return {"read": side.read, "sentences": len(side.texts), "dropped": dict(side.dropped)}


def _spread(pairs: Mined) -> dict[str, float] | None:
    """Highest, middle and lowest margin of the pairs written; None without any."""
    if not len(pairs.scores):
        return None
    return {
        "highest": float(pairs.scores[0]),
        "median": float(np.median(pairs.scores)),
        "lowest": float(pairs.scores[-1]),
    }
