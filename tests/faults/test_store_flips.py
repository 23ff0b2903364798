"""R7: one flipped bit anywhere in a store or a corpus is found by `verify`; proved reads refuse it."""

import random
import re

import pytest

import stores
from isoglot import artefact
from isoglot.config import CorpusConfig, TeacherConfig
from isoglot.corpus.build import build
from isoglot.errors import IsoglotError
from isoglot.teacher.embed import embed
from isoglot.teacher.store import Store

PROMISE = "verify finds it; proved reads stop, naming file and remedy"
FEW, ALL = 5, 50
KINDS = {
    "shards": "store/shards/*",
    "int8 shards": "int8/shards/*",
    "index": "store/manifest.sqlite",
    "store.json": "store/store.json",
    "seal of the index": "store/manifest.sha256",
    "axes": "reduced/teacher_axes.safetensors",
    "corpus shards": "corpus/*.parquet",
    "corpus manifest": "corpus/manifest.json",
}


@pytest.fixture(scope="module")
def whole(tiny_folder, tmp_path_factory):
    """Three stores and a corpus."""
    folder = tmp_path_factory.mktemp("flips")
    stores.fill(folder / "store", stores.TEXTS)
    stores.fill(folder / "int8", stores.TEXTS, precision="int8")
    axes = TeacherConfig(model="counting", dimension=3, pca_sentences=50, chunk_rows=10)
    embed(stores.TEXTS, stores.Counting(), axes, folder / "reduced")
    clean = {"max_untranslated": 1.0}
    build(CorpusConfig(sources=(str(tiny_folder / "pairs.tsv"),), clean=clean), folder / "corpus")
    return folder


def found(folder):
    """What `isoglot verify` finds in a folder."""
    try:
        return (
            artefact.verify(folder) if (folder / artefact.MANIFEST).is_file() else Store.open(folder).verify()
        )
    except IsoglotError as error:
        return [f"{error.problem} {error.next_step}"]


def broken_promises(folder, path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    whole = path.read_bytes()
    path.write_bytes(data)
    try:
        said = found(folder)
        problems = [] if any(path.name in line for line in said) else [f"verify said {said}"]
        if path.parent.name == "shards":
            problems += proved_read(folder, path)
    finally:
        path.write_bytes(whole)
    return [f"bit {bit} of {path.name}: {problem}" for problem in problems]


def proved_read(folder, path):
    try:
        Store.open(folder, prove=True).vectors(stores.TEXTS)
    except IsoglotError as error:
        remedy = rf"{path.name} .* Delete that file and run the same isoglot embed"
        return [] if re.search(remedy, str(error)) else [f"a read said {error}"]
    return ["a proved read gave its vectors"]


def flip(whole, kind, count, record_property):
    chance = random.Random(kind)
    files = sorted(whole.glob(KINDS[kind]))
    folder = whole / KINDS[kind].split("/")[0]
    problems = []
    for _ in range(count):
        path = chance.choice(files)
        one = broken_promises(folder, path, chance.randrange(8 * path.stat().st_size))
        record_property("fault", (f"R7 one bit flipped, {kind}", PROMISE, not one))
        problems += one
    assert not problems, "\n".join(problems)
    assert found(folder) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_found(whole, kind, record_property):
    flip(whole, kind, FEW, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
def test_every_one_of_many_flipped_bits_is_found(whole, kind, record_property):
    flip(whole, kind, ALL, record_property)
