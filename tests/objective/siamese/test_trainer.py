"""sentence-transformers trains: its losses, our tables, and a folder that holds what was learned."""

import hashlib
import importlib.util
import json

import numpy as np
import pytest
import torch

import tiny
from isoglot.corpus.benchmarks.record import Inference, Similarity
from isoglot.encode.encoder import load_encoder
from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.statistics import spearman
from isoglot.objective.siamese import trainer
from isoglot.objective.siamese.columns import entailed, graded, labelled
from isoglot.objective.siamese.trainer import Phase, train_phase
from objective.siamese.siamese_data import inferences, similarities

pytestmark = pytest.mark.slow


def records():
    named = {"contradictory": "contradiction"}
    return [Inference(a, b, named.get(label, label)) for a, b, label in inferences()]


def scored(start=0, count=200):
    return [Similarity(a, b, score) for score, a, b in similarities(count, start)]


def phase(loss, **changes):
    tables = {
        "softmax": lambda: labelled(records()), "ranking": lambda: entailed(records()),
        "cosine": lambda: graded(scored()),
    }[loss]()  # fmt: skip
    options = {
        "name": loss, "loss": loss, "tables": tables, "epochs": 1.0, "batch": 16, "learning_rate": 1e-3, "warmup": 0.1,
        "scale": 20.0, "seed": 0, **changes,
    }  # fmt: skip
    return Phase(**options)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A folder to start from whose tokenizer knows more words than any table."""
    folder = tmp_path_factory.mktemp("start") / "encoder"
    tiny.write_teacher(folder, width=32)
    return folder


@pytest.fixture(scope="module")
def table(start, tmp_path_factory):
    """A static encoder over the same words: random token vectors."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    torch.manual_seed(0)
    words = StaticEmbedding(Tokenizer.from_file(str(start / "tokenizer.json")), embedding_dim=32)
    folder = tmp_path_factory.mktemp("table") / "encoder"
    SentenceTransformer(modules=[words]).save_pretrained(str(folder), create_model_card=False)
    return folder


@pytest.fixture(params=["start", "table"], ids=["transformer", "static"])
def either(request):
    return request.getfixturevalue(request.param)


def test_the_losses_are_those_of_sentence_transformers(start):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import losses

    model = SentenceTransformer(str(start))
    kinds = {"softmax": losses.SoftmaxLoss, "ranking": losses.MultipleNegativesRankingLoss}
    for name, kind in {**kinds, "cosine": losses.CosineSimilarityLoss}.items():
        assert type(trainer._loss(phase(name), model)) is kind
    head = trainer._loss(phase("softmax"), model).classifier
    assert head.weight.shape == (3, 3 * 32)  # of u, v and |u - v|
    assert trainer._loss(phase("ranking", scale=7.0), model).scale == 7.0


def test_regression_raises_spearman_on_pairs_that_were_not_seen(start, tmp_path):
    trained = train_phase(start, phase("cosine", epochs=4.0), tmp_path / "after")
    held = scored(1000, 100)
    gold = np.array([record.score for record in held])

    def agreement(folder):
        encoder = load_encoder(folder)
        a, b = (encoder.encode([record[side] for record in held]) for side in (0, 1))
        return spearman((a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1), gold)

    assert agreement(tmp_path / "after") > agreement(start) + 0.1
    assert trained.steps == 4 * 13  # 200 rows in batches of 16
    assert trained.losses[-1][1] < trained.losses[0][1]


def test_softmax_learns_the_labels(start, tmp_path):
    trained = train_phase(start, phase("softmax", epochs=8.0), tmp_path / "after")
    assert trained.losses[0][1] == pytest.approx(np.log(3), abs=0.3)
    assert trained.losses[-1][1] < 0.8 * trained.losses[0][1]


def test_ranking_brings_what_is_entailed_nearer_than_what_contradicts(start, tmp_path):
    train_phase(start, phase("ranking", epochs=6.0), tmp_path / "after")

    def wins(folder):
        """Share of triplets whose entailed sentence is nearer."""
        encoder, rows = load_encoder(folder), entailed(records())["triplets"]
        anchor, positive, negative = (
            encoder.encode(rows[name]) for name in ("anchor", "positive", "negative")
        )
        return float(((anchor * positive).sum(axis=1) > (anchor * negative).sum(axis=1)).mean())

    assert wins(tmp_path / "after") > wins(start) + 0.1


def test_only_rows_in_use_change_and_the_folder_has_no_pickle(either, tmp_path):
    train_phase(either, phase("cosine"), tmp_path / "after")
    before, after = (
        load_encoder(folder).model.backbone.get_input_embeddings().weight.detach()
        for folder in (either, tmp_path / "after")
    )
    assert before.shape == after.shape
    tokenizer = load_encoder(either).tokenizer
    used = np.unique(
        np.append(tokenizer([text for row in scored() for text in row[:2]]).ids, tokenizer.pad_id)
    )
    others = np.setdiff1d(np.arange(len(before)), used)
    assert len(others) > 20
    assert torch.equal(before[others], after[others])
    assert not torch.equal(before[used], after[used])
    endings = {path.suffix for path in (tmp_path / "after").rglob("*") if path.is_file()}
    assert endings <= {".json", ".safetensors", ".txt"}


def test_the_rows_in_use_give_the_losses_that_all_rows_give(either, tmp_path, monkeypatch):
    """Cutting the vocabulary changes nothing that is learned."""
    from contextlib import nullcontext

    from isoglot.objective.siamese import rows_in_use

    cut = train_phase(either, phase("cosine"), tmp_path / "cut")
    monkeypatch.setattr(rows_in_use, "rows_in_use", lambda *_: nullcontext())
    whole = train_phase(either, phase("cosine"), tmp_path / "whole")
    assert [loss for _, loss in cut.losses] == pytest.approx([loss for _, loss in whole.losses], rel=1e-3)


