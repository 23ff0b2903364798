"""Datasets in the layouts of Hugging Face, from a hub or a folder, streamed with `datasets` (extra `hf`).

The columns may be `english` and `non_english` (sentence-transformers' parallel sentences), `sentence1` and
`sentence2`, `source` and `target`, a `translation` with one text per language code, or one column per code. Where the
columns name no languages, the configuration does: `en-de`.

The digest of a dataset on a hub is that of its name and commit, which fixes every byte of it; nothing is downloaded to
compute it. The digest of a folder is that of its files. Rows are read from exactly that commit.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoglot.artefact import digest_file, digest_json
from isoglot.corpus.formats.names import Languages
from isoglot.corpus.formats.records import record_pairs
from isoglot.corpus.languages import Border, is_code, parse
from isoglot.corpus.pair import Pair
from isoglot.corpus.sources.licence import Licence
from isoglot.errors import DamagedError, IsoglotError, RequestError

_WRITE = (
    "Write hf:ORG/NAME/CONFIG, hf:ORG/NAME/CONFIG@REVISION or hf:FOLDER, with #en-de behind it when needed."
)


@dataclass(frozen=True)
class Dataset:
    """One configuration of a dataset.

    Attributes:
        name: id on the hub, or a folder.
        config: name of the configuration; None: the dataset has one.
        commit: what the revision meant on the hub; None for a folder.
        languages: codes of the two sides, where the configuration or the SOURCE names them.
        corpus: short name.
        sha256: see the module.
        licence: as its card states it.
    """

    name: str
    config: str | None
    commit: str | None
    languages: Languages | None
    corpus: str
    sha256: str
    licence: Licence


def open_dataset(text: str) -> Dataset:
    """Find out what `ORG/NAME/CONFIG@REVISION#en-de` or `FOLDER/CONFIG` means; no row is read yet.

    Raises:
        RequestError: `datasets` is not installed, there is no such dataset, or the hub may not be asked.
        IsoglotError: the hub does not answer.
    """
    if importlib.util.find_spec("datasets") is None:
        raise RequestError(f"hf:{text} needs the package datasets.", "Run: pip install 'isoglot[hf]'")
    place, mark, codes = text.partition("#")
    languages = config_languages(codes)
    if mark and languages is None:
        raise RequestError(f"hf:{text}: {codes!r} does not name two languages.", _WRITE)
    if place.startswith(("/", ".", "~")) or (place and Path(place).is_dir()):
        return _open_folder(Path(place).expanduser(), languages)
    return _open_on_hub(place, languages)


def read_dataset(dataset: Dataset, border: Border) -> Iterator[Pair]:
    """Yield the pairs of the split `train`, or of the only split, row by row as they arrive.

    Raises:
        RequestError: there is no such configuration or split, or the columns name no sentence pair.
        DamagedError: a row cannot be read.
    """
    for number, row in enumerate(rows(dataset), start=1):
        where = f"hf:{dataset.name}, row {number}"
        yield from record_pairs(row, where, dataset.corpus, border, dataset.languages)


def rows(dataset: Dataset, wanted: str = "train") -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a split as they arrive; where a dataset has only one split, of that for `train`.

    Raises:
        RequestError: there is no such configuration or split.
        DamagedError: a row cannot be read.
    """
    import pyarrow as pa
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    shown = f"hf:{dataset.name}" + (f"/{dataset.config}" if dataset.config else "")
    try:
        splits = load_dataset(dataset.name, dataset.config, revision=dataset.commit, streaming=True)
    except (DatasetsError, HTTPError, OSError, ValueError) as error:
        raise RequestError(f"{shown} cannot be opened ({_first_line(error)}).", _WRITE) from error
    alone = wanted == "train" and wanted not in splits and len(splits) == 1
    split = next(iter(splits)) if alone else wanted
    if split not in splits:
        raise RequestError(
            f"{shown} has no split {wanted}, but {', '.join(splits)}.", "Give a folder of one split."
        )
    try:
        yield from splits[split]
    except (DatasetsError, HTTPError, OSError, ValueError, pa.ArrowException) as error:
        raise DamagedError(
            f"{shown} cannot be read to its end ({_first_line(error)}).", "Run again."
        ) from error


