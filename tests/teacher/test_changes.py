"""R20: whatever of the teacher changes between two runs, the store refuses and names it; R14: bad vectors stay out."""

import dataclasses
import json
import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest

import tiny
from isoglot.config import TeacherConfig
from isoglot.errors import IsoglotError, RequestError
from isoglot.teacher.embed import embed
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.store import Store
from teacher.embedding_server import answer, running, vector_of
from teacher.test_combined import index

TEXTS = [tiny.sentence(number) for number in range(90)]


def fill(folder, config, texts=TEXTS):
    teacher, _ = open_teacher(config)
    return embed(texts, teacher, config, folder)


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in [*(folder / "shards").iterdir(), folder / "store.json"]}


def refused(folder, config, field):
    """The store refuses, names the field, and stays what it was."""
    before = bytes_of(folder)
    with pytest.raises(RequestError, match=f"another space: .*{field}"):
        fill(folder, config, [*TEXTS, "one more"])
    assert bytes_of(folder) == before


def changed_weights(folder):
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors["embeddings.word_embeddings.weight"][7, 3] += 1e-3
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def changed_tokenizer(folder):
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["red"], vocabulary["green"] = vocabulary["green"], vocabulary["red"]
    path.write_text(json.dumps(content))


def changed_limit(folder):
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 4}')


def changed_normalise(folder):
    path = folder / "modules.json"
    path.write_text(json.dumps(json.loads(path.read_text())[:2]))


@pytest.fixture(scope="module")
def filled(tiny_folder, tmp_path_factory):
    """A store of the tiny teacher, with chunks of 32."""
    root = tmp_path_factory.mktemp("filled")
    shutil.copytree(tiny_folder / "teacher", root / "teacher")
    fill(root / "store", TeacherConfig(model=str(root / "teacher"), chunk_rows=32))
    return root


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (changed_weights, "weights"), (changed_tokenizer, "tokenizer"), (changed_limit, "max_tokens"),
        (changed_normalise, "normalise"),
    ],
)  # fmt: skip
def test_a_changed_folder_is_refused(filled, tmp_path, change, field):
    shutil.copytree(filled, tmp_path / "run")
    change(tmp_path / "run" / "teacher")
    refused(
        tmp_path / "run" / "store",
        TeacherConfig(model=str(tmp_path / "run" / "teacher"), chunk_rows=32),
        field,
    )


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"prompt": "the "}, "prompt"), ({"pooling": ("cls",)}, "pooling"), ({"normalise": False}, "normalise"),
        ({"max_tokens": 4}, "max_tokens"), ({"chunk_rows": 16}, "chunk_rows"), ({"dimension": 8}, "dimensions"),
    ],
)  # fmt: skip
def test_a_changed_option_is_refused(filled, tmp_path, options, field):
    shutil.copytree(filled / "store", tmp_path / "store")
    config = TeacherConfig(**{"model": str(filled / "teacher"), "chunk_rows": 32, **options})
    refused(tmp_path / "store", config, field)


def test_the_same_teacher_elsewhere_is_the_same_space(filled, tmp_path):
    shutil.copytree(filled, tmp_path / "moved")
    store = fill(
        tmp_path / "moved" / "store", TeacherConfig(model=str(tmp_path / "moved" / "teacher"), chunk_rows=32)
    )
    assert store.rows == len(TEXTS)


def test_changed_parts_axes_and_contents_are_refused(tmp_path):
    one, two = (
        index(tmp_path / "1.jsonl", [*TEXTS, "one more"]),
        index(tmp_path / "2.jsonl", [*TEXTS, "one more"], 5),
    )
    third = index(tmp_path / "3.jsonl", [*TEXTS, "one more"], 5, seed="third ")
    joined = TeacherConfig(model=(one, two), chunk_rows=32)
    fill(tmp_path / "joined", joined)
    for change, field in (
        ({"model": (one, third)}, "2.weights"),
        ({"weights": (1.0, 3.0)}, "weights of the parts"),
        ({"model": one}, "dimension"),
        ({"dimension": 4}, "dimensions are whole"),
    ):
        refused(tmp_path / "joined", joined.model_copy(update=change), field)
    reduced = TeacherConfig(model=one, dimension=6, pca_sentences=60, chunk_rows=32)
    fill(tmp_path / "reduced", reduced)
    for change, field in (
        ({"dimension": 5}, "dimension"),
        ({"pca_sentences": 50}, "pca_sentences"),
        ({"dimension": None}, "dimensions are reduced"),
    ):
        refused(tmp_path / "reduced", reduced.model_copy(update=change), field)
    plain = TeacherConfig(model=one, chunk_rows=32)
    fill(tmp_path / "plain", plain)
    index(tmp_path / "1.jsonl", [*TEXTS, "one more"], scale=1.001)
    refused(tmp_path / "plain", plain, "weights")
    refused(tmp_path / "reduced", reduced, "weights")


