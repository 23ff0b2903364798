"""Recipes become frozen models once; whatever is wrong is named in the user's own words."""

import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from isoglot.config import Recipe
from isoglot.errors import RequestError
from isoglot.recipe import load_recipe, parse_corpus, parse_recipe, shipped_recipes

SMALLEST = {"name": "x", "teacher": {"model": "a"}, "student": {"model": "b"}}


def recipe_file(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return str(path)


@pytest.fixture
def smallest(tmp_path):
    return recipe_file(tmp_path, 'name = "x"\n[teacher]\nmodel = "a"\n[student]\nmodel = "b"\n')


def test_defaults_are_valid_and_survive_json():
    recipe = parse_recipe(SMALLEST, "x")
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert recipe.train.minutes is None and recipe.train.epochs is None


def test_every_option_says_what_it_does():
    waiting: list[type[BaseModel]] = [Recipe]
    while waiting:
        section = waiting.pop()
        for name, field in section.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                waiting.append(field.annotation)
            elif section is not Recipe:
                assert field.description, f"{section.__name__}.{name}"


def test_every_shipped_recipe_is_valid():
    assert "demo" in shipped_recipes()
    for name in shipped_recipes():
        assert load_recipe(name).name == name


@pytest.mark.parametrize(
    ("override", "near"),
    [
        ("train.minuts=2", "unknown key train.minuts (did you mean train.minutes?)"),
        ("teachr.model=x", "unknown key teachr (did you mean teacher?)"),
        ("warm_start.rigde=1", "unknown key warm_start.rigde (did you mean warm_start.ridge?)"),
    ],
)
def test_an_unknown_key_names_the_nearest(smallest, override, near):
    with pytest.raises(RequestError) as caught:
        load_recipe(smallest, [override])
    assert near in caught.value.problem


def test_set_overrides_the_file(smallest):
    recipe = load_recipe(
        smallest, ["train.minutes=2", 'corpus.languages=["no","de"]', "teacher.model=no", "seed=7"]
    )
    assert recipe.train.minutes == 2.0
    assert recipe.corpus.languages == ("no", "de")  # Norwegian, not False
    assert recipe.teacher.model == "no"
    assert recipe.seed == 7


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.minutes=soon", "train.minutes: Input should be a valid number"),
        ("train.minutes=-1", "train.minutes: Input should be greater than 0"),
        ("train.clip=inf", "train.clip: Input should be a finite number"),
        ("student.precision=fp8", "student.precision: Input should be 'auto', 'fp32' or 'bf16'"),
        ("corpus.clean.min_chars=2000", "corpus.clean: min_chars 2000 is above max_chars 1000"),
        ("teacher.model=true", "teacher.model: Input should be a valid string"),
        ("train.minutes", "is not of the form section.key=value"),
        ("=3", "is not of the form section.key=value"),
        ("name.first=3", "name is a value, not a section"),
        ("seed=-1", "seed: Input should be greater than or equal to 0"),
        ("seed=20261123050500", "seed: Input should be less than 4294967296"),
        ("student.dims=384", "student.dims: Input should be a valid tuple"),
        ("student.dims={a=1}", "student.dims: Input should be a valid tuple"),
        ("student.kind=[1]", "student.kind: Input should be 'transformer', 'static' or 'lstm'"),
    ],
)
def test_a_bad_value_names_its_option(smallest, override, said):
    with pytest.raises(RequestError) as caught:
        load_recipe(smallest, [override])
    assert said in caught.value.problem


def test_minutes_and_epochs_exclude_each_other(smallest):
    with pytest.raises(RequestError, match="train: minutes and epochs exclude each other"):
        load_recipe(smallest, ["train.minutes=1", "train.epochs=1"])


@pytest.mark.parametrize(("named", "other"), [("minutes", "epochs"), ("epochs", "minutes")])
def test_a_horizon_takes_the_place_of_the_other_one_of_the_file(smallest, named, other):
    with Path(smallest).open("a") as file:
        file.write(f"\n[train]\n{other} = 3\n")
    train = load_recipe(smallest, [f"train.{named}=2"]).train
    assert (getattr(train, named), getattr(train, other)) == (2, None)
    assert getattr(load_recipe(smallest).train, other) == 3


def test_every_problem_is_told_at_once(smallest):
    with pytest.raises(RequestError) as caught:
        load_recipe(smallest, ["train.clip=0", "corpus.min_chars=0"])
    assert "train.clip" in caught.value.problem and "corpus.min_chars" in caught.value.problem


def test_a_missing_section_is_named(tmp_path):
    with pytest.raises(RequestError, match="teacher: Field required"):
        load_recipe(recipe_file(tmp_path, 'name = "x"\n[student]\nmodel = "b"'))


def test_broken_toml_names_the_file_and_the_line(tmp_path):
    path = recipe_file(tmp_path, 'name = "x"\n[teacher\n')
    with pytest.raises(RequestError) as caught:
        load_recipe(path)
    assert path in caught.value.problem and "line 2" in caught.value.problem


def test_a_file_of_another_editor_is_read(tmp_path):
    path = tmp_path / "recipe.toml"
    text = 'name = "x"\n[teacher]\nmodel = "a"\n[student]\nmodel = "b"\n'
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_recipe(str(path)) == parse_recipe(tomllib.loads(text), "x")


def test_what_a_student_that_learns_on_has_not_is_refused(smallest):
    recipe = load_recipe(smallest, ["student.further=true", "student.kind=lstm"])
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    with pytest.raises(RequestError, match=r"warm_start says nothing where student\.further is set"):
        load_recipe(smallest, ["student.further=true", "warm_start.ridge=0.1"])


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RequestError, match="not UTF-8"):
        load_recipe(str(path))


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(RequestError, match="There is no recipe 'dmo'") as caught:
        load_recipe("dmo")
    assert "demo" in caught.value.next_step


def test_a_recipe_cannot_be_changed():
    recipe = parse_recipe(SMALLEST, "x")
    with pytest.raises(ValidationError):
        recipe.train.clip = 2.0


def test_the_file_is_plain_toml(smallest):
    raw = tomllib.loads(Path(smallest).read_text())
    assert parse_recipe(raw, smallest) == load_recipe(smallest)


def test_a_corpus_section_alone_follows_the_same_rules():
    section = parse_corpus({"sources": ["a.tsv"]}, ["clean.max_chars=50"])
    assert (section.sources, section.clean.max_chars) == (("a.tsv",), 50)
    with pytest.raises(RequestError, match=r"unknown key clean.max_char \(did you mean clean.max_chars\?\)"):
        parse_corpus({"sources": ["a.tsv"]}, ["clean.max_char=50"])