def config_languages(name: str) -> Languages | None:
    """Split the name of a configuration into two codes, either of which may have a region: `en-fr-ca`, `pt_br-en`.

    Of several ways to split the one is taken whose parts the standards know, then the one with the shorter first part.
    """
    parts = name.split("-")
    ways = [("-".join(parts[:place]), "-".join(parts[place:])) for place in range(1, len(parts))]
    known = [way for way in ways if all(map(is_code, way))]
    return min(known, key=lambda way: sum("-x-" in parse(code) for code in way), default=None)


def _open_folder(folder: Path, languages: Languages | None) -> Dataset:
    """A folder, or a configuration that the card of its parent folder defines."""
    config = None
    if not folder.is_dir():
        folder, config = folder.parent, folder.name
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_hidden(path, folder)]
    if not files:
        raise RequestError(f"There is no dataset in {folder}.", _WRITE)
    digests = [[path.relative_to(folder).as_posix(), digest_file(path)] for path in files]
    languages = languages or config_languages(config or folder.name)
    licence = _licence(_card(folder / "README.md"), folder.name, "")
    return Dataset(str(folder), config, None, languages, folder.name, digest_json(digests), licence)


def _open_on_hub(place: str, languages: Languages | None) -> Dataset:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled  # type: ignore[attr-defined]

    name, config, revision = _split(place)
    try:
        found = HfApi().dataset_info(name, revision=revision)
    except OfflineModeIsEnabled as error:
        raise RequestError(
            f"hf:{place} is on a hub, and HF_HUB_OFFLINE forbids to ask it.", "Unset it, or give hf:FOLDER."
        ) from error
    except HfHubHTTPError as error:
        family = RequestError if error.response.status_code < 500 else IsoglotError
        raise family(f"hf:{place} cannot be found ({_first_line(error)}).", _WRITE) from error
    except (HTTPError, OSError, ValueError) as error:
        raise IsoglotError(
            f"The hub cannot be asked for hf:{place} ({_first_line(error)}).", "Try again, or give hf:FOLDER."
        ) from error
    languages = languages or config_languages(config or "")
    card = {} if found.card_data is None else {"license": found.card_data.get("license")}
    licence = _licence(card, name, f" at revision {found.sha}")
    digest = digest_json([name, found.sha])
    return Dataset(name, config, found.sha, languages, name.rpartition("/")[2], digest, licence)


def _split(place: str) -> tuple[str, str | None, str | None]:
    """`ORG/NAME/CONFIG@REVISION`; of two parts the second is a configuration when it names two languages."""
    path, _, revision = place.partition("@")
    match path.split("/"):
        case [owner, name, config] if owner and name and config:
            return f"{owner}/{name}", config, revision or None
        case [name, config] if name and config_languages(config):
            return name, config, revision or None
        case [owner, name] if owner and name:
            return f"{owner}/{name}", None, revision or None
        case _:
            raise RequestError(f"hf:{place} names no dataset.", _WRITE)


def _card(path: Path) -> Mapping[str, Any]:
    """What the head of a dataset's README says."""
    import yaml
    from huggingface_hub import DatasetCard

    if not path.is_file():
        return {}
    try:
        return dict(DatasetCard.load(path).data.to_dict())
    except (yaml.YAMLError, ValueError) as error:
        raise DamagedError(f"{path}: its head is not YAML ({_first_line(error)}).", "Mend it.") from error


def _licence(card: Mapping[str, Any], name: str, version: str) -> Licence:
    stated = card.get("license") or ""
    licence = stated if isinstance(stated, str) else ", ".join(map(str, stated))
    return Licence(licence, f"Dataset {card.get('pretty_name') or name}{version}.")


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0][:300]