def test_another_model_of_an_endpoint_is_refused_by_name(tmp_path):
    with running() as server:
        config = TeacherConfig(model=server.url, chunk_rows=32)
        fill(tmp_path / "store", config)
        refused(tmp_path / "store", config.model_copy(update={"model": server.url + "-2"}), "weights")
        assert fill(tmp_path / "store", config).rows == len(TEXTS)


def test_an_endpoint_that_changed_behind_its_name_is_refused(tmp_path):
    """A server can swap the model and keep the name: a sentence that is in the store is embedded again to see."""
    with running() as server:
        config = TeacherConfig(model=server.url, chunk_rows=32)
        fill(tmp_path / "store", config, TEXTS[:40])
        noise = lambda items: [  # noqa: E731
            {**item, "embedding": [x * (1 + 1e-4) for x in item["embedding"]]} for item in items
        ]
        server.behave = lambda request: answer(request.question, change=noise)
        assert fill(tmp_path / "store", config, TEXTS[:60]).rows == 60  # rounding is no other model
        other = lambda question: {**question, "input": ["other " + text for text in question["input"]]}  # noqa: E731
        server.behave = lambda request: answer(other(request.question))
        before = bytes_of(tmp_path / "store")
        with pytest.raises(IsoglotError, match="no longer gives the vectors"):
            fill(tmp_path / "store", config)
        assert bytes_of(tmp_path / "store") == before


@dataclass(frozen=True)
class Spoilt:
    """A teacher whose vector of one sentence is wrong from a moment on."""

    width: int = 8
    text: str = TEXTS[50]
    bad: object = None
    normalise: bool = True
    asked: list = dataclasses.field(default_factory=list)

    @property
    def dimension(self):
        return self.width

    def encode(self, texts):
        self.asked.append(len(texts))
        vectors = np.stack([vector_of(text, self.width) for text in texts])
        if self.bad is not None and self.text in texts:
            vectors = self.bad(vectors, texts.index(self.text))
        return vectors

    def missing(self, texts):
        return np.zeros(len(texts), bool)

    def space(self):
        return {"weights": "spoilt", "dimension": self.width, "fingerprint": "spoilt"}


def set_row(value):
    def change(vectors, row):
        vectors[row] = value
        return vectors

    return change


BAD = {
    "NaN": set_row(np.nan),
    "one NaN": lambda vectors, row: np.where(np.eye(len(vectors), 8, row and -row) > 0, np.nan, vectors),
    "infinity": set_row(np.inf),
    "minus infinity": set_row(-np.inf),
    "zero": set_row(0.0),
    "beyond fp16": set_row(1e6),
    "wider": lambda vectors, row: np.pad(vectors, ((0, 0), (0, 1))),
    "narrower": lambda vectors, row: vectors[:, :-1],
    "a row too few": lambda vectors, row: vectors[:-1],
    "a row too many": lambda vectors, row: np.concatenate([vectors, vectors[:1]]),
    "integers": lambda vectors, row: (vectors * 100).astype(np.int8),
    "text": lambda vectors, row: vectors.astype("U8"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_vectors_are_never_committed(tmp_path, name):
    config = TeacherConfig(model="spoilt", chunk_rows=16)
    sound = Spoilt()
    with pytest.raises(IsoglotError):
        embed(TEXTS, replace(sound, bad=BAD[name]), config, tmp_path)
    kept = Store.open(tmp_path)
    whole = [text for text in TEXTS if text != sound.text]
    held = [text for text in whole if holds(kept, text)]
    assert not holds(kept, sound.text)
    assert len(held) == kept.rows and kept.rows % 16 == 0
    if held:
        assert np.abs(kept.vectors(held) - sound.encode(held)).max() < 1e-3
    # Mended, the pass goes on where it stopped.
    assert embed(TEXTS, sound, config, tmp_path).rows == len(TEXTS)


def holds(store, text):
    try:
        store.locate([text])
    except RequestError:
        return False
    return True
