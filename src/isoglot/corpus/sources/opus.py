"""OPUS: a corpus of one language pair as a zip of Moses files, downloaded once and read in place.

Layout of the archive of J. Tiedemann (2012), Parallel Data, Tools and Interfaces in OPUS:
`OPUS-CORPUS/VERSION/moses/de-en.txt.zip` with the members `CORPUS.de-en.de`, `CORPUS.de-en.en`, where the aligner
gave any, `CORPUS.de-en.scores`, and LICENSE and README. The two codes of a pair stand in the order of their letters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from isoglot.config import DownloadConfig
from isoglot.corpus.download import Downloaded, download
from isoglot.corpus.formats.archive import find_member, list_members
from isoglot.corpus.formats.gettext import locale_code
from isoglot.corpus.formats.moses import read_moses
from isoglot.corpus.languages import Border, is_code, parse
from isoglot.corpus.pair import Pair
from isoglot.corpus.sources.licence import Licence
from isoglot.corpus.transfer import Remote
from isoglot.errors import DamagedError, RequestError
from isoglot.progress import Progress
from isoglot.zips import open_zip

_NAME = r"[A-Za-z0-9][\w.-]*"
_CODE = r"[A-Za-z]{2,3}(?:[_@][A-Za-z0-9]+)*"  # OPUS writes zh_CN and ca@valencia
_URI = re.compile(
    rf"(?P<corpus>{_NAME})(?:/(?P<version>v{_NAME}))?/(?P<first>{_CODE})-(?P<second>{_CODE})", re.A
)
_ALL = re.compile(rf"opus:(?P<place>(?P<corpus>{_NAME})(?:/v{_NAME})?)/(?P<code>{_CODE})-\*", re.A)
_VERSION = re.compile(rf"v?{_NAME}", re.A)
_NEXT = "Corpora, versions and codes are listed at https://opus.nlpl.eu; codes are OPUS's own, such as de or pt_br."
_TEXT_CAP = 1 << 20  # characters of a licence or README that are kept


@dataclass(frozen=True)
class Release:
    """One language pair of one version of a corpus.

    Attributes:
        corpus: its name, as OPUS writes it.
        version: such as `v2018`.
        codes: OPUS's codes of the two languages, sorted.
    """

    corpus: str
    version: str
    codes: tuple[str, str]

    @property
    def pair(self) -> str:
        """The codes as OPUS joins them: `de-en`."""
        return "-".join(self.codes)


def fetch_opus(text: str, config: DownloadConfig, progress: Progress) -> tuple[Release, Downloaded]:
    """Download `CORPUS/src-tgt` or `CORPUS/VERSION/src-tgt`; without a version the newest one is asked for, once.

    Raises:
        RequestError: it is written otherwise, or OPUS has no such corpus.
        IsoglotError: the download failed.
    """
    matched = _URI.fullmatch(text)
    if matched is None:
        raise RequestError(f"opus:{text} names no corpus and language pair.", "Write opus:TED2020/de-en.")
    first, second = sorted((matched["first"], matched["second"]))
    version = matched["version"] or _newest(matched["corpus"], (first, second), config, progress)
    release = Release(matched["corpus"], version, (first, second))
    url = f"{config.opus_url.rstrip('/')}/OPUS-{release.corpus}/{version}/moses/{release.pair}.txt.zip"
    return release, download(Remote(url, _require_zip, _NEXT), config, progress)


def expand(text: str, border: Border, config: DownloadConfig, progress: Progress) -> list[str]:
    """Give a SOURCE for every wanted language that `opus:CORPUS/en-*` has; any other SOURCE is its own.

    OPUS's index is asked once and its answer kept. Codes that no standard knows are left out, and named.

    Raises:
        RequestError: OPUS has no such corpus in that language.
        IsoglotError: its index cannot be asked.
    """
    matched = _ALL.fullmatch(text)
    if matched is None:
        return [text]
    query = {"languages": "True", "corpus": matched["corpus"], "source": matched["code"]}
    remote = Remote(f"{config.opus_index_url.rstrip('?')}?{urlencode(query)}", _index_languages, _NEXT)
    listed = _index_languages(download(remote, config, progress).path)
    known = [code for code in listed if is_code(locale_code(code))]
    wanted = [code for code in known if border.wants(parse(locale_code(code)))]
    unknown = sorted(set(listed) - set(known))
    left_out = f"; no standard knows {', '.join(unknown)}" if unknown else ""
    progress.stage("corpus", f"{text}: {len(wanted)} of {len(listed)} languages{left_out}")
    return [f"opus:{matched['place']}/{matched['code']}-{code}" for code in sorted(wanted)]


def read_opus(path: Path, release: Release, border: Border) -> Iterator[Pair]:
    """Yield the pairs of a downloaded archive line by line, with the aligner's scores where it has them.

    Raises:
        DamagedError: it lacks a side, its files differ in length, or a score is no number.
    """
    first, second = (_only_member(path, f".{release.pair}.{code}") for code in release.codes)
    languages = (locale_code(release.codes[0]), locale_code(release.codes[1]))
    found = [name for name in list_members(path) if name.endswith(f".{release.pair}.scores")]
    scores = find_member(path, found[0]) if found else None
    return read_moses(
        find_member(path, first), find_member(path, second), release.corpus, border, languages, scores
    )


def read_terms(path: Path, release: Release) -> Licence:
    """Read what an archive says about its licence; all of it is kept beside the corpus."""
    texts = {name: _text(path, name) for name in list_members(path) if name in ("LICENSE", "README")}
    lines = (line.strip(" #*\t") for line in texts.get("LICENSE", "").splitlines())
    attribution = (
        f"{release.corpus} {release.version}, from OPUS (https://opus.nlpl.eu; J. Tiedemann, 2012, Parallel Data,"
        " Tools and Interfaces in OPUS)."
    )
    full = "\n\n".join(f"{name}\n\n{text}" for name, text in sorted(texts.items()))
    return Licence(next(filter(None, lines), "")[:200], attribution, full)


def _newest(corpus: str, codes: tuple[str, str], config: DownloadConfig, progress: Progress) -> str:
    """Ask OPUS's index; its answer stays in the cache, so that the same request means the same version for ever."""
    query = {
        "corpus": corpus, "source": codes[0], "target": codes[1], "preprocessing": "moses", "version": "latest",
    }  # fmt: skip
    remote = Remote(f"{config.opus_index_url.rstrip('?')}?{urlencode(query)}", _index_versions, _NEXT)
    versions = _index_versions(download(remote, config, progress).path)
    return versions[0]


