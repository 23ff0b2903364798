"""Cleaning a million rows: `isoglot corpus build` beside OpusFilter, same rows, same cores, comparable filters.

    python -m venv peer && peer/bin/pip install opusfilter
    python bench/clean_vs_opusfilter.py --data DIR --peer peer/bin/opusfilter [--rows 1000000] [--cores 1] [--json]

DIR holds `<set>/eng-<language>.tsv.gz` with a header and the columns source_lang, target_lang, source and target. The
largest languages are written as Moses files until there are enough rows. Both sides run as programs, pinned to the
same cores, in turns, twice: without language identification, and with py3langid on both sides. OpusFilter has one job
per core and the best of three chunk sizes, found on a part of the rows.

OpusFilter reads, filters, removes duplicates and writes text. Ours does that and more: it mends the text, groups by
source over all languages, splits, and writes Parquet.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from isoglot.config import CleanConfig
from isoglot.corpus.clean.language import OFF
from isoglot.corpus.languages import parse
from isoglot.corpus.scripts import expected_scripts

CHUNKS = (10_000, 100_000, 1_000_000)
TRIAL_ROWS = 100_000
ROUNDS = 3
# OpusFilter names scripts as Unicode does; languages in several scripts are left out
SCRIPTS = {
    "Latn": "Latin",
    "Cyrl": "Cyrillic",
    "Grek": "Greek",
    "Hang": "Hangul",
    "Hani": "Han",
    "Arab": "Arabic",
}
# OpusFilter 3.3 asks py3langid 0.3's way for the model; this is its own filter with 0.4, the version that we have
PEER_FILTER = """
from opusfilter import lid
from py3langid.langid import MODEL_FILE, LanguageIdentifier

LanguageIdentifier.from_pickled_model = staticmethod(LanguageIdentifier.from_model_file)


class Langid(lid.LangidFilter):
    pass
"""
CHAIN = """
import json, sys, time
from pathlib import Path
from isoglot.config import CleanConfig
from isoglot.corpus.clean.chain import batch_of, verdicts
from isoglot.corpus.pair import Pair
config = CleanConfig(language_probability=float(sys.argv[2]))
rows = []
for file in sorted(Path(sys.argv[1]).glob("*.en")):
    sides = [side.read_text("utf-8").split("\\n")[:-1] for side in (file, file.with_suffix("." + file.stem))]
    rows += [Pair(source, target, "en", file.stem, "x") for source, target in zip(*sides)]
batches = [rows[start : start + 16384] for start in range(0, len(rows), 16384)]
verdicts(batch_of(batches[0], "en", config), config)
start = time.perf_counter()
for batch in batches:
    verdicts(batch_of(batch, "en", config), config)
print(json.dumps(len(rows) / (time.perf_counter() - start)))
"""


def main() -> None:
    """Print one measurement, as lines or as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--peer", type=Path, required=True, help="the opusfilter program of an environment of its own"
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: options.cores]))
    os.environ["OMP_NUM_THREADS"] = str(options.cores)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = write_moses(options.data, options.rows, folder / "rows")
        write_moses(options.data, min(TRIAL_ROWS, options.rows), folder / "trial")
        found: dict[str, Any] = {"rows": rows, "cores": options.cores}
        for label, identifier in (("without language id", None), ("with py3langid", "py3langid")):
            found[label] = compare(folder, options, identifier, sum(rows.values()))
    print(json.dumps(found, indent=None if options.json else 2))


def write_moses(data: Path, wanted: int, folder: Path) -> dict[str, int]:
    """Write `<tag>.en` and `<tag>.<tag>` for the largest languages of one script, `wanted` rows in all."""
    folder.mkdir()
    files: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(data.glob("*/eng-*.tsv.gz")):
        tag = parse(path.name.removeprefix("eng-").removesuffix(".tsv.gz"))
        scripts = expected_scripts(tag)
        if scripts is not None and len(scripts) == 1 and next(iter(scripts)) in SCRIPTS:
            files[tag].append(path)
    size = {tag: sum(path.stat().st_size for path in paths) for tag, paths in files.items()}
    written: Counter[str] = Counter()
    for tag in sorted(files, key=lambda tag: -size[tag]):
        if written.total() < wanted:
            written[tag] = _write_language(files[tag], folder, tag, wanted - written.total())
    return dict(written)


def _write_language(paths: list[Path], folder: Path, tag: str, most: int) -> int:
    rows = 0
    with (folder / f"{tag}.en").open("w") as source, (folder / f"{tag}.{tag}").open("w") as target:
        for path in paths:
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
                next(lines)
                for line in lines:
                    if rows == most:
                        return rows
                    _, _, left, right = line.rstrip("\n").split("\t")
                    source.write(left + "\n")
                    target.write(right + "\n")
                    rows += 1
    return rows


