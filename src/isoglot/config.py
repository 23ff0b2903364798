"""Every option of every stage, with its default and its meaning: frozen models, checked once at the border.

`isoglot.recipe` reads them from TOML files and options. The resolved recipe is saved with the run.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from isoglot.section import Section
from isoglot.student_config import StudentConfig as StudentConfig  # parts of a recipe like those below
from isoglot.student_config import TrainConfig as TrainConfig
from isoglot.student_config import WarmStartConfig as WarmStartConfig
from isoglot.student_config import suited as suited
from isoglot.teacher_config import TeacherConfig as TeacherConfig


class CleanConfig(Section):
    """Which pairs are dropped before anything else; the defaults are mild."""

    min_chars: int = Field(2, ge=1, description="shorter sides are dropped")
    max_chars: int = Field(1000, ge=1, description="longer sides are dropped")
    max_length_ratio: float = Field(4.0, gt=1, description="longer side over shorter side, script-aware")
    max_untranslated: float = Field(
        0.9,
        gt=0,
        le=1,
        description="drop rows whose two sides share this much of their letters in order (1: only identical sides)",
    )
    placeholders: Literal["match", "drop", "keep"] = Field(
        "match",
        description="match: drop rows whose sides have other {placeholders}; drop: rows with any; keep: none",
    )
    match_numbers: bool = Field(True, description="drop rows with other digits on one side than on the other")
    max_repeats: int = Field(
        15, ge=1, description="drop rows that repeat one character more often than this in a row"
    )
    min_score: float | None = Field(
        None,
        description="drop rows whose source gives a lower alignment score, on its own scale; unset: none",
    )
    language_probability: float = Field(
        0.7, gt=0, le=1, description="drop sides so surely in another language; 1: off"
    )
    language_min_chars: int = Field(20, ge=1, description="sides too short to tell the language of")
    min_script: float = Field(
        0.5,
        ge=0,
        le=1,
        description="drop sides with a smaller share of letters in a script of their language",
    )
    repair_mojibake: bool = Field(
        False, description="put wrongly decoded text right first, with ftfy (pip install 'isoglot[clean]')"
    )

    @model_validator(mode="after")
    def _some_length(self) -> CleanConfig:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars {self.min_chars} is above max_chars {self.max_chars}")
        return self


class DownloadConfig(Section):
    """Where parallel text is downloaded from, and how patiently; nothing of it changes what a corpus holds."""

    opus_url: str = Field(
        "https://object.pouta.csc.fi", description="base URL of the files of OPUS, or of a mirror"
    )
    opus_index_url: str = Field(
        "https://opus.nlpl.eu/opusapi/", description="where to ask for the newest version of a corpus of OPUS"
    )
    tatoeba_url: str = Field(
        "https://downloads.tatoeba.org/exports/per_language",
        description="base URL of Tatoeba's exports per language",
    )
    sha256: dict[str, str] = Field(
        {}, description="SOURCE -> the sha256 it must have, as `corpus show --json` lists it under inputs"
    )
    attempts: int = Field(6, ge=1, description="requests in a row that may fail before a download fails")
    backoff_seconds: float = Field(
        1.0, ge=0, description="pause after the first failed request; each next one is twice as long"
    )
    longest_wait_seconds: float = Field(
        120.0, ge=0, description="longest pause; a server that asks for more ends the download"
    )
    connect_seconds: float = Field(20.0, gt=0, description="how long a connection may take")
    read_seconds: float = Field(60.0, gt=0, description="how long a server may send nothing")
    max_gigabytes: float = Field(100.0, gt=0, description="larger files are refused")


class ReadConfig(Section):
    """How files are read that do not say it themselves."""

    columns: tuple[str, ...] = Field(
        (),
        description="columns of .tsv and .csv files by language: en=English,de=German by their heads, en=1,de=2"
        " by number where there is no header; source= and target= where the SOURCE names the languages",
    )
    allow_ragged: bool = Field(
        False, description="read a Moses pair of unequal files; what one has more is dropped as empty"
    )

    @model_validator(mode="after")
    def _two_columns(self) -> ReadConfig:
        pairs = [column.partition("=") for column in self.columns]
        codes = [code for code, _, head in pairs if code and head]
        if self.columns and (len(codes) < len(pairs) or len(set(codes)) < max(2, len(codes))):
            raise ValueError(
                f"columns {','.join(self.columns)!r} do not name two languages, such as en=1,de=2"
            )
        return self


class CorpusConfig(Section):
    """Which parallel text is read, what is dropped, and how it is split."""

    sources: tuple[str, ...] = Field((), description="paths and URIs of parallel text")
    languages: tuple[str, ...] = Field((), description="target languages to keep; empty: all")
    source_lang: str = Field("en", description="the teacher's language")
    read: ReadConfig = ReadConfig()
    clean: CleanConfig = CleanConfig()
    download: DownloadConfig = DownloadConfig()
    near_duplicates: float | None = Field(
        None,
        gt=0,
        le=1,
        description="drop all but one of source sentences that share so much of their 5-grams; unset: off",
    )
    max_sources: int | None = Field(
        None, ge=1, description="keep so many source sentences, a random sample over all splits; unset: all"
    )
    max_per_corpus: int | None = Field(
        None, ge=1, description="keep so many pairs of each corpus in each language; unset: all"
    )
    max_per_language: int | None = Field(
        None, ge=1, description="keep so many pairs of each language, from all corpora; unset: all"
    )
    examples: int = Field(
        5, ge=0, description="dropped rows kept to look at, per reason and language; 0: none"
    )
    dev_percent: float = Field(5.0, ge=0, lt=50, description="share of source sentences in the dev split")
    test_percent: float = Field(5.0, ge=0, lt=50, description="share of source sentences in the test split")


class EvaluateConfig(Section):
    """Scores on held-out sentences."""

    pool: int = Field(1000, ge=2, description="distinct English texts that every language is searched in")
    queries: int = Field(300, ge=1, description="at most so many test sentences per language")
    dev_queries: int = Field(60, ge=1, description="the same for the dev split during training")
    benchmarks: tuple[str, ...] = Field(
        (),
        description="folders, zips or files of the test sets that will be reported; training pairs in them are dropped",
    )
    keep_leaks: bool = Field(
        False,
        description="train on those pairs all the same; scores of such a test set are marked contaminated",
    )

    @model_validator(mode="after")
    def _leaks_of_something(self) -> EvaluateConfig:
        if self.keep_leaks and not self.benchmarks:
            raise ValueError("keep_leaks says nothing without benchmarks: name the test sets")
        return self


class MineConfig(Section):
    """How parallel sentences are found among two sides, and which of them are written."""

    neighbours: int = Field(
        4, ge=1, description="nearest neighbours in both directions that a pair is compared with"
    )
    margin: Literal["ratio", "distance", "absolute"] = Field(
        "ratio", description="how a pair's cosine is related to its neighbours'; absolute: not at all"
    )
    retrieval: Literal["forward", "backward", "intersection", "max-score"] = Field(
        "max-score",
        description="forward: each source with its best target; backward: each target with its best source;"
        " intersection: what both say; max-score: best first, each sentence once",
    )
    min_margin: float | None = Field(
        None, allow_inf_nan=False, description="pairs of a lower margin are left out; unset: none"
    )
    top: int | None = Field(None, ge=1, description="only so many pairs, the best; unset: all")
    keep_identical: bool = Field(False, description="also pairs whose two sides are the same text")
    max_minutes: float | None = Field(
        None,
        gt=0,
        description="longest exact search; what would take longer is searched approximately, with FAISS",
    )
    block_rows: int = Field(
        0, ge=0, description="sources per block, the unit of resume; 0: chosen by their number"
    )


class MarginConfig(Section):
    """Which pairs of a corpus are left out as misaligned."""

    least: float = Field(allow_inf_nan=False, description="pairs of a lower margin are left out")
    score: Literal["ratio", "distance", "absolute"] = Field(
        "ratio", description="how a pair's cosine is related to its neighbours'; absolute: not at all"
    )
    neighbours: int = Field(
        4, ge=1, description="nearest neighbours on both sides that a pair is compared with"
    )


class AnyRecipe(Section):
    """What a recipe says with a teacher and without one."""

    name: str
    seed: int = Field(0, ge=0, lt=2**32, description="of all that is drawn at random")
    student: StudentConfig
    corpus: CorpusConfig = CorpusConfig()
    train: TrainConfig = TrainConfig()
    evaluate: EvaluateConfig = EvaluateConfig()

    @model_validator(mode="before")
    @classmethod
    def _as_suits_the_student(cls, raw: Any) -> Any:  # noqa: ANN401  what pydantic was given, before it is checked
        return suited(raw)


class Recipe(AnyRecipe):
    """Everything a run needs to know."""

    teacher: TeacherConfig
    warm_start: WarmStartConfig = WarmStartConfig()

    @model_validator(mode="after")
    def _one_width_and_one_start(self) -> Recipe:
        if self.student.dims and self.student.dims[0] != self.teacher.dimension:
            raise ValueError(
                f"student.dims begins with {self.student.dims[0]}, and teacher.dimension is {self.teacher.dimension}"
            )
        if self.student.further and self.warm_start != WarmStartConfig():
            raise ValueError("warm_start says nothing where student.further is set: there is none")
        return self