def _index_versions(path: Path) -> list[str]:
    """Versions in an answer of the index, the newest marked one first."""
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_bytes())["corpora"]
        ranked = sorted(entries, key=lambda entry: str(entry["latest"]) != "True")
        versions = [str(entry["version"]) for entry in ranked]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"{path.name} is no answer of OPUS's index ({error!r}).", _NEXT) from error
    if not versions:
        raise RequestError("OPUS has no such corpus for this language pair.", _NEXT)
    if not all(_VERSION.fullmatch(version) for version in versions):
        raise DamagedError(f"{path.name} names no version of a corpus.", _NEXT)
    return versions


def _index_languages(path: Path) -> list[str]:
    """Codes in an answer of the index."""
    try:
        codes = [str(code) for code in json.loads(path.read_bytes())["languages"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"{path.name} is no answer of OPUS's index ({error!r}).", _NEXT) from error
    if not codes:
        raise RequestError("OPUS has no such corpus in that language.", _NEXT)
    return codes


def _only_member(path: Path, ending: str) -> str:
    found = [name for name in list_members(path) if name.endswith(ending)]
    if len(found) != 1:
        raise DamagedError(
            f"{path} has {len(found)} members *{ending} instead of one.",
            f"Delete {path.parent} and run again.",
        )
    return found[0]


def _require_zip(path: Path) -> None:
    open_zip(path).close()


def _text(path: Path, name: str) -> str:
    with find_member(path, name).open("rb") as file:
        return file.read(_TEXT_CAP).decode("utf-8", "replace").strip()
