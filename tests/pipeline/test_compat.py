"""`isoglot compat` on small real models: one language that the student knows, one that it does not."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

import tiny
from isoglot.cli.main import app
from isoglot.compat_config import CompatConfig
from isoglot.config import TeacherConfig
from isoglot.errors import RequestError
from isoglot.pipeline.compat import check_index
from isoglot.progress import SILENT
from isoglot.teacher.embed import embed
from isoglot.teacher.kinds import open_teacher

DOCUMENTS = [tiny.sentence(number * 7) for number in range(280)]
ASKED = [tiny.sentence(number * 7 + 3) for number in range(120)]


def teach(folder, languages):
    """Give words of `languages` the token vectors of their English words: a student that knows them perfectly."""
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    name = next(name for name in weights if name.endswith("word_embeddings.weight"))
    for language in languages:
        for word in tiny.WORDS:
            weights[name][vocabulary[tiny.word_in(language, word)]] = weights[name][vocabulary[word]]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.fixture(scope="module")
def rig(tmp_path_factory, tiny_folder):
    """Teacher, a student that knows German and French, and an index of the teacher as .npy."""
    folder = tmp_path_factory.mktemp("compat")
    shutil.copytree(tiny_folder / "teacher", folder / "student")
    teach(folder / "student", ("de", "fr"))
    teacher, _ = open_teacher(TeacherConfig(model=str(tiny_folder / "teacher")))
    np.save(folder / "index.npy", teacher.encode(DOCUMENTS))
    (folder / "index.txt").write_text("\n".join(DOCUMENTS) + "\n")
    rows = ["\t".join(["en", "de", "tr"])]
    rows += ["\t".join([text, *(tiny.translation(tag, text) for tag in ("de", "tr"))]) for text in ASKED]
    (folder / "queries.tsv").write_text("\n".join(rows) + "\n")
    near = [int(np.argmax(scores)) for scores in teacher.encode(ASKED) @ teacher.encode(DOCUMENTS).T]
    (folder / "relevance.tsv").write_text(
        "".join(f"{row}\t{document}\t1\n" for row, document in enumerate(near, 1))
    )
    return folder, str(tiny_folder / "teacher")


def config(folder, **options):
    return CompatConfig(queries=(str(folder / "queries.tsv"),), **options)


def check(rig, **options):
    folder, teacher = rig
    return check_index(str(folder / "student"), str(folder / "index.npy"), config(folder, **options), teacher)


def test_without_labels_a_language_that_is_known_works_and_another_does_not(rig):
    result = check(rig)
    german, turkish = result.languages
    assert result.protocol == "unlabelled"
    assert (german.language, german.verdict, german.queries) == ("de", "works", len(ASKED))
    assert german.overlap == pytest.approx(1.0)
    assert german.calibration.student.f1 == pytest.approx(1.0)
    assert german.calibration.agreement.shift == pytest.approx(0.0, abs=1e-5)
    assert (turkish.language, turkish.verdict) == ("tr", "does not work")
    assert result.worst == turkish
    assert german.student is german.teacher is None  # nothing of the other protocol
    assert result.own_cosine == pytest.approx(1.0, abs=1e-5)
    assert result.own_overlap == pytest.approx(1.0)
    assert result.threshold_from == "median of the teacher's hits"
    assert result.proof.sampled == 256
    assert result.proof.lowest > 0.9999


def test_with_labels_the_student_is_measured_against_the_teachers_english_queries(rig):
    result = check(rig, relevance=str(rig[0] / "relevance.tsv"))
    german, turkish = result.languages
    assert result.protocol == "labelled"
    assert german.student == german.teacher
    assert german.teacher.recall_1 == 1.0
    assert (german.value, german.verdict, german.overlap) == (pytest.approx(1.0), "works", None)
    assert turkish.value < 0.5
    assert turkish.interval[0] <= turkish.value <= turkish.interval[1]
    assert turkish.verdict == "does not work"
    assert result.threshold_from == "best F1 of the teacher"
    assert german.calibration.student == german.calibration.teacher
    assert result.limits == {"value": 0.9, "f1": 0.95}


def test_the_protocol_and_the_data_are_in_the_signature(rig):
    labelled, unlabelled = check(rig, relevance=str(rig[0] / "relevance.tsv")), check(rig)
    assert "labelled, top 10 by cosine of 280" in labelled.signature
    assert labelled.signature != unlabelled.signature
    assert check(rig).signature == unlabelled.signature


def test_without_queries_only_calibration_is_reported_and_said_so(rig):
    folder, teacher = rig
    result = check_index(str(folder / "student"), str(folder / "index.npy"), CompatConfig(), teacher)
    assert (result.protocol, result.languages, result.worst) == ("calibration only", (), None)
    assert "only the calibration on the index's own texts" in result.note
    assert result.own_texts.student.f1 == pytest.approx(1.0)


def test_the_sample_is_an_option(rig):
    assert check(rig, sample=16).proof.sampled == 16


def test_a_given_threshold_is_the_one_that_is_tested(rig):
    result = check(rig, threshold=0.9)
    assert result.threshold_from == "given"
    assert [one.calibration.threshold for one in result.languages] == [0.9, 0.9]


def test_queries_that_are_documents_are_left_out_where_relevance_is_labelled(rig, tmp_path):
    (tmp_path / "q.tsv").write_text(
        "en\tde\n"
        + "".join(f"{text}\t{tiny.translation('de', text)}\n" for text in [DOCUMENTS[0], *ASKED[:20]])
    )
    lines = (rig[0] / "relevance.tsv").read_text().splitlines()[:20]
    shifted = [f"{int(line.split()[0]) + 1}\t{line.split()[1]}\t1" for line in lines]
    (tmp_path / "r.tsv").write_text("1\t5\t1\n" + "\n".join(shifted[:-1]) + "\n")
    wanted = CompatConfig(queries=(str(tmp_path / "q.tsv"),), relevance=str(tmp_path / "r.tsv"))
    result = check_index(str(rig[0] / "student"), str(rig[0] / "index.npy"), wanted, rig[1])
    assert result.left_out == {"no relevant document": 1, "the query is itself a document": 1}
    assert result.languages[0].queries == 19
    (tmp_path / "r.tsv").write_text("1\t5\t1\n")
    with pytest.raises(
        RequestError, match="No query could be judged: 20 × no relevant document, 1 × the query is"
    ):
        check_index(str(rig[0] / "student"), str(rig[0] / "index.npy"), wanted, rig[1])


@pytest.mark.parametrize("metric", ["dot", "l2"])
def test_other_metrics_rank_unit_vectors_alike(rig, metric):
    result = check(rig, index={"metric": metric})
    assert result.index.metric == metric
    assert [one.verdict for one in result.languages] == ["works", "does not work"]
    assert result.languages[0].overlap == pytest.approx(1.0)


def test_a_store_is_an_index_too(rig, tmp_path):
    folder, teacher = rig
    embed(
        DOCUMENTS, open_teacher(TeacherConfig(model=teacher))[0], TeacherConfig(model=teacher), tmp_path / "s"
    )
    wanted = config(folder, index={"texts": str(folder / "index.txt")})
    result = check_index(str(folder / "student"), str(tmp_path / "s"), wanted, teacher)
    assert result.index.kind == "teacher store"
    assert result.languages[0].overlap > 0.99  # fp16


def test_an_index_of_another_model_is_refused_with_the_measured_cosine(rig, tmp_path):
    folder, _ = rig
    other = str(tiny.write_teacher(tmp_path / "other", seed=9))
    with pytest.raises(RequestError, match=r"did not build .*median cosine of -?\d\.\d{3}.*--teacher"):
        check_index(str(folder / "student"), str(folder / "index.npy"), config(folder), other)


def test_another_width_is_refused_for_teacher_and_student(rig, tmp_path):
    folder, teacher = rig
    wide = str(tiny.write_teacher(tmp_path / "wide", width=32))
    for model, owner, named in ((str(folder / "student"), wide, wide), (wide, teacher, wide)):
        with pytest.raises(RequestError, match=f"holds vectors of 24 dimensions, {named} gives 32"):
            check_index(model, str(folder / "index.npy"), config(folder), owner)


def test_an_index_built_with_another_prompt_is_proved_with_it(rig, tmp_path):
    folder, teacher = rig
    prompt = "the old big green house waits "
    documents, _ = open_teacher(TeacherConfig(model=teacher, prompt=prompt))
    np.save(tmp_path / "i.npy", documents.encode(DOCUMENTS))
    place = (
        folder / "student",
        "--index",
        tmp_path / "i.npy",
        "--teacher",
        teacher,
        "--texts",
        folder / "index.txt",
    )
    refused = run(*place)
    assert refused.exit_code == 2
    assert "--document-prompt" in refused.stderr
    found = as_json(*place, "--document-prompt", prompt, "--queries", folder / "queries.tsv")
    assert found["proof"]["lowest"] > 0.9999
    assert found["own_cosine"] < 0.99  # queries have no prompt
    assert found["languages"][0]["overlap"] == pytest.approx(1.0)


def test_relevance_without_queries_is_refused(rig):
    folder, teacher = rig
    wanted = CompatConfig(relevance=str(folder / "relevance.tsv"))
    with pytest.raises(RequestError, match="--relevance says nothing without queries"):
        check_index(str(folder / "student"), str(folder / "index.npy"), wanted, teacher, SILENT)


def test_documents_without_texts_prove_nothing(rig, tmp_path):
    folder, teacher = rig
    np.save(tmp_path / "i.npy", np.load(folder / "index.npy"))
    (tmp_path / "i.txt").write_text(" \n" * len(DOCUMENTS))
    with pytest.raises(RequestError, match="have no texts"):
        check_index(str(folder / "student"), str(tmp_path / "i.npy"), CompatConfig(), teacher)


def run(*arguments):
    return CliRunner().invoke(app, ["compat", *map(str, arguments)])


def test_the_command_prints_tables_and_the_worst_language(rig):
    folder, teacher = rig
    place = (folder / "student", "--index", folder / "index.npy", "--teacher", teacher)
    result = run(*place, "--queries", folder / "queries.tsv")
    assert result.exit_code == 0, result.output
    assert "overlap" in result.stdout
    assert "worst      tr:" in result.stdout
    assert "does not work" in result.stdout
    labelled = run(*place, "--queries", folder / "queries.tsv", "--relevance", folder / "relevance.tsv")
    assert "relative" in labelled.stdout
    assert "overlap: share" not in labelled.stdout
    assert "There were no queries" in run(*place).stdout


def as_json(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_every_option_reaches_the_check(rig, tmp_path):
    folder, teacher = rig
    (tmp_path / "q.tsv").write_text(
        "".join(f"{tiny.translation('de', text)}\t{text}\n" for text in ASKED[:9])
    )
    options = {
        "--queries": tmp_path / "q.tsv", "--language": "de", "--threshold": 0.5, "--texts": folder / "index.txt",
        "--metric": "l2", "--sample": 9, "--min-cosine": 0.5, "--min-overlap": 0.25, "--min-f1": 0.75,
    }  # fmt: skip
    flat = [part for pair in options.items() for part in pair]
    found = as_json(folder / "student", "--index", folder / "index.npy", "--teacher", teacher, *flat)
    assert found["protocol"] == "unlabelled"
    assert found["index"]["metric"] == "l2"
    assert (found["proof"]["sampled"], found["proof"]["limit"]) == (9, 0.5)
    assert found["limits"] == {"value": 0.25, "f1": 0.75}
    assert found["languages"][0]["calibration"]["threshold"] == 0.5
    assert found["worst"] == "de"


def test_columns_of_an_index_are_options(rig, tmp_path):
    folder, teacher = rig
    rows = [
        {"body": text, "v": vector.tolist(), "n": f"doc {number}"}
        for number, (text, vector) in enumerate(zip(DOCUMENTS, np.load(folder / "index.npy"), strict=True))
    ]
    (tmp_path / "i.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = [line.split() for line in (folder / "relevance.tsv").read_text().splitlines()]
    (tmp_path / "r.tsv").write_text("".join(f"{query}\tdoc {number}\t1\n" for query, number, _ in lines))
    found = as_json(
        folder / "student", "--index", tmp_path / "i.jsonl", "--teacher", teacher, "--min-ndcg", 0.01,
        "--queries", folder / "queries.tsv", "--relevance", tmp_path / "r.tsv",
        "--text-column", "body", "--vector-column", "v", "--id-column", "n",
    )  # fmt: skip
    assert found["languages"][0]["student"]["recall_1"] == 1.0
    assert found["limits"]["value"] == 0.01


def test_the_variable_of_a_password_is_an_option(rig, monkeypatch):
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)
    address = "postgresql://me@localhost/db?table=t"
    result = run(rig[0] / "student", "--index", address, "--key-env", "NO_SUCH_PASSWORD")
    assert result.exit_code == 2
    assert "NO_SUCH_PASSWORD is not set" in result.stderr


def test_wrong_requests_exit_with_2(rig):
    folder, _ = rig
    for arguments in (
        (folder / "student", "--index", folder / "none.npy"),
        (folder / "student", "--index", folder / "index.npy", "--metric", "manhattan"),
        (folder / "none", "--index", folder / "index.npy"),
        (folder / "student", "--index", folder / "index.npy", "--teacher", folder / "none"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2, result.output
        assert "error:" in result.stderr