def compare(folder: Path, options: argparse.Namespace, identifier: str | None, rows: int) -> dict[str, Any]:
    """Run both sides in turns; medians of pairs per second, and their ratio."""
    trials = {
        chunk: run_peer(options.peer, folder / "trial", folder, options.cores, chunk, identifier)[0]
        for chunk in CHUNKS
    }
    chunk = min(trials, key=lambda size: trials[size])
    seconds: dict[str, list[float]] = {"opusfilter": [], "isoglot": []}
    for _ in range(options.rounds):
        took, peer_kept = run_peer(options.peer, folder / "rows", folder, options.cores, chunk, identifier)
        seconds["opusfilter"].append(took)
        took, our_kept = run_ours(folder / "rows", folder, identifier)
        seconds["isoglot"].append(took)
    speed = {side: round(rows / statistics.median(times)) for side, times in seconds.items()}
    return {
        "opusfilter chunk": chunk,
        "pairs per second": speed,
        "seconds": {side: [round(time, 1) for time in times] for side, times in seconds.items()},
        "kept": {"opusfilter": peer_kept, "isoglot": our_kept},
        "our filters alone, pairs per second": chain_speed(folder / "rows", identifier),
        "ratio": round(speed["isoglot"] / speed["opusfilter"], 2),
    }


def run_peer(
    program: Path, rows: Path, scratch: Path, jobs: int, chunk: int, identifier: str | None
) -> tuple[float, int]:
    """Filter with OpusFilter; give the seconds and the rows that it kept."""
    out = scratch / "peer"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    steps = []
    for source in sorted(rows.glob("*.en")):
        steps += _steps(source, source.with_suffix(f".{source.stem}"), jobs, identifier)
    # JSON is YAML
    config = {"common": {"output_directory": str(out), "chunksize": chunk}, "steps": steps}
    (out / "config.yaml").write_text(json.dumps(config))
    (out / "peer_filter.py").write_text(PEER_FILTER)
    environment = {**os.environ, "PYTHONPATH": str(out)}
    start = time.perf_counter()
    subprocess.run([program, out / "config.yaml"], check=True, capture_output=True, env=environment)
    took = time.perf_counter() - start
    return took, sum(path.read_bytes().count(b"\n") for path in out.glob("*.once.en"))


def _steps(source: Path, target: Path, jobs: int, identifier: str | None) -> list[dict[str, Any]]:
    """The filters of ours that OpusFilter has, with the same limits; then exact duplicates."""
    tag = source.stem
    script = SCRIPTS[next(iter(expected_scripts(tag) or ()))]
    filters: list[dict[str, Any]] = [
        {"LengthFilter": {"unit": "char", "min_length": 2, "max_length": 1000}},
        {"LengthRatioFilter": {"unit": "char", "threshold": 4}},
        {"RegExpFilter": {"regexps": [r"\p{L}|\p{N}"] * 2, "accept_match": True}},  # not only punctuation
        {"HtmlTagFilter": {}},
        {"NonZeroNumeralsFilter": {"threshold": 0.5}},
        {"RepetitionFilter": {"threshold": 15, "min_length": 1, "max_length": 1}},
        {"CharacterScoreFilter": {"scripts": ["Latin", script], "thresholds": [0.5, 0.5]}},
        {"SimilarityFilter": {"threshold": 0.9, "lowercase": True}},
    ]
    if identifier:
        languages = ["en", tag.split("-")[0]]
        filters.append({"Langid": {"languages": languages, "thresholds": [0, 0]}, "module": "peer_filter"})
    kept = [f"{tag}.kept.en", f"{tag}.kept.{tag}"]
    once = [f"{tag}.once.en", f"{tag}.once.{tag}"]
    return [
        {
            "type": "filter",
            "parameters": {
                "inputs": [str(source), str(target)], "outputs": kept, "filters": filters, "n_jobs": jobs
            },
        },
        {"type": "remove_duplicates", "parameters": {"inputs": kept, "outputs": once}},
    ]  # fmt: skip


def run_ours(rows: Path, scratch: Path, identifier: str | None) -> tuple[float, int]:
    """Build the corpus; give the seconds and the rows kept."""
    out = scratch / "ours"
    shutil.rmtree(out, ignore_errors=True)
    sources = [
        f"moses:{source},{source.with_suffix('.' + source.stem)}" for source in sorted(rows.glob("*.en"))
    ]
    command = [sys.executable, "-m", "isoglot.cli.main", "corpus", "build", *sources, "--out", out, "--json"]
    if identifier is None:
        command += ["--set", f"clean.language_probability={OFF}"]
    start = time.perf_counter()
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - start, json.loads(result.stdout)["kept"]


def chain_speed(rows: Path, identifier: str | None) -> int:
    """Pairs per second of mending and judging alone, rows in memory."""
    command = [
        sys.executable,
        "-c",
        CHAIN,
        str(rows),
        str(CleanConfig().language_probability if identifier else OFF),
    ]
    return round(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


if __name__ == "__main__":
    main()
