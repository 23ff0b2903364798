"""What an evaluation leaves for programs: scores.json and items.safetensors, written and strictly read again.

    scores.json         model, fingerprint, teacher, one entry per score under "tasks", what was skipped, means, worst
    items.safetensors   a float32 tensor [n, columns] per entry, named by the entry's key

`isoglot evaluate --compare` draws the items of two models anew in pairs, so both files are needed for that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import digest_bytes, digest_file, read_json
from isoglot.disk import write_atomic
from isoglot.errors import DamagedError, RequestError
from isoglot.evaluate.score import Score, Signature, Statistic

SCORES, ITEMS = "scores.json", "items.safetensors"
_AGAIN = "Run isoglot evaluate again with the same --out."
_VERSION = "isoglot"  # part of a signature in JSON, because another version may count differently
_FOUND = (int, float)


@dataclass(frozen=True)
class Result:
    """One entry of scores.json.

    Attributes:
        task: kind of task, such as "sts".
        test_set: whose sentences.
        languages: tags of first and second text, more where languages are pooled.
        part: 1, and 2, ... for further parts of a test set in the same languages, as STS 2017 has for es-en.
        metric: what the number is.
        value: the number.
        low, high: bounds of the 95 % interval; None where there is none.
        main: whether it stands for its task.
        n: items behind it.
        statistic: how it follows from its items.
        signature: what makes it comparable.
        version: of the isoglot that measured it, a part of the signature.
        contaminated: whether the student was trained on sentences of the test set; None: nobody looked.
    """

    task: str
    test_set: str
    languages: tuple[str, ...]
    part: int
    metric: str
    value: float
    low: float | None
    high: float | None
    main: bool
    n: int
    statistic: Statistic
    signature: Signature
    version: str
    contaminated: bool | None = None

    @property
    def key(self) -> str:
        """Name of its items, and of the same score of another model."""
        languages = " ".join(self.languages) + (f" ({self.part})" if self.part > 1 else "")
        return "|".join((self.task, self.test_set, languages, self.metric))


@dataclass(frozen=True)
class Evaluation:
    """A finished evaluation, as it was read.

    Attributes:
        path: its scores.json.
        model: what was evaluated, in the user's words.
        results: by key.
    """

    path: Path
    model: str
    results: Mapping[str, Result]

    def items(self) -> dict[str, NDArray[np.float32]]:
        """Read the items of all results, by key.

        Raises:
            DamagedError: the file is missing, or is not the one that belongs to these scores.
        """
        path = self.path.with_name(ITEMS)
        if not path.is_file():
            raise DamagedError(f"{path} is missing: it holds what the scores were computed from.", _AGAIN)
        if digest_file(path) != read_json(self.path).get("items"):
            raise DamagedError(f"{path} does not belong to {self.path}, or is damaged.", _AGAIN)
        from safetensors.numpy import load_file

        items = load_file(path)
        for key, result in self.results.items():
            if key not in items or len(items[key]) != result.n:
                raise DamagedError(f"{path} does not hold the {result.n} items of {key}.", _AGAIN)
        return dict(items)


def results_of(
    task: str, scores: Iterable[Score], contaminated: Callable[[str], bool | None]
) -> list[Result]:
    """The entries of the scores of one kind of task.

    Args:
        task: the kind.
        scores: all of this kind; those of equal test set, languages and metric are parts of one, in this order.
        contaminated: test set -> whether the student was trained on sentences of it.
    """
    made_by, results = version("isoglot"), []
    seen: Counter[tuple[str, tuple[str, ...], str]] = Counter()
    for score in scores:
        same = score.test_set, score.languages, score.metric
        seen[same] += 1
        low, high = score.interval or (None, None)
        results.append(Result(
            task, score.test_set, score.languages, seen[same], score.metric, score.value, low, high, score.main,
            len(score.items), score.statistic, score.signature, made_by, contaminated(score.test_set),
        ))  # fmt: skip
    return results


def write_items(path: Path, items: Mapping[str, NDArray[np.float32]]) -> str:
    """Write items.safetensors; return its sha256. Equal items give equal bytes."""
    from safetensors.numpy import save

    data = save({key: np.ascontiguousarray(items[key], np.float32) for key in sorted(items)})
    write_atomic(path, data)
    return digest_bytes(data)


def to_json(result: Result) -> dict[str, Any]:
    """The entry as plain JSON values."""
    raw = asdict(result)
    raw["languages"] = list(result.languages)
    raw["signature"] = {**raw["signature"], _VERSION: raw.pop("version")}
    return raw


def read_evaluation(path: Path) -> Evaluation:
    """Read an evaluation.

    Args:
        path: the folder of an evaluation, or its scores.json.

    Raises:
        RequestError: there is none, or it was written by a version that measured no test sets.
        DamagedError: an entry is not as isoglot writes it; names entry and field.
    """
    file = path / SCORES if path.is_dir() else path
    if not file.is_file():
        raise RequestError(f"{path} is no evaluation: there is no {file}.", "Make one with isoglot evaluate.")
    raw = read_json(file)
    if not isinstance(raw, dict) or not isinstance(raw.get("tasks"), list):
        raise RequestError(f"{file} lists no tasks.", "Make it anew with isoglot evaluate.")
    results = [_from_json(entry, f"{file}, entry {number}") for number, entry in enumerate(raw["tasks"])]
    found = {result.key: result for result in results}
    if len(found) != len(results):
        raise DamagedError(f"{file} lists a score twice.", _AGAIN)
    return Evaluation(file, str(raw.get("model")), found)


def macro(results: Iterable[Result]) -> dict[str, dict[str, dict[str, float]]]:
    """Unweighted means over languages: task -> test set -> metric -> mean."""
    values: dict[str, dict[str, dict[str, list[float]]]] = {}
    for one in results:
        of_set = values.setdefault(one.task, {}).setdefault(one.test_set, {})
        of_set.setdefault(one.metric, []).append(one.value)
    return {
        task: {name: {metric: fmean(found) for metric, found in of.items()} for name, of in sets.items()}
        for task, sets in values.items()
    }


def worst(results: Sequence[Result]) -> dict[str, dict[str, dict[str, Any]]]:
    """The lowest main score: task -> test set -> its languages, metric and value; only where there are several."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for one in results:
        if one.main:
            groups.setdefault((one.task, one.test_set), []).append(one)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (task, test_set), members in groups.items():
        if len(members) > 1:
            last = min(members, key=lambda one: (one.value, one.languages))
            found.setdefault(task, {})[test_set] = {
                "languages": list(last.languages), "metric": last.metric, "value": last.value,
            }  # fmt: skip
    return found


