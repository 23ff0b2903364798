"""Every kind of student: what it starts from, that its folder loads elsewhere, and that it learns."""

import json

import numpy as np
import pytest
import torch

import tiny
from isoglot.config import StudentConfig
from isoglot.encode.encoder import load_encoder
from isoglot.encode.model import Dense
from isoglot.errors import RequestError
from isoglot.pipeline.run import run
from isoglot.recipe import load_recipe
from isoglot.student.folder import Provenance, save
from isoglot.student.kinds import begin, fold

TEXTS = ["the red house sings today", "xeht xder xesuoh", "a big tree", "nothing it knows", ""]
STATIC = {"kind": "static"}
LSTM = {"kind": "lstm", "lstm_width": 16}


def begun(folder, kept, **options):
    return begin(folder, StudentConfig(model=str(folder), **options), 0, kept)


@pytest.fixture(scope="module")
def finished(tiny_folder, tmp_path_factory):
    """Runs of the small recipe with a static and an lstm student."""
    folder = tmp_path_factory.mktemp("kinds")
    recipe = tiny.write_recipe(
        folder / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    settings = {
        "static": ["student.kind=static", "train.learning_rate=1e-2"],
        "lstm": ["student.kind=lstm", "train.learning_rate=1e-3", "train.head_learning_rate=1e-6"],
    }
    common = [
        "train.epochs=6",
        "warm_start.sentences=30",
        "student.rows=outputs",
    ]  # a start that leaves something to learn
    return {
        kind: run(load_recipe(str(recipe), [*changes, *common]), folder / kind)
        for kind, changes in settings.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["static", "lstm"])
def test_the_folder_loads_in_sentence_transformers_and_gives_the_same_vectors(finished, kind):
    from sentence_transformers import SentenceTransformer

    folder = finished[kind].folder.student
    long = " ".join([tiny.sentence(0)] * 20)
    texts = [*TEXTS, long, *(tiny.translation("tr", tiny.sentence(number)) for number in range(40))]
    ours = load_encoder(folder, precision="fp32").encode(texts)
    theirs = SentenceTransformer(str(folder), device="cpu").encode(texts)
    assert ours.shape == (len(texts), 24)
    assert np.abs(ours - theirs).max() < 1e-5
    modules = [
        entry["type"].rsplit(".", 1)[-1] for entry in json.loads((folder / "modules.json").read_text())
    ]
    assert modules[0] == {"static": "StaticEmbedding", "lstm": "WordEmbeddings"}[kind]
    assert modules[-1] == "Normalize"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["static", "lstm"])
def test_it_learns_in_the_same_loop_and_is_evaluated_like_any_other(finished, kind):
    curve = finished[kind].card["dev"]
    assert finished[kind].card["shipped"] == "trained"
    assert max(point["score"]["r2"] for point in curve) > curve[0]["score"]["r2"] + 0.1
    scores = finished[kind].scores
    assert scores["mean"]["trained"]["r2"] > scores["mean"]["warm start"]["r2"]


@pytest.mark.slow
def test_a_static_student_is_a_static_teacher_with_the_same_vectors(finished):
    from isoglot.encode.static import is_static, load_static

    folder = finished["static"].folder.student
    assert is_static(folder)
    assert (
        np.abs(load_static(folder).encode(TEXTS) - load_encoder(folder, precision="fp32").encode(TEXTS)).max()
        < 1e-5
    )


def test_folding_the_linear_layer_into_the_rows_changes_no_vector(tiny_folder, tmp_path):
    student = begun(tiny_folder / "student", tmp_path / "rows", **STATIC, rows="inputs")
    student.precision = "fp32"
    student.model.dense.append(Dense(32, 24))
    before = student.encode(TEXTS[:3])
    fold(student)
    assert not student.model.dense
    assert student.model.backbone.embedding.weight.shape[1] == 24
    assert np.abs(student.encode(TEXTS[:3]) - before).max() < 1e-5


@pytest.mark.parametrize("options", [STATIC, LSTM], ids=["static", "lstm"])
def test_rows_say_where_token_vectors_come_from(tiny_folder, tmp_path, options):
    source = load_encoder(tiny_folder / "student")
    tables = {}
    for rows in ("outputs", "inputs", "random"):
        student = begun(tiny_folder / "student", tmp_path / "rows", **options, rows=rows)
        tables[rows] = student.model.backbone.get_input_embeddings().weight.detach()
    inputs = source.model.backbone.get_input_embeddings().weight.detach()
    assert torch.equal(tables["inputs"], inputs)
    token = source.tokenizer.backend.token_to_id("house")
    assert np.abs(tables["outputs"][token].numpy() - source.encode(["house"])[0]).max() < 1e-5
    assert abs(float(tables["random"].std()) - 32**-0.5) < 0.02


def test_vectors_of_single_tokens_are_computed_once(tiny_folder, tmp_path):
    for _ in range(2):
        begun(tiny_folder / "student", tmp_path / "rows", **STATIC, rows="outputs")
        stamp = (tmp_path / "rows" / "rows.safetensors").stat().st_mtime_ns
    begun(tiny_folder / "student", tmp_path / "rows", **STATIC, rows="outputs")
    assert (tmp_path / "rows" / "rows.safetensors").stat().st_mtime_ns == stamp


