"""Options of the student: the part of a recipe that says what it is, how it starts and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from isoglot.section import Section

_POOLING = {"static": ("mean",), "lstm": ("max",)}
# Options of one kind or two, and those that a finished student answers itself.
_OF_A_KIND = {
    "layers": ("transformer",),
    "rows": ("static", "lstm"),
    "lstm_width": ("lstm",),
    "lstm_layers": ("lstm",),
}
_OF_A_START = (*_OF_A_KIND, "pooling", "prompt", "max_tokens")
# Token vectors and LSTMs learn from small steps far too slowly, and their batches cost little.
_TRAIN = {
    "static": {"learning_rate": 2e-3, "batch_tokens": 8192},
    "lstm": {"learning_rate": 1e-3, "batch_tokens": 4096},
}


def suited(raw: Any) -> Any:  # noqa: ANN401  a recipe before it is checked
    """Fill in what a recipe leaves open as suits its student: training of its kind, the teacher's width for `dims`."""
    student = raw.get("student") if isinstance(raw, Mapping) else None
    if not isinstance(student, Mapping):
        return raw
    train, teacher = raw.get("train", {}), raw.get("teacher")
    kind, dims = str(student.get("kind")), student.get("dims")
    if kind in _TRAIN and isinstance(train, Mapping):
        raw = {**raw, "train": {**_TRAIN[kind], **train}}
    if isinstance(dims, list | tuple) and dims and isinstance(teacher, Mapping):
        raw = {**raw, "teacher": {"dimension": dims[0], **teacher}}
    return raw


