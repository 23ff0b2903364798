"""What is fuzzed: one `Target` per reader, from bytes to pairs, and the promises that every input must keep."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import zstandard

from fuzz import seeds, vectors
from fuzz.target import BrokenPromiseError, Target
from isoglot.artefact import MANIFEST, digest_json, read_json, read_manifest
from isoglot.corpus.formats.gettext import read_gettext
from isoglot.corpus.formats.packed import open_binary
from isoglot.corpus.formats.parquet import read_parquet
from isoglot.corpus.formats.tarball import tar_members
from isoglot.corpus.formats.tmx import read_tmx
from isoglot.corpus.formats.xces import alignment_documents, read_xces
from isoglot.corpus.formats.xliff import read_xliff
from isoglot.corpus.languages import Border
from isoglot.corpus.pair import Pair
from isoglot.corpus.sources.package import read_licence, read_package
from isoglot.errors import DamagedError, IsoglotError
from isoglot.wheels import open_wheel
from isoglot.zips import read_member

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}
LANGUAGES = ("en", "de")


def _packed(suffix: str) -> Target:
    """Bytes as a file; or, after an odd first byte, packed by us with one byte changed or the end cut off.

    Of the second kind the content is known: it comes out whole, or nothing does.
    """

    def read(folder: Path, data: bytes) -> None:
        path = folder / f"x{suffix}"
        if len(data) < 4 or data[0] % 2 == 0:
            path.write_bytes(data[1:])
            _drain(path)
            return
        content, (place, mask) = data[4:], (int.from_bytes(data[1:3], "big"), data[3])
        whole = bytearray(PACK[suffix](content))
        if mask:
            whole[place % len(whole)] ^= mask
        else:
            del whole[place % len(whole) :]
        path.write_bytes(whole)
        if _drain(path) != content:
            raise BrokenPromiseError(f"{suffix}: other bytes than were packed")

    def starts() -> list[bytes]:
        whole = PACK[suffix](seeds.text())
        return [b"\0" + whole, b"\0" + whole * 2, b"\1\0\0\0" + seeds.text(), b"\1\0\x20\4" + seeds.text()]

    return Target(read, starts)


def _drain(path: Path) -> bytes:
    with open_binary(path) as file:
        return file.read(1 << 22)  # more is not needed to see a mistake, and a bomb stays small


def _file(name: str, read: Callable[[Path], Iterator[Pair]], starts: Callable[[], list[bytes]]) -> Target:
    def read_bytes(folder: Path, data: bytes) -> None:
        path = folder / name
        path.write_bytes(data)
        _require_pairs(read(path))

    return Target(read_bytes, starts)


def _require_pairs(pairs: Iterable[Pair]) -> None:
    for pair in pairs:
        if not all(isinstance(text, str) for text in pair[:5]):
            raise BrokenPromiseError(f"not text: {pair!r}")
        if not (pair.source_lang.isascii() and pair.target_lang.isascii()):
            raise BrokenPromiseError(f"not a language tag: {pair!r}")


def _wheel() -> Target:
    def read(folder: Path, data: bytes) -> None:
        path = folder / "x.whl"
        path.write_bytes(data)
        with open_wheel(path) as archive:
            for name in archive.namelist():
                try:
                    read_member(archive, name)
                except IsoglotError:
                    continue
        _require_pairs(read_package(path, "c", Border()))
        read_licence(path)

    return Target(read, lambda: [seeds.wheel()])


def _tar(name: str, starts: Callable[[], list[bytes]]) -> Target:
    """Every plain member of a tar archive or Debian package, to its end."""

    def read(folder: Path, data: bytes) -> None:
        path = folder / name
        path.write_bytes(data)
        for _, content in tar_members(path):
            while content.read(1 << 16):
                pass

    return Target(read, starts)


def _xces() -> Target:
    """The same bytes as the alignment, and as both documents of a good one."""

    def read(folder: Path, data: bytes) -> None:
        path, good = folder / "fuzzed.xml", folder / "good.xml"
        good.write_text(seeds.XCES)
        path.write_bytes(data)
        for document in ("de/a.xml", "en/a.xml"):
            (folder / document).parent.mkdir(exist_ok=True)
            (folder / document).write_text(seeds.XCES_DOCUMENT)
        try:
            alignment_documents(path)
            _require_pairs(read_xces(path, "c", Border()))
        except IsoglotError:
            (folder / "de/a.xml").write_bytes(data)
            _require_pairs(read_xces(good, "c", Border()))

    return Target(read, lambda: [seeds.XCES.encode(), seeds.XCES_DOCUMENT.encode()])


def _manifest() -> Target:
    """The manifest of one of our own folders, as it is and with the digest that would make it pass."""

    def read(folder: Path, data: bytes) -> None:
        path = folder / MANIFEST
        path.write_bytes(data)
        try:
            read_manifest(folder)
        except DamagedError:
            changed = read_json(path)
            changed["manifest_sha256"] = digest_json(
                {k: v for k, v in changed.items() if k != "manifest_sha256"}
            )
            path.write_text(json.dumps(changed))
            read_manifest(folder)

    kept = {"kind": "corpus", "inputs": {"a": "b"}, "config": {}, "counts": {"read": 1}, "files": {}}
    return Target(read, lambda: [json.dumps({**kept, "format_version": 1, "manifest_sha256": ""}).encode()])


TARGETS: dict[str, Target] = {
    **{suffix[1:]: _packed(suffix) for suffix in PACK},
    "wheel": _wheel(),
    "tar": _tar("x.tar", lambda: [seeds.tar()]),
    "deb": _tar("x.deb", lambda: [seeds.deb("", seeds.tar()), seeds.deb(".gz", PACK[".gz"](seeds.tar()))]),
    "mo": _file(
        "x.mo", lambda path: read_gettext(path, "c", Border(), LANGUAGES), lambda: [seeds.mo("<"), seeds.mo(">")]
    ),
    "po": _file(
        "x.po", lambda path: read_gettext(path, "c", Border(), LANGUAGES), lambda: [seeds.PO.encode()]
    ),
    "parquet": _file(
        "x.parquet", lambda path: read_parquet(path, "c", Border(), LANGUAGES), seeds.parquet
    ),
    "tmx": _file(
        "x.tmx",
        lambda path: read_tmx(path, "c", Border()),
        lambda: [seeds.TMX.encode(), seeds.TMX.replace("UTF-8", "UTF-16").encode("utf-16")],
    ),
    "xliff": _file(
        "x.xlf",
        lambda path: read_xliff(path, "c", Border()),
        lambda: [seeds.XLIFF_12.encode(), seeds.XLIFF_20.encode()],
    ),
    "xces": _xces(),
    "manifest": _manifest(),
    **vectors.TARGETS,
}  # fmt: skip
