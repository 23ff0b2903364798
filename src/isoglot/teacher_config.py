"""Options of the teacher: the part of a recipe that says who owns the space, and how it is asked."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from isoglot.section import Section


class EndpointConfig(Section):
    """How an embeddings endpoint is asked."""

    key_env: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]{0,63}$",
        description="NAME of the environment variable with the key, in capitals; never the key itself",
    )
    batch: int = Field(64, ge=1, description="texts per request")
    concurrency: int = Field(4, ge=1, le=64, description="requests at the same time")
    requests_per_minute: float | None = Field(None, gt=0, description="at most so many; unset: no limit")
    retries: int = Field(6, ge=0, description="further tries of a request that failed in passing")
    backoff_seconds: float = Field(
        1.0, gt=0, description="wait before the first retry, doubled each time; a Retry-After counts more"
    )
    longest_wait_seconds: float = Field(
        120, gt=0, description="longest wait before a retry; a server that asks for more ends the run"
    )
    timeout_seconds: float = Field(60, gt=0, description="for one whole request")
    max_response_mb: float = Field(64, gt=0, description="a longer answer is refused")
    dimensions: int | None = Field(None, ge=1, description="length of vector to ask the server for")
    base64: bool = Field(False, description="ask for vectors as base64, a quarter of the bytes")
    allow_private: bool = Field(False, description="also connect to private addresses such as 10.0.0.7")


class VectorsConfig(Section):
    """Where a file of finished vectors keeps its texts."""

    texts: str | None = Field(
        None, description="file with the texts of .npy or .safetensors rows: .txt, .jsonl; unset: beside it"
    )
    text_column: str = Field("text", description="column or key of the texts in Parquet and JSONL")
    vector_column: str = Field("vector", description="column, key or tensor of the vectors")


class TeacherConfig(Section):
    """Which encoder owns the space."""

    model: str | tuple[str, ...] = Field(
        description="folder, hub id, package:NAME, model.onnx, https://HOST/v1#MODEL, or a file of vectors"
        " (.npy, .parquet, .jsonl, .safetensors); several: their spaces side by side"
    )
    weights: tuple[float, ...] = Field(
        (), description="weight of each of several models; their squares weigh the cosines. Unset: all 1"
    )
    prompt: str | None = Field(
        None, description="text before every sentence, or the name of one of the folder's prompts"
    )
    document_prompt: str | None = Field(
        None,
        description="text or named prompt before every document of the teacher's index, where `prompt` is that of"
        " queries; held-out translations are then searched among documents. Unset: one prompt for both",
    )
    pooling: tuple[Literal["mean", "cls", "max", "lasttoken"], ...] | None = Field(
        None, min_length=1, description="pooling of token vectors, concatenated; unset: the folder's own"
    )
    normalise: bool | None = Field(
        None, description="give vectors unit length; unset: what the teacher does on its own"
    )
    max_tokens: int | None = Field(
        None, ge=2, description="longer sentences are cut after this many tokens; unset: the folder's limit"
    )
    precision: Literal["fp32", "bf16"] | None = Field(
        None,
        description="arithmetic of an encoder; unset: bf16 where the processor has it. A store is of one arithmetic:"
        " state it where machines with and without bf16 work on one store",
    )
    dimension: int | None = Field(
        None, ge=1, description="reduce the space to so many principal axes; unset: leave it whole"
    )
    pca_sentences: int = Field(10_000, ge=2, description="source sentences that those axes are fitted on")
    missing: Literal["error", "drop"] = Field(
        "error", description="source sentences that the teacher has no vector for: stop, or leave them out"
    )
    chunk_rows: int = Field(1024, ge=1, description="sentences per chunk of the store, the unit of resume")
    store_precision: Literal["fp32", "fp16", "int8"] = Field(
        "fp16",
        description="how vectors are kept: fp32 exactly; fp16 in half the space; int8 in a quarter, at a cosine of"
        " 0.9999 to the vector",
    )
    endpoint: EndpointConfig = EndpointConfig()
    vectors: VectorsConfig = VectorsConfig()

    @field_validator("model", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        listed = value if isinstance(value, list | tuple) else [value]
        if not all(isinstance(name, str) for name in listed):
            raise ValueError("Input should be a valid string, or a list of them")
        return value

    @model_validator(mode="after")
    def _no_secrets(self) -> TeacherConfig:
        for name in self.models:
            if re.match(r"\w+:[/\\]", name) and re.search(r"[@?\\\s]", name.partition("#")[0]):
                raise ValueError(
                    "an address must hold no user, password, query or space: name the variable that holds the key"
                    " in endpoint.key_env"
                )
        return self

    @model_validator(mode="after")
    def _parts(self) -> TeacherConfig:
        if not self.models or not all(self.models):
            raise ValueError("model is empty")
        if self.weights and (len(self.weights) != len(self.models) or min(self.weights) <= 0):
            raise ValueError(f"weights must be {len(self.models)} positive numbers, one per model")
        single = (self.prompt, self.document_prompt, self.pooling, self.max_tokens)
        if len(self.models) > 1 and any(option is not None for option in single):
            raise ValueError(
                "prompt, document_prompt, pooling and max_tokens belong to one model, and there are several"
            )
        if self.dimension is None and self.pca_sentences != type(self).model_fields["pca_sentences"].default:
            raise ValueError("pca_sentences has no effect without dimension")
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The one model, or the several whose spaces stand side by side."""
        return (self.model,) if isinstance(self.model, str) else self.model

    @property
    def label(self) -> str:
        """The models' names, for people."""
        return " + ".join(self.models)
