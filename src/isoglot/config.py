"""Every option of every stage, with its default and its meaning: frozen models, checked once at the border.

`isoglot.recipe` reads them from TOML files and options. The resolved recipe is saved with the run.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


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


class CleanConfig(Section):
    """Which pairs are dropped before anything else; the defaults are mild."""

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

    @model_validator(mode="after")
    def _some_length(self) -> CleanConfig:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars {self.min_chars} is above max_chars {self.max_chars}")
        return self


class CorpusConfig(Section):
    """Which parallel text is read, what is dropped, and how it is split."""

    sources: tuple[str, ...] = Field((), description="paths and URIs of parallel text")
    languages: tuple[str, ...] = Field((), description="target languages to keep; empty: all")
    source_lang: str = Field("en", description="the teacher's language")
    clean: CleanConfig = CleanConfig()
    max_sources: int | None = Field(
        None, ge=1, description="keep so many source sentences, a random sample over all splits; unset: all"
    )
    dev_percent: float = Field(5.0, ge=0, lt=50, description="share of source sentences in the dev split")
    test_percent: float = Field(5.0, ge=0, lt=50, description="share of source sentences in the test split")


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
