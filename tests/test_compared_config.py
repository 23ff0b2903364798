"""A recipe with a section objective has no teacher, and says so of everything that would need one."""

import pytest
from pydantic import BaseModel

import compared
from isoglot.compared_config import ComparedRecipe
from isoglot.config import Recipe
from isoglot.errors import RequestError
from isoglot.recipe import load_distillation, load_recipe


@pytest.fixture
def recipe(tmp_path):
    return str(compared.write_recipe(tmp_path / "r.toml", "none", tmp_path, tmp_path / "pairs.tsv"))


def test_the_section_decides_which_kind_of_recipe_it_is(recipe):
    loaded = load_recipe(recipe)
    assert isinstance(loaded, ComparedRecipe)
    assert loaded.objective.kind == "none" and loaded.student.pooling == ("mean",)
    assert isinstance(load_recipe("demo"), Recipe)
    assert ComparedRecipe.model_validate_json(loaded.model_dump_json()) == loaded


def test_every_option_says_what_it_does():
    waiting: list[type[BaseModel]] = [ComparedRecipe]
    while waiting:
        section = waiting.pop()
        for name, field in section.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                waiting.append(field.annotation)
            elif section is not ComparedRecipe:
                assert field.description, f"{section.__name__}.{name}"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("teacher.model=x", "a recipe with the section objective has no teacher: its student learns from"),
        ("warm_start.ridge=1", "has no warm_start: Dense layers are fitted to a teacher's vectors"),
        ("objective.kind=rankin", "objective.kind: Input should be 'none', 'ranking'"),
        ("objective.rankng.margin=1", "unknown key objective.rankng (did you mean objective.ranking?)"),
        ("student.randm=true", "unknown key student.randm (did you mean student.random?)"),
        ("objective.ranking.margin=1.5", "objective.ranking says nothing where objective.kind is none"),
        ("train.epochs=1", "train says nothing where objective.kind is none: nothing is trained"),
        ("student.further=true", "student.further needs a teacher's space"),
        ("student.dims=[4,2]", "student.dims needs a teacher's space"),
        ("student.model=", "student.model is missing"),
        ("corpus.sources=[]", "corpus says nothing without corpus.sources"),
    ],
)
def test_what_cannot_be_is_refused(recipe, setting, said):
    with pytest.raises(RequestError) as caught:
        load_recipe(recipe, [setting])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "key", ["contrast=1", "cosine=1", "paragraphs=0.1", "source_term=false", "batch_sentences=128"]
)
def test_options_of_distillation_are_refused(recipe, key):
    with pytest.raises(RequestError, match=r"is of distillation, and this recipe has no teacher"):
        load_recipe(recipe, ["objective.kind=ranking", f"train.{key}"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["kind=translation", "translation.vocabulary=800"], r"where student\.model brings its tokenizer"),
        (["kind=ranking", "ranking.hard_negatives=0", "ranking.preliminary=0.2"], "there is one training"),
    ],
)
def test_options_of_an_objective_without_effect_are_refused(recipe, settings, said):
    with pytest.raises(RequestError, match=said):
        load_recipe(recipe, [f"objective.{setting}" for setting in settings])


def test_siamese_training_is_not_of_an_lstm(recipe):
    settings = ["objective.kind=siamese", "objective.siamese.sts=stsb"]
    assert load_recipe(recipe, [*settings, "student.kind=static"])
    with pytest.raises(RequestError, match="lstm"):
        load_recipe(recipe, [*settings, "student.kind=lstm"])


def test_random_weights_are_those_of_a_transformer(recipe):
    assert load_recipe(recipe, ["student.random=true"]).student.random
    with pytest.raises(RequestError, match=r"student\.rows = random"):
        load_recipe(recipe, ["student.random=true", "student.kind=lstm"])


def test_only_translation_needs_no_encoder_to_start_from(recipe):
    settings = ["objective.kind=translation", "student.kind=lstm", "student.model="]
    loaded = load_recipe(recipe, settings)
    assert loaded.student.pooling == ("max",) and loaded.train.learning_rate == pytest.approx(1e-3)
    with pytest.raises(RequestError, match=r"corpus\.sources is missing"):
        load_recipe(recipe, [*settings, "corpus={}"])


def test_the_recipes_without_training_differ_in_their_start_alone():
    random, untouched, language_model = map(load_recipe, ("random", "untouched", "mean-pooling"))
    assert random.student.random and not untouched.student.random and not language_model.student.random
    assert random.student.model == untouched.student.model == load_recipe("demo").student.model
    for one in (random, untouched, language_model):
        assert one.objective.kind == "none" and one.student.pooling == ("mean",)
        assert one.corpus == load_recipe("demo").corpus and one.evaluate == load_recipe("demo").evaluate


def test_what_only_a_distillation_has_refuses_others(recipe):
    with pytest.raises(RequestError, match=r"has the objective none and no teacher"):
        load_distillation(recipe)
    assert load_distillation("demo").teacher.model
