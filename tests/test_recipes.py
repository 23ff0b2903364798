"""The recipes that come with the package: what they ask for, and that each runs on small local data and models."""

import json

import pytest

import tiny
from command import isoglot
from isoglot.artefact import verify
from isoglot.corpus.languages import parse
from isoglot.recipe import load_recipe, shipped_recipes

OF_DISTILLATION = ("paper", "distiluse-15", "multilingual-50", "four-hundred")
# the lists as they are published, English among them
FIFTEEN = "ar zh-Hans zh-Hant nl en de fr it pt es ko pl ru th tr"
FIFTY = (
    "ar bg ca cs da de el en es et fa fi fr fr-CA gl gu he hi hr hu hy id it ja ka ko ku lt lv mk mn mr ms my nb nl pl"
    " pt pt-BR ro ru sk sl sq sr sv th tr uk ur vi zh-Hans zh-Hant"
)


def languages(name):
    """Target languages and the source language."""
    corpus = load_recipe(name).corpus
    return [*corpus.languages, corpus.source_lang]


@pytest.mark.parametrize("name", OF_DISTILLATION)
def test_languages_are_canonical_and_stand_once(name):
    found = languages(name)
    assert [parse(code) for code in found] == found
    assert len(set(found)) == len(found)


def test_fifteen_languages_with_english():
    assert sorted(languages("distiluse-15")) == sorted(FIFTEEN.split())
    assert len(FIFTEEN.split()) == 15


def test_fifty_languages_are_53_tags_of_50_languages_with_english():
    assert sorted(languages("multilingual-50")) == sorted(FIFTY.split())
    assert len(FIFTY.split()) == 53
    assert len({tag.split("-")[0] for tag in FIFTY.split()}) == 50


def test_four_hundred_names_no_language_and_asks_the_servers_for_all():
    corpus = load_recipe("four-hundred").corpus
    assert corpus.languages == ()
    assert "tatoeba:eng-*" in corpus.sources
    assert all(source.endswith("-*") for source in corpus.sources)


def test_the_paper_is_as_published():
    recipe = load_recipe("paper")
    assert recipe.student.pooling == ("mean",)
    assert recipe.warm_start.sentences == recipe.warm_start.head_steps == 0
    train = recipe.train
    assert (train.epochs, train.batch_sentences, train.learning_rate, train.warmup) == (
        20,
        2 * 64,
        2e-5,
        10_000,
    )
    assert (train.contrast, train.cosine, train.source_term, train.temperature) == (0, 0, True, 1)
    assert train.targets_per_group >= len(recipe.corpus.languages)
    assert recipe.evaluate.dev_queries == 1000


@pytest.mark.parametrize(
    ("name", "loss", "batch"), [("sbert", "softmax", 16), ("sbert-ranking", "ranking", 64)]
)
def test_sbert_is_as_published(name, loss, batch):
    recipe = load_recipe(name)
    siamese = recipe.objective.siamese
    assert (recipe.objective.kind, siamese.loss, siamese.batch) == ("siamese", loss, batch)
    assert (siamese.epochs, siamese.sts_epochs, siamese.sts_batch) == (1, 4, 16)
    assert (siamese.learning_rate, siamese.warmup) == (2e-5, 0.1)
    assert recipe.student.pooling == ("mean",)


def test_every_recipe_stands_on_the_page_of_recipes():
    from pathlib import Path

    page = (Path(__file__).parent.parent / "docs" / "recipes.md").read_text("utf-8")
    assert [name for name in shipped_recipes() if f"`{name}`" not in page] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_DISTILLATION)
def test_a_recipe_runs_on_local_data_and_models(name, tiny_folder, tmp_path):
    settings = [
        f"teacher.model={tiny_folder / 'teacher'}", f"student.model={tiny_folder / 'student'}",
        f"corpus.sources=['{tiny.write_pairs(tmp_path / 'pairs.tsv', languages=('de', 'fr', 'tr'))}']",
        "corpus.clean.max_untranslated=1.0", "corpus.dev_percent=10", "corpus.test_percent=10",
        "student.max_tokens=32", "train.epochs=1", "train.evaluations=2", "evaluate.pool=40",
    ]  # fmt: skip
    changes = [part for setting in settings for part in ("--set", setting)]
    process = isoglot("run", name, "--out", "run", "--json", *changes, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    student = tmp_path / "run" / "student"
    assert json.loads(process.stdout)["student"].endswith("student")
    assert verify(student) == []
    card = json.loads((student / "isoglot.json").read_text())
    assert card["languages"] == ["de", "fr", "tr"]
    assert card["steps"] > 0