class StudentConfig(Section):
    """Which encoder learns the space."""

    kind: Literal["transformer", "static", "lstm"] = Field(
        "transformer",
        description="transformer: the encoder of `model` itself; static: the mean of token vectors; lstm: a"
        " bidirectional LSTM over token vectors; both of these take tokenizer and first vectors from `model`",
    )
    model: str = Field(description="folder, hub id or package:NAME of a Hugging Face encoder")
    further: bool = Field(
        False,
        description="`model` is a finished student of the same teacher: it goes on from its own weights and Dense"
        " layers, with its own pooling, prompt and length, and there is no warm start",
    )
    layers: tuple[int, ...] = Field(
        (), description="numbers of the transformer's layers to keep, from 0; empty: all"
    )
    rows: Literal["inputs", "outputs", "random"] = Field(
        "inputs",
        description="token vectors that static and lstm start from: the input embeddings of `model`, what it makes of"
        " each token alone (better, but minutes of work), or random ones",
    )
    lstm_width: int = Field(512, ge=1, description="units of the LSTM in each direction")
    lstm_layers: int = Field(1, ge=1, description="LSTMs on one another")
    dims: tuple[int, ...] = Field(
        (),
        description="falling widths, such as 384,192,96, at which the front of a vector is a vector on its own; the"
        " teacher's space is turned to its principal axes for that, and cut to the first width. Empty: the whole alone",
    )
    pooling: tuple[Literal["mean", "cls", "max"], ...] = Field(
        ("cls", "max", "mean"),
        description="pooled features of the last layer, concatenated; static can only be mean, lstm is max by default",
        min_length=1,
    )
    prompt: str | None = Field(
        None, description="text put before every sentence; unset: the folder's own default"
    )
    max_tokens: int = Field(
        128, ge=8, description="longer sentences are cut after this many tokens; static reads all of them"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="arithmetic of training; auto: bf16 where the processor has it"
    )

    @model_validator(mode="before")
    @classmethod
    def _pooling_of_the_kind(cls, raw: Any) -> Any:  # noqa: ANN401  what pydantic was given, before it is checked
        kind = str(raw.get("kind")) if isinstance(raw, Mapping) else ""
        return {"pooling": _POOLING[kind], **raw} if kind in _POOLING else raw

    @model_validator(mode="after")
    def _options_of_the_kind(self) -> StudentConfig:
        if self.kind == "static" and self.pooling != ("mean",):
            raise ValueError("a static student is a mean: leave out pooling")
        if self.kind == "lstm" and "cls" in self.pooling:
            raise ValueError("an lstm has no token that stands for the sentence: pool with max and mean")
        for name, kinds in _OF_A_KIND.items():
            if self._says(name) and self.kind not in kinds:
                raise ValueError(f"{name} is of {' and '.join(kinds)}, and the student is {self.kind}")
        said = [name for name in _OF_A_START if self.further and self._says(name)]
        if said:
            raise ValueError(f"a student that learns on keeps its own {', '.join(said)}: leave that out")
        if any(a <= b for a, b in pairwise((*self.dims, 0))):
            raise ValueError(f"dims {self.dims} must fall, to 1 at the least")
        if any(a >= b for a, b in pairwise((-1, *self.layers))):
            raise ValueError(f"layers {self.layers} must rise, from 0")
        return self

    def _says(self, name: str) -> bool:
        """Whether an option is not what it is where a recipe is silent."""
        silent = type(self).model_fields[name].default
        return bool(getattr(self, name) != (_POOLING.get(self.kind, silent) if name == "pooling" else silent))


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
        None,
        ge=0,
        description="passes over the groups, instead of minutes; 0: the warm start only; neither is said: 1",
    )
    batch_tokens: int = Field(2048, ge=16, description="tokens per batch, padding included")
    batch_sentences: int | None = Field(
        None,
        ge=2,
        description="so many sentences per batch instead, a source beside its translations, whatever their lengths:"
        " slower, and as most papers count; 64 pairs are 128",
    )
    learning_rate: float = Field(7e-5, gt=0, description="peak learning rate of AdamW")
    head_learning_rate: float = Field(
        1e-6, gt=0, description="the same for the Dense layers, which start where they should be"
    )
    weight_decay: float = Field(0.01, ge=0, description="AdamW's decoupled weight decay")
    warmup: float = Field(
        0.1,
        ge=0,
        description="steps in which the learning rate rises: below 1 a share of them all, else their number",
    )
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
    cosine: float = Field(
        0.0, ge=0, description="weight of 1 - cosine to the teacher's vector, beside the squared distance"
    )
    language_weights: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="language -> weight of its translations in the loss; 1 for the others"
    )
    corpus_weights: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="corpus, as `corpus show` names it -> weight of its translations; 1 for the others"
    )
    paragraphs: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of the short paragraphs (2 to 6 consecutive sentences of a corpus) to learn from as well",
    )
    source_term: bool = Field(True, description="also pull the source sentence to its teacher vector")
    accumulate: int = Field(1, ge=1, description="batches whose gradients are summed up for one step")
    dropout: bool = Field(
        False,
        description="train with the dropout of the student's own configuration; targets are fixed, so it is off",
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="stop after so many looks at the dev split in a row without a better one; unset: never",
    )
    protect: tuple[str, ...] = Field(
        (), description="languages that must not get worse: weights with which one does are never shipped"
    )
    protect_margin: float = Field(
        0.01, ge=0, le=1, description="by how much a protected language's dev retrieval may fall"
    )
    rewinds: int = Field(
        2,
        ge=0,
        description="how often a collapsed student is put back to its best weights before the run stops",
    )
    evaluations: int = Field(
        6, ge=1, description="how often the dev split is scored, and a checkpoint written, during the run"
    )
    process_timeout: float = Field(
        600.0,
        gt=0,
        description="seconds after which a process under torchrun that shows no life, or whose part of a step is not"
        " there, is given up and the run ends",
    )
    track: Literal["trackio", "tensorboard"] | None = Field(
        None,
        description="also write losses and dev scores for this tool, locally (pip install 'isoglot[track]' or"
        " 'isoglot[tensorboard]'); training/log.jsonl is always written",
    )

    def shaping(self) -> dict[str, Any]:
        """Give the options that shape the weights; the others may differ when a run is resumed."""
        return self.model_dump(exclude={"process_timeout", "track"})

    @model_validator(mode="after")
    def _one_horizon(self) -> TrainConfig:
        if self.minutes is not None and self.epochs is not None:
            raise ValueError("minutes and epochs exclude each other")
        return self
