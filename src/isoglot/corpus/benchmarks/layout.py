"""From a path to its test sets: a folder is recognised by the names of its files, or by their header lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from isoglot.corpus.benchmarks import clustering, mining, nli, search, sts
from isoglot.corpus.benchmarks.entry import Folder, folder_of
from isoglot.corpus.benchmarks.record import Benchmark
from isoglot.errors import RequestError

_KNOWN = (
    "Known are LASER's Tatoeba, FLORES-200, STS 2017 and its extension, STSb (English and multilingual), BUCC, XNLI,"
    " SIB-200, MASSIVE, and .tsv files headed `source target`, `score sentence1 sentence2`,"
    " `premise hypothesis label` or `label sentence`."
)


def open_benchmarks(paths: Iterable[Path]) -> list[Benchmark]:
    """Find all test sets in some folders, in the folders inside them, in zip archives and in single files.

    Nothing is read yet but names and header lines.

    Raises:
        RequestError: a path does not exist or holds no test set that is known.
        DamagedError: a file is broken.
    """
    found: dict[tuple[object, ...], Benchmark] = {}
    for path in paths:
        benchmarks = _below(path)
        if not benchmarks:
            problem = "holds no test set that isoglot knows" if path.exists() else "does not exist"
            raise RequestError(f"{path} {problem}.", _KNOWN)
        for benchmark in benchmarks:  # a folder may be named twice
            files = tuple(str(entry) for entry in benchmark.files)
            found.setdefault((benchmark.test_set, benchmark.languages, files), benchmark)
    return list(found.values())


def _below(path: Path) -> list[Benchmark]:
    if not path.exists():
        return []
    found = recognise(folder_of(path))
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            if inner.is_dir() and not inner.name.startswith("."):
                found += _below(inner)
    return found


def recognise(folder: Folder) -> list[Benchmark]:
    """The test sets among the files of one folder; files of no known layout are left out."""
    found: list[Benchmark] = []
    for name in folder.entries:
        found += (
            search.recognise(name, folder)
            or sts.recognise(name, folder)
            or mining.recognise(name, folder)
            or nli.recognise(name, folder)
            or clustering.recognise(name, folder)
        )
    return found