def test_columns_of_other_lengths_are_padded_with_an_id_that_no_text_has(start, tmp_path):
    """The trainer pads the columns of a triplet with 0, whatever the tokenizer pads with."""
    import shutil

    folder = shutil.copytree(start, tmp_path / "other")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    words = tokenizer["model"]["vocab"]
    words["[PAD]"], words["zyadot"] = words["zyadot"], words["[PAD]"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    texts = [tiny.sentence(number * 11) for number in range(32)]
    columns = {
        "anchor": texts,
        "positive": [text.split()[2] for text in texts],
        "negative": [" ".join(text.split()[1:]) for text in texts],
    }
    trained = train_phase(folder, phase("ranking", tables={"triplets": columns}), tmp_path / "after")
    assert trained.steps == 2


def test_premises_with_and_without_contradictions_are_learned_together(start, tmp_path):
    """Two tables: batches are of one of them, and every row is learned."""
    rows = [row for number, row in enumerate(records()) if number % 6 != 1]
    tables = entailed(rows)
    assert {name: len(table["anchor"]) for name, table in tables.items()} == {"triplets": 40, "pairs": 40}
    trained = train_phase(start, phase("ranking", tables=tables), tmp_path / "after")
    assert trained.steps == 3 + 3


def test_one_of_several_devices_computes(start, tmp_path):
    """With all of them a batch would have so many times the rows that the recipe says."""
    from sentence_transformers import SentenceTransformer

    from isoglot.objective.siamese.report import make_trainer
    from isoglot.progress import SILENT

    model, asked = SentenceTransformer(str(start), device="cpu"), phase("cosine")
    arguments = trainer._arguments(asked, model, "", tmp_path)
    arguments._n_gpu = 2  # what it finds where there are two
    parts = {"model": model, "args": arguments, "train_dataset": trainer._datasets(asked.tables)}
    with SILENT.task("training", 1, "steps") as task:
        made, _ = make_trainer(task, {**parts, "loss": trainer._loss(asked, model)})
    assert made.get_train_dataloader().batch_sampler.batch_size == asked.batch
    assert made.args.train_batch_size == asked.batch


def test_the_same_phase_gives_the_same_weights_and_another_seed_others(start, tmp_path):
    def weights(name, seed):
        train_phase(start, phase("softmax", seed=seed), tmp_path / name)
        return hashlib.sha256((tmp_path / name / "model.safetensors").read_bytes()).hexdigest()

    assert weights("one", 0) == weights("two", 0)
    assert weights("three", 1) != weights("one", 0)


def test_the_arithmetic_is_the_one_asked_for(start, tmp_path):
    """bf16 rounds, and the losses show it; that they are not far off shows that nothing else is different."""
    losses = {
        precision: train_phase(start, phase("cosine", precision=precision), tmp_path / precision).losses
        for precision in ("fp32", "bf16")
    }
    first, other = (np.array([loss for _, loss in losses[precision]]) for precision in ("fp32", "bf16"))
    assert (first != other).any()
    assert np.abs(first - other).max() < 0.02


def test_progress_counts_every_step(start, tmp_path):
    class Counting:
        def __init__(self):
            self.steps, self.notes = 0, []

        def task(self, label, total, unit):
            from contextlib import nullcontext

            return nullcontext(self)

        def advance(self, amount=1.0):
            self.steps += amount

        def note(self, text):
            self.notes.append(text)

    progress = Counting()
    trained = train_phase(start, phase("cosine"), tmp_path / "after", progress)
    assert progress.steps == trained.steps == 13
    assert progress.notes[0].startswith("loss ")


def test_nothing_is_printed_and_no_server_is_asked(start, tmp_path, capsys, monkeypatch):
    import socket

    def refuse(*_, **__):
        raise AssertionError("a server was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    train_phase(start, phase("cosine"), tmp_path / "after")
    assert capsys.readouterr().out == ""


def test_a_prompt_of_the_folder_is_put_before_every_sentence(start, tmp_path):
    """The trainer itself adds none unless it is told."""
    import shutil

    prompted = shutil.copytree(start, tmp_path / "prompted")
    config = {"prompts": {"isoglot": "the green "}, "default_prompt_name": "isoglot"}
    (prompted / "config_sentence_transformers.json").write_text(json.dumps(config))
    with_prompt = train_phase(prompted, phase("cosine"), tmp_path / "one")
    without = train_phase(start, phase("cosine"), tmp_path / "two")
    assert with_prompt.losses[0][1] != pytest.approx(without.losses[0][1], rel=1e-3)
    assert load_encoder(tmp_path / "one").model.shape.prompt == "the green "


def test_a_rate_that_breaks_the_weights_is_an_error(start, tmp_path):
    with pytest.raises(IsoglotError, match="no numbers"):
        train_phase(start, phase("cosine", learning_rate=1e38, warmup=0.0), tmp_path / "after")


def test_fewer_rows_than_a_batch_are_refused(start, tmp_path):
    with pytest.raises(RequestError, match="200 rows"):
        train_phase(start, phase("cosine", batch=201), tmp_path / "after")


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "accelerate" else find(name)
    )
    with pytest.raises(RequestError, match=r"package accelerate\. Run: pip install 'isoglot\[siamese\]'"):
        trainer.require_trainer()
