"""A recipe without a teacher: one of the systems that the paper compares, on the same text and in the same loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from isoglot.config import AnyRecipe, CorpusConfig, TrainConfig
from isoglot.objective_config import ObjectiveConfig, TranslationConfig
from isoglot.student_config import StudentConfig, suited

_OF_A_TEACHER = {
    "teacher": "its student learns from sentences alone: leave out the section, or the section objective",
    "warm_start": "Dense layers are fitted to a teacher's vectors, and there is no teacher",
}
_OF_DISTILLATION = (
    "contrast",
    "cosine",
    "source_term",
    "paragraphs",
    "head_learning_rate",
    "batch_sentences",
)
_WITHOUT_THE_LOOP = {
    "none": "nothing is trained",
    "siamese": "sentence-transformers trains, with what objective.siamese says",
}


class ComparedStudentConfig(StudentConfig):
    """The student of a recipe without a teacher."""

    model: str = Field(
        "",
        description="folder, hub id or package:NAME of a Hugging Face encoder; translation learns its own vocabulary"
        " where this is empty",
    )
    random: bool = Field(
        False,
        description="keep architecture and tokenizer of `model`, and draw its weights anew from the seed",
    )
    pooling: tuple[Literal["mean", "cls", "max"], ...] = Field(
        ("mean",), description="pooled features of the last layer, concatenated; lstm: max", min_length=1
    )

    @model_validator(mode="before")
    @classmethod
    def _without_a_teacher(cls, raw: Any) -> Any:  # noqa: ANN401  what pydantic was given, before it is checked
        for key in ("further", "dims"):
            if isinstance(raw, Mapping) and raw.get(key):
                raise ValueError(f"student.{key} needs a teacher's space, and this recipe has no teacher")
        return raw

    @model_validator(mode="after")
    def _random_weights_of_what(self) -> ComparedStudentConfig:
        if self.random and self.kind != "transformer":
            raise ValueError(
                f"student.random is for a transformer; for {self.kind} say student.rows = random"
            )
        if self.random and not self.model:
            raise ValueError("student.random needs student.model: whose architecture and tokenizer?")
        return self


class ComparedRecipe(AnyRecipe):
    """Everything that a run without a teacher needs to know."""

    objective: ObjectiveConfig
    student: ComparedStudentConfig = ComparedStudentConfig()

    @model_validator(mode="before")
    @classmethod
    def _no_teacher(cls, raw: Any) -> Any:  # noqa: ANN401  what pydantic was given, before it is checked
        for section, why in _OF_A_TEACHER.items():
            if isinstance(raw, Mapping) and section in raw:
                raise ValueError(f"a recipe with the section objective has no {section}: {why}")
        return raw

    @model_validator(mode="after")
    def _options_with_effect(self) -> ComparedRecipe:
        kind, untouched = self.objective.kind, _train_of(self.student.kind)
        if kind in _WITHOUT_THE_LOOP and self.train != untouched:
            raise ValueError(f"train says nothing where objective.kind is {kind}: {_WITHOUT_THE_LOOP[kind]}")
        for key in _OF_DISTILLATION:
            if getattr(self.train, key) != getattr(untouched, key):
                raise ValueError(f"train.{key} is of distillation, and this recipe has no teacher")
        if not self.student.model and kind != "translation":
            raise ValueError("student.model is missing: the encoder to start from")
        self._student_of_the_kind()
        if not self.corpus.sources and kind in ("ranking", "translation"):
            raise ValueError("corpus.sources is missing: the parallel text to learn from")
        if not self.corpus.sources and self.corpus != CorpusConfig():
            raise ValueError("corpus says nothing without corpus.sources")
        return self

    def _student_of_the_kind(self) -> None:
        if self.objective.kind == "siamese" and self.student.kind == "lstm":
            raise ValueError(
                "sentence-transformers' trainer fails on its own lstm: student.kind = static is one that it trains"
            )
        own = self.objective.translation.vocabulary
        if self.student.model and own != TranslationConfig.model_fields["vocabulary"].default:
            raise ValueError(
                "objective.translation.vocabulary says nothing where student.model brings its tokenizer"
            )


def _train_of(kind: str) -> TrainConfig:
    """The options of training that a kind of student has where a recipe says nothing."""
    return TrainConfig(**suited({"student": {"kind": kind}}).get("train", {}))
