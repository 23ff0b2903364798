"""Recipes: a TOML file becomes frozen models, once, at the border; an unknown key is an error.

Every option of every stage stands here with its default and its meaning. The resolved recipe is saved with
the run.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from isoglot.errors import RequestError

M = TypeVar("M", bound=BaseModel)


class Section(BaseModel):
    """A frozen part of a recipe; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class TeacherConfig(Section):
    """Which encoder owns the space."""

    model: str = Field(description="folder, hub id or package:NAME of a sentence encoder")
    chunk_rows: int = Field(1024, ge=1, description="sentences per chunk of the store, the unit of resume")


class StudentConfig(Section):
    """Which encoder learns the space."""

    model: str = Field(description="folder, hub id or package:NAME of a Hugging Face encoder")
    pooling: tuple[Literal["mean", "cls", "max"], ...] = Field(
        ("cls", "max", "mean"),
        description="pooled features of the last layer, concatenated",
        min_length=1,
    )
    prompt: str | None = Field(
        None, description="text put before every sentence; unset: the folder's own default"
    )
    max_tokens: int = Field(128, ge=8, description="longer sentences are cut after this many tokens")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="arithmetic of training; auto: bf16 where the processor has it"
    )


class CorpusConfig(Section):
    """Which parallel text is read, what is dropped, and how it is split."""

    sources: tuple[str, ...] = Field((), description="paths and URIs of parallel text")
    languages: tuple[str, ...] = Field((), description="target languages to keep; empty: all")
    source_lang: str = Field("en", description="the teacher's language")
    min_chars: int = Field(2, ge=1, description="shorter sides are dropped")
    max_chars: int = Field(1000, ge=1, description="longer sides are dropped")
    max_length_ratio: float = Field(4.0, gt=1, description="longer side over shorter side, script-aware")
    max_untranslated: float = Field(
        0.8,
        gt=0,
        le=1,
        description="drop rows whose two sides are at least this similar (1: only identical sides)",
    )
    drop_placeholders: bool = Field(True, description="drop rows with a {placeholder} on either side")
    max_sources: int | None = Field(
        None, ge=1, description="keep so many source sentences, a random sample over all splits; unset: all"
    )
    dev_percent: float = Field(5.0, ge=0, lt=50, description="share of source sentences in the dev split")
    test_percent: float = Field(5.0, ge=0, lt=50, description="share of source sentences in the test split")

    @model_validator(mode="after")
    def _some_length(self) -> CorpusConfig:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars {self.min_chars} is above max_chars {self.max_chars}")
        return self


class WarmStartConfig(Section):
    """The closed-form start: ridge regression from frozen student features to teacher vectors."""

    sentences: int = Field(
        10_000, ge=0, description="sentences encoded once by the frozen student; 0: no warm start"
    )
    ridge: float = Field(1e-3, gt=0, description="ridge strength relative to the mean feature variance")
    head_steps: int = Field(
        0, ge=0, description="steps of training a small head on the cached features; 0: none"
    )
    head_width: int = Field(1536, ge=1, description="hidden units of that head beside the ridge path")
    head_contrast: float = Field(
        1.0, ge=0, description="weight of the head's in-batch contrast against teacher vectors"
    )


class TrainConfig(Section):
    """The distillation loop."""

    minutes: float | None = Field(
        None, gt=0, description="stop after this long; the speed of the first steps fixes it"
    )
    epochs: float | None = Field(
        None, ge=0, description="passes over the groups, instead of minutes; 0: the warm start only"
    )
    batch_tokens: int = Field(1024, ge=16, description="tokens per batch, padding included")
    learning_rate: float = Field(5e-5, gt=0, description="peak learning rate of AdamW")
    head_learning_rate: float = Field(
        1e-6, gt=0, description="the same for the Dense layers, which start where they should be"
    )
    weight_decay: float = Field(0.01, ge=0, description="AdamW's decoupled weight decay")
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    temperature: float = Field(
        0.5, ge=0, le=1, description="language sampling exponent: 1 by size, 0 all equal"
    )
    targets_per_group: int = Field(3, ge=1, description="translations drawn per source sentence and visit")
    contrast: float = Field(
        0.2,
        ge=0,
        description="weight of telling the own teacher vector from the batch's others; 0: the paper's loss",
    )
    source_term: bool = Field(True, description="also pull the source sentence to its teacher vector")
    evaluations: int = Field(6, ge=1, description="how often the dev split is scored during the run")

    @model_validator(mode="after")
    def _one_horizon(self) -> TrainConfig:
        if self.minutes is not None and self.epochs is not None:
            raise ValueError("minutes and epochs exclude each other")
        return self


class EvaluateConfig(Section):
    """Scores on held-out sentences."""

    pool: int = Field(1000, ge=2, description="distinct English texts that every language is searched in")
    queries: int = Field(300, ge=1, description="at most so many test sentences per language")
    dev_queries: int = Field(60, ge=1, description="the same for the dev split during training")


class Recipe(Section):
    """Everything a run needs to know."""

    name: str
    seed: int = 0
    teacher: TeacherConfig
    student: StudentConfig
    corpus: CorpusConfig = CorpusConfig()
    warm_start: WarmStartConfig = WarmStartConfig()
    train: TrainConfig = TrainConfig()
    evaluate: EvaluateConfig = EvaluateConfig()


def shipped_recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = resources.files("isoglot") / "recipes"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a shipped recipe by name, or a TOML file by path, and apply `--set` overrides.

    Args:
        name_or_path: one of `shipped_recipes()`, or the path of a TOML file.
        overrides: `section.key=value` texts, the value in TOML (a bare word is taken as text).

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
    return parse_recipe(raw, origin)


def parse_recipe(raw: Mapping[str, Any], origin: str) -> Recipe:
    """Validate a recipe given as nested mappings; `origin` names it in errors.

    Raises:
        RequestError: one sentence per key that is wrong.
    """
    return _validated(Recipe, raw, origin)


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
    return _validated(CorpusConfig, values, "corpus options")


def _validated(model: type[M], raw: Mapping[str, Any], origin: str) -> M:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(_explain(item, model) for item in error.errors())
        raise RequestError(f"{origin}: {problems}.", "Mend the recipe or the option.") from error


def distil_recipe(
    teacher: str,
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
        "teacher": {"model": teacher},
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
        return path.read_text("utf-8"), str(path)
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