def _from_json(raw: object, where: str) -> Result:
    names = {field.name for field in fields(Result)} - {"version"}
    entry = _object(raw, names, where)
    parts = _object(
        entry["signature"], {*(f.name for f in fields(Signature)), _VERSION}, f"{where}, signature"
    )
    for name, part in parts.items():
        _check(isinstance(part, str), f"{where}, signature.{name}", part)
    for name in ("task", "test_set", "metric"):
        _check(isinstance(entry[name], str), f"{where}, {name}", entry[name])
    languages = entry["languages"]
    _check(isinstance(languages, list) and all(isinstance(tag, str) for tag in languages), f"{where}, languages",
           languages)  # fmt: skip
    _check(entry["statistic"] in get_args(Statistic), f"{where}, statistic", entry["statistic"])
    _check(_is_number(entry["value"]), f"{where}, value", entry["value"])
    for name in ("low", "high"):
        _check(entry[name] is None or _is_number(entry[name]), f"{where}, {name}", entry[name])
    _check(isinstance(entry["main"], bool), f"{where}, main", entry["main"])
    _check(isinstance(entry["contaminated"], bool | None), f"{where}, contaminated", entry["contaminated"])
    for name in ("part", "n"):
        _check(type(entry[name]) is int and entry[name] > 0, f"{where}, {name}", entry[name])
    made_by = parts.pop(_VERSION)
    return Result(
        **{**entry, "languages": tuple(languages), "signature": Signature(**parts), "version": made_by}
    )


def _object(raw: object, names: set[str], where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise DamagedError(f"{where} is no object.", _AGAIN)
    for name in sorted(names ^ set(raw)):
        raise DamagedError(f"{where}: {name} is {'missing' if name in names else 'unknown'}.", _AGAIN)
    return dict(raw)


def _check(good: bool, where: str, found: object) -> None:  # noqa: FBT001  reads as an assertion
    if not good:
        raise DamagedError(f"{where}: {str(found)[:60]!r} cannot stand there.", _AGAIN)


def _is_number(value: object) -> bool:
    return type(value) in _FOUND and math.isfinite(value)  # type: ignore[arg-type]
