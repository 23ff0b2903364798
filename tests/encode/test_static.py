"""Static encoders against the libraries that made their folders."""

import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import tiny
from isoglot.encode.static import is_static, load_static
from isoglot.errors import DamagedError, RequestError

TEXTS = [tiny.sentence(number) for number in range(60)] + ["the unknown red", "xder neerg?", "the old " * 300]
NO_TOKEN = ["", "   "]


def tokenizer(folder):
    from tokenizers import Tokenizer

    folder.mkdir(parents=True, exist_ok=True)
    size = tiny.write_tokenizer(folder)
    return Tokenizer.from_file(str(folder / "tokenizer.json")), size


def table(rows, width=16, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


def model2vec_folder(folder, **options):
    """A folder as model2vec itself writes it."""
    from model2vec import StaticModel

    words, size = tokenizer(folder / "tokenizer")
    rows = options.pop("rows", size)
    model = StaticModel(
        vectors=table(rows).astype(options.pop("dtype", np.float32)), tokenizer=words, **options
    )
    model.save_pretrained(folder / "model")
    return folder / "model", model


def sentence_transformers_folder(folder, normalise=False):
    """A folder as sentence-transformers writes one with a StaticEmbedding."""
    (folder / "0_StaticEmbedding").mkdir(parents=True)
    _, size = tokenizer(folder / "0_StaticEmbedding")
    save_file({"embedding.weight": table(size)}, folder / "0_StaticEmbedding" / "model.safetensors")
    kinds = [("0_StaticEmbedding", "StaticEmbedding"), *([("1_Normalize", "Normalize")] * normalise)]
    listed = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    if normalise:
        (folder / "1_Normalize").mkdir()
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"query": "the old "}, "default_prompt_name": None})
    )
    return folder


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"normalize": True},
        {"normalize": True, "max_length": 3},
        {"max_length": None},
        {"dtype": np.float16},
        {"dtype": np.int8},
        {"weights": True, "normalize": True},
        {"rows": 9, "token_mapping": True, "weights": True},
    ],
    ids=str,
)
@pytest.mark.slow  # importing model2vec takes seconds
def test_equals_model2vec(tmp_path, options):
    size = 104
    if options.get("weights"):
        options = {**options, "weights": np.linspace(0.5, 2, size, dtype=np.float32)}
    if options.get("token_mapping"):
        options = {**options, "token_mapping": np.arange(size) % 9}
    folder, theirs = model2vec_folder(tmp_path, **options)
    ours = load_static(folder)
    assert is_static(folder)
    found = ours.encode([*TEXTS, *NO_TOKEN])
    expected = theirs.encode([*TEXTS, *NO_TOKEN])
    assert found.dtype == np.float32
    assert ours.normalise == options.get("normalize", False)
    tolerance = 2e-3 if options.get("dtype") == np.float16 else 1e-5  # they sum in half precision
    assert np.abs(found - expected).max() < tolerance
    assert list(ours.missing([*TEXTS[:3], *NO_TOKEN])) == [False] * 3 + [True] * 2


@pytest.mark.slow  # importing sentence_transformers takes many seconds
@pytest.mark.parametrize("normalise", [False, True])
def test_equals_sentence_transformers(tmp_path, normalise):
    from sentence_transformers import SentenceTransformer

    folder = sentence_transformers_folder(tmp_path / "model", normalise)
    theirs = SentenceTransformer(str(folder), device="cpu")
    ours = load_static(folder)
    assert ours.normalise is normalise
    assert np.abs(ours.encode(TEXTS) - theirs.encode(TEXTS)).max() < 1e-5
    prompted = load_static(folder, prompt="the old ").encode(TEXTS)
    assert np.abs(prompted - theirs.encode(TEXTS, prompt_name="query")).max() < 1e-5


def test_rows_stand_alone(tmp_path):
    ours = load_static(sentence_transformers_folder(tmp_path))
    texts = [*NO_TOKEN, *TEXTS, *NO_TOKEN, TEXTS[3]]
    together = ours.encode(texts)
    one_by_one = np.concatenate([ours.encode([text]) for text in texts])
    assert np.abs(together - one_by_one).max() < 1e-6
    assert not together[:2].any()
    assert ours.encode([]).shape == (0, 16)
    assert ours.missing([]).shape == (0,)


def test_options_change_vectors_and_space(tmp_path):
    folder = sentence_transformers_folder(tmp_path)
    plain = load_static(folder)
    for options in ({"normalise": True}, {"prompt": "the "}, {"max_tokens": 2}):
        other = load_static(folder, **options)
        assert np.abs(other.encode(TEXTS) - plain.encode(TEXTS)).max() > 1e-3
        assert other.space()["fingerprint"] != plain.space()["fingerprint"]
    assert load_static(folder).space() == plain.space()


def test_a_token_table_of_another_vocabulary_is_refused(tmp_path):
    folder = sentence_transformers_folder(tmp_path)
    path = folder / "0_StaticEmbedding" / "model.safetensors"
    save_file({"embedding.weight": load_file(path)["embedding.weight"][:50]}, path)
    with pytest.raises(DamagedError, match="50 token vectors for 104 tokens"):
        load_static(folder)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DamagedError, match="not a readable safetensors"):
        load_static(folder)
    path.unlink()
    with pytest.raises(RequestError, match="never unpickles"):
        load_static(folder)


def test_a_broken_tokenizer_is_named(tmp_path):
    folder = sentence_transformers_folder(tmp_path)
    path = folder / "0_StaticEmbedding" / "tokenizer.json"
    path.write_text(path.read_text()[:500])
    with pytest.raises(DamagedError, match=r"tokenizer\.json is not a readable tokenizer"):
        load_static(folder)


def test_further_modules_are_refused(tmp_path):
    folder = sentence_transformers_folder(tmp_path, normalise=True)
    text = (folder / "modules.json").read_text().replace("models.Normalize", "models.Dense")
    (folder / "modules.json").write_text(text)
    with pytest.raises(RequestError, match="StaticEmbedding, Dense"):
        load_static(folder)


def test_no_torch_is_loaded(tmp_path):
    folder = sentence_transformers_folder(tmp_path)
    code = (
        "import sys\nfrom isoglot.config import TeacherConfig\nfrom isoglot.teacher.kinds import open_teacher\n"
        f"teacher, _ = open_teacher(TeacherConfig(model={str(folder)!r}))\n"
        "print(teacher.encode(['the red house']).shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["(1,", "16)", "False"]
