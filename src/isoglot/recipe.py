"""Recipes: a TOML file, `--set` texts or command-line options become the frozen models of `isoglot.config`.

A recipe with a section `objective` has no teacher and becomes a `ComparedRecipe`, any other one a `Recipe`.

An unknown key is an error that names the nearest known one.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from isoglot.compared_config import ComparedRecipe
from isoglot.config import CorpusConfig, Recipe, TeacherConfig
from isoglot.errors import RequestError

M = TypeVar("M", bound=BaseModel)


def shipped_recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = resources.files("isoglot") / "recipes"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe | ComparedRecipe:
    """Read a shipped recipe by name, or a TOML file by path, and apply `--set` overrides.

    Args:
        name_or_path: one of `shipped_recipes()`, or the path of a TOML file.
        overrides: `section.key=value` texts, the value in TOML (a bare word is taken as text); train.minutes takes the
            place of the file's train.epochs, and the other way round.

    Raises:
        RequestError: no such recipe, broken TOML, an unknown key (naming the nearest one) or a bad value.
    """
    text, origin = _recipe_text(name_or_path)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{origin} is not valid TOML: {error}.", "Mend that line.") from error
    for override in overrides:
        _apply(raw, override)
    _replace_horizon(raw, overrides)
    return parse_options(ComparedRecipe, raw, origin) if "objective" in raw else parse_recipe(raw, origin)


def load_distillation(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe as `load_recipe` does, for what only distillation can have.

    Raises:
        RequestError: as there; or the recipe has no teacher.
    """
    recipe = load_recipe(name_or_path, overrides)
    if isinstance(recipe, ComparedRecipe):
        raise RequestError(
            f"{name_or_path} has the objective {recipe.objective.kind} and no teacher.",
            "Only isoglot run takes such a recipe; here give one with a section teacher.",
        )
    return recipe


def parse_recipe(raw: Mapping[str, Any], origin: str) -> Recipe:
    """Validate a recipe given as nested mappings; `origin` names it in errors.

    Raises:
        RequestError: one sentence per key that is wrong.
    """
    return parse_options(Recipe, raw, origin)


def parse_corpus(raw: Mapping[str, Any], overrides: Sequence[str] = ()) -> CorpusConfig:
    """Validate the options of the corpus stage alone, as the command line gives them.

    Args:
        raw: fields of `CorpusConfig`.
        overrides: `key=value` texts of further fields, the value in TOML.

    Raises:
        RequestError: one sentence per key that is wrong.
    """
    values = dict(raw)
    for override in overrides:
        _apply(values, override)
    return parse_options(CorpusConfig, values, "corpus options")


def with_overrides(raw: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Apply `section.key=value` texts to a recipe given as nested mappings.

    Raises:
        RequestError: one of them has another form.
    """
    values = dict(raw)
    for override in overrides:
        _apply(values, override)
    return values


def parse_options(model: type[M], values: Mapping[str, Any], origin: str) -> M:
    """Validate a recipe, or one section of it as the command line gives it.

    Args:
        model: the recipe's model, or a section's.
        values: its fields.
        origin: names the options in errors.

    Raises:
        RequestError: one sentence per field that is wrong.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_explain(item, model) for item in error.errors())
        raise RequestError(f"{origin}: {problems}.", "Mend the recipe or the option.") from error


def parse_teacher(models: Sequence[str], overrides: Sequence[str] = ()) -> TeacherConfig:
    """Validate the options of the teacher alone, as the command line gives them.

    Args:
        models: one model, or several whose spaces stand side by side.
        overrides: `key=value` texts of further fields, the value in TOML.

    Raises:
        RequestError: one sentence per key that is wrong.
    """
    values: dict[str, Any] = {"model": models[0] if len(models) == 1 else list(models)}
    for override in overrides:
        _apply(values, override)
    return parse_options(TeacherConfig, values, "teacher options")


def distil_recipe(
    teacher: str | Sequence[str],
    student: str,
    sources: Sequence[str],
    minutes: float | None,
    epochs: float | None,
    overrides: Sequence[str] = (),
) -> Recipe:
    """Make the recipe of a run that is given by options instead of a file.

    Raises:
        RequestError: no sources, or a wrong value.
    """
    if not sources:
        raise RequestError(
            "No parallel text was given.", "Name at least one source or a corpus folder with --corpus."
        )
    raw: dict[str, Any] = {
        "name": "distil",
        "teacher": {"model": teacher if isinstance(teacher, str) or len(teacher) > 1 else teacher[0]},
        "student": {"model": student},
        "corpus": {"sources": list(sources)},
        "train": {"minutes": minutes, "epochs": epochs},
    }
    for override in overrides:
        _apply(raw, override)
    return parse_recipe(raw, "options")


def _recipe_text(name_or_path: str) -> tuple[str, str]:
    shipped = shipped_recipes()
    if name_or_path in shipped:
        resource = resources.files("isoglot") / "recipes" / f"{name_or_path}.toml"
        return resource.read_text("utf-8"), f"recipe {name_or_path}"
    path = Path(name_or_path)
    if not path.is_file():
        raise RequestError(
            f"There is no recipe {name_or_path!r}.",
            f"Give the path of a TOML file, or one of: {', '.join(shipped)}.",
        )
    try:
        return path.read_text("utf-8-sig"), str(path)  # some editors put a mark before UTF-8
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is not UTF-8 text.", "Give a TOML file.") from error


def _apply(raw: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    if not separator or not key:
        raise RequestError(
            f"--set {override!r} is not of the form section.key=value.", "For example train.minutes=2."
        )
    *sections, last = key.split(".")
    inner = raw
    for section in sections:
        inner = inner.setdefault(section, {})
        if not isinstance(inner, dict):
            raise RequestError(f"--set {override!r}: {section} is a value, not a section.")
    inner[last] = _toml_value(value)


def _replace_horizon(raw: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Take the file's epochs away where an override names minutes, and the other way round: they exclude each other."""
    named = {override.partition("=")[0] for override in overrides} & {"train.minutes", "train.epochs"}
    if len(named) == 1:
        raw["train"].pop("epochs" if named == {"train.minutes"} else "minutes", None)


def _toml_value(text: str) -> Any:  # noqa: ANN401  a TOML value has any type; pydantic checks it next
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _explain(item: Any, model: type[BaseModel]) -> str:  # noqa: ANN401  pydantic's error records are untyped
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] != "extra_forbidden":
        return f"{where or 'recipe'}: {item['msg'].removeprefix('Value error, ')}"
    known = _known_keys(model, item["loc"][:-1])
    near = difflib.get_close_matches(str(item["loc"][-1]), known, n=1, cutoff=0)
    if not near:
        return f"unknown key {where}"
    return f"unknown key {where} (did you mean {'.'.join([*map(str, item['loc'][:-1]), near[0]])}?)"


def _known_keys(model: type[BaseModel], sections: Sequence[Any]) -> list[str]:
    for section in sections:
        annotation = model.model_fields[str(section)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