def test_an_lstm_has_the_width_and_layers_asked_for(tiny_folder, tmp_path):
    student = begun(
        tiny_folder / "student", tmp_path, kind="lstm", lstm_width=8, lstm_layers=2, rows="inputs"
    )
    assert student.model.feature_width == 16
    assert student.model.backbone.encoder.num_layers == 2


def test_an_lstm_reads_no_padding(tiny_folder, tmp_path):
    student = begun(tiny_folder / "student", tmp_path, **LSTM, rows="inputs")
    together = student.encode(TEXTS)
    alone = np.concatenate([student.encode([text]) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "static", "pooling": ("max",)}, "leave out pooling"),
        ({"kind": "lstm", "pooling": ("cls",)}, "pool with max and mean"),
        ({"kind": "lstm", "layers": (0,)}, "layers is of transformer, and the student is lstm"),
        ({"rows": "outputs"}, "rows is of static and lstm, and the student is transformer"),
        ({"kind": "static", "lstm_width": 8}, "lstm_width is of lstm, and the student is static"),
        ({"lstm_layers": 2}, "lstm_layers is of lstm"),
        (
            {"further": True, "layers": (0,), "max_tokens": 64},
            "keeps its own layers, max_tokens: leave that out",
        ),
        ({"kind": "static", "further": True, "rows": "random"}, "keeps its own rows"),
        ({"layers": (2, 1)}, "must rise"),
        ({"layers": (-1, 1)}, "must rise"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_the_kind_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        StudentConfig(model="x", **options)


def test_training_is_suited_to_the_kind_unless_the_recipe_says_otherwise(tiny_folder, tmp_path):
    (tmp_path / "r.toml").write_text('name="r"\n[teacher]\nmodel="t"\n[student]\nmodel="s"\n')
    plain = load_recipe(str(tmp_path / "r.toml")).train
    static = load_recipe(str(tmp_path / "r.toml"), ["student.kind=static"]).train
    chosen = load_recipe(str(tmp_path / "r.toml"), ["student.kind=static", "train.learning_rate=0.5"]).train
    assert static.learning_rate > 10 * plain.learning_rate
    assert static.batch_tokens > plain.batch_tokens
    assert (chosen.learning_rate, chosen.batch_tokens) == (0.5, static.batch_tokens)


def family(name, folder):
    """A small random encoder of a family, with the words' tokenizer."""
    import transformers as t

    folder.mkdir()
    size = tiny.write_tokenizer(folder)
    torch.manual_seed(0)
    common = {"vocab_size": size, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64,
              "num_hidden_layers": 4, "pad_token_id": 0}  # fmt: skip
    configs = {
        "xlm-roberta": lambda: t.XLMRobertaConfig(**common, max_position_embeddings=40),
        "mbert": lambda: t.BertConfig(**common, max_position_embeddings=40),
        "modernbert": lambda: t.ModernBertConfig(
            **common, max_position_embeddings=40, global_attn_every_n_layers=2, local_attention=8,
            cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3,
        ),
    }  # fmt: skip
    t.AutoModel.from_config(configs[name]()).save_pretrained(folder)
    if name == "mbert":  # what a folder of e5 has beside BERT's weights: a prompt of its own
        prompts = {"prompts": {"query": "the "}, "default_prompt_name": "query"}
        (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    return folder


@pytest.mark.parametrize("layers", [(), (0, 2, 3)], ids=["whole", "three layers"])
@pytest.mark.parametrize("name", ["xlm-roberta", "mbert", "modernbert"])
def test_transformer_families_with_all_or_some_layers(name, layers, tmp_path):
    from sentence_transformers import SentenceTransformer

    folder = family(name, tmp_path / name)
    student = begun(folder, tmp_path, layers=layers, pooling=("cls", "max", "mean"))
    assert len(student.model.backbone.config.__dict__.get("layer_types") or ()) in (0, len(layers) or 4)
    student.precision = "fp32"
    save(student, folder, tmp_path / "student", Provenance({}, "notice", {}))
    ours = student.encode(TEXTS)
    again = load_encoder(tmp_path / "student", precision="fp32")
    theirs = SentenceTransformer(str(tmp_path / "student"), device="cpu").encode(TEXTS)
    assert again.model.backbone.config.num_hidden_layers == (len(layers) or 4)
    assert np.abs(again.encode(TEXTS) - ours).max() < 1e-5
    assert np.abs(theirs - ours).max() < 1e-5


def test_kept_layers_are_those_asked_for(tmp_path):
    """A BERT whose layers 1 and 3 do nothing gives the same vectors without them."""
    folder = family("mbert", tmp_path / "bert")
    whole = load_encoder(folder)
    for number in (1, 3):
        layer = whole.model.backbone.encoder.layer[number]
        for part in (layer.attention.output, layer.output):
            torch.nn.init.zeros_(part.dense.weight)
            torch.nn.init.zeros_(part.dense.bias)
            part.LayerNorm = torch.nn.Identity()
    pruned = begun(folder, tmp_path, layers=(0, 2))
    assert np.abs(pruned.encode(TEXTS) - whole.encode(TEXTS)).max() < 1e-5


def test_layers_that_are_not_there_are_named(tmp_path):
    with pytest.raises(RequestError, match="layers 0 to 3"):
        begun(family("mbert", tmp_path / "bert"), tmp_path, layers=(0, 4))
    with pytest.raises(RequestError, match="keep layer 0"):
        begun(family("modernbert", tmp_path / "modern"), tmp_path, layers=(1, 2))
