"""Options of an objective other than distillation: the systems that the paper compares, in the same loop.

A recipe with a section `[objective]` has no teacher; `isoglot.compared_config` holds such a recipe whole.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from isoglot.section import Section


class RankingConfig(Section):
    """Translation ranking of a dual encoder (Guo+ 2018; Yang+ 2019), with the other tasks of mUSE beside it."""

    margin: float = Field(
        0.3,
        ge=0,
        lt=2,
        description="taken off the cosine of a pair before it is ranked among the batch's others",
    )
    scale: float = Field(20.0, gt=0, description="factor on the cosines in the softmax")
    bidirectional: bool = Field(True, description="rank sources among targets and targets among sources")
    hard_negatives: int = Field(
        5, ge=0, description="mined for every pair with the preliminary model; 0: in-batch negatives only"
    )
    preliminary: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="share of the training that the preliminary model gets, before hard negatives are mined",
    )
    nli: str | None = Field(
        None,
        description="folder, zip or file of NLI, or hf:ORG/NAME/CONFIG, for the task of natural-language inference;"
        " unset: without",
    )
    nli_product: bool = Field(
        True, description="its head sees u * v beside (u, v, |u - v|), as mUSE's; false: not, as SBERT's"
    )
    responses: str | None = Field(
        None, description="file of questions and their answers for response ranking; unset: without"
    )
    batches: dict[Literal["translation", "nli", "responses"], Annotated[int, Field(ge=0)]] = Field(
        {"translation": 1, "nli": 1, "responses": 1},
        description="batches of each task in a round, 1 where it is not named; a task without data has none",
    )

    @model_validator(mode="after")
    def _translation_takes_turns(self) -> RankingConfig:
        if self.batches.get("translation") == 0:
            raise ValueError("batches.translation is 0, and an epoch ends with the translations")
        return self

    @model_validator(mode="after")
    def _preliminary_mines(self) -> RankingConfig:
        if not self.hard_negatives and self.preliminary != RankingConfig.model_fields["preliminary"].default:
            raise ValueError("preliminary says nothing where hard_negatives is 0: there is one training")
        return self


class TranslationConfig(Section):
    """Translation out of the sentence vector (LASER: Artetxe & Schwenk 2019); `student` sizes its encoder."""

    targets: tuple[str, ...] = Field(
        ("en", "es"),
        min_length=2,
        description="languages that the decoder writes; the paper has two. No text is translated into its own language",
    )
    vocabulary: int = Field(50_000, ge=64, description="entries of the joint vocabulary of byte pairs")
    embedding: int = Field(320, ge=1, description="width of a token's vector, in encoder and decoder")
    decoder: int = Field(2048, ge=1, description="units of the decoder's LSTM")
    decoder_layers: int = Field(1, ge=1, description="LSTMs of the decoder on one another")
    language: int = Field(32, ge=1, description="width of the vector that tells the decoder its language")
    dropout: float = Field(0.1, ge=0, lt=1, description="of the decoder's inputs and outputs in training")

    @model_validator(mode="after")
    def _different_targets(self) -> TranslationConfig:
        if len(set(self.targets)) < len(self.targets):
            raise ValueError(f"targets {self.targets} name a language twice")
        return self


class SiameseConfig(Section):
    """Siamese training of a monolingual encoder (Reimers & Gurevych 2019), by sentence-transformers' trainer."""

    nli: str | None = Field(
        None, description="folder, zip or file of NLI, or hf:ORG/NAME/CONFIG, to train on first; unset: none"
    )
    sts: str | None = Field(
        None,
        description="folder, zip or file of graded sentence pairs, or hf:ORG/NAME, to train on afterwards; unset: none",
    )
    language: str = Field(
        "en", description="of the pairs; files of other languages beside them are left alone"
    )
    loss: Literal["softmax", "ranking"] = Field(
        "softmax",
        description="on NLI: softmax over (u, v, |u - v|), or multiple-negatives ranking of its entailed pairs",
    )
    epochs: float = Field(1.0, gt=0, description="passes over the NLI pairs")
    sts_epochs: float = Field(4.0, gt=0, description="passes over the graded pairs")
    batch: int = Field(16, ge=2, description="NLI pairs per batch; ranking is better with more")
    sts_batch: int = Field(16, ge=2, description="graded pairs per batch")
    learning_rate: float = Field(2e-5, gt=0, description="peak learning rate")
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    max_pairs: int | None = Field(
        None, ge=1, description="use so many NLI pairs, drawn at random; unset: all"
    )
    scale: float = Field(20.0, gt=0, description="factor on the cosines where loss is ranking")

    @model_validator(mode="after")
    def _scale_of_ranking(self) -> SiameseConfig:
        if self.scale != SiameseConfig.model_fields["scale"].default and self.loss != "ranking":
            raise ValueError("scale is of the loss ranking")
        return self


class ObjectiveConfig(Section):
    """What a student without a teacher learns."""

    kind: Literal["none", "ranking", "translation", "siamese"] = Field(
        description="none: pooling without training; ranking: translation ranking (mUSE); translation: into two"
        " languages out of the sentence vector (LASER); siamese: NLI and graded pairs of one language (SBERT)"
    )
    ranking: RankingConfig = RankingConfig()
    translation: TranslationConfig = TranslationConfig()
    siamese: SiameseConfig = SiameseConfig()

    @model_validator(mode="after")
    def _only_its_own_section(self) -> ObjectiveConfig:
        for name in ("ranking", "translation", "siamese"):
            section = getattr(self, name)
            if name != self.kind and section != type(section)():
                raise ValueError(f"objective.{name} says nothing where objective.kind is {self.kind}")
        if self.kind == "siamese" and not (self.siamese.nli or self.siamese.sts):
            raise ValueError("nothing to learn from: name objective.siamese.nli or objective.siamese.sts")
        return self
