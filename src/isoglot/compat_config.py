"""Options of `isoglot compat`: where an index keeps what, and when a student counts as compatible with it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from isoglot.section import Section


class IndexConfig(Section):
    """Where an index keeps its documents, and what else it does not say itself."""

    texts: str | None = Field(
        None,
        description="texts of an index that has none (a store, .npy, FAISS): .txt, .jsonl, or a corpus folder",
    )
    text_column: str = Field("text", min_length=1, description="column, key or payload field of the texts")
    vector_column: str | None = Field(
        None, description="column, key or name of the vectors; unset: `vector`, or the only one there is"
    )
    id_column: str | None = Field(
        None,
        description="column or key of the documents' ids; unset: the key of the table, or row numbers from 0",
    )
    metric: Literal["cosine", "dot", "l2"] | None = Field(
        None, description="measure to rank by, where the index does not say it itself"
    )
    key_env: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]{0,63}$",
        description="NAME of the environment variable with the password or API key, in capitals; never the key itself",
    )


class CompatConfig(Section):
    """What is asked of an index, and what counts as a good answer."""

    index: IndexConfig = IndexConfig()
    queries: tuple[str, ...] = Field((), description="TSV files of queries and their English parallels")
    language: str | None = Field(None, description="language of the queries in files without a header")
    relevance: str | None = Field(
        None, description="relevant documents of the queries: TSV of query id, document id, grade"
    )
    threshold: float | None = Field(
        None, description="threshold in use today, in the index's own measure; unset: the teacher's best"
    )
    document_prompt: str | None = Field(
        None,
        description="text, or name of a prompt, that stood before the documents when the index was built; unset: the"
        " teacher's own",
    )
    sample: int = Field(256, ge=8, description="texts of the index that prove which model built it")
    min_cosine: float = Field(
        0.98, gt=0, lt=1, description="cosine from which on a vector of the index counts as the teacher's"
    )
    min_ndcg: float = Field(
        0.9, gt=0, description="nDCG@10 as a share of the teacher's from which on a language works"
    )
    min_overlap: float = Field(
        0.5, gt=0, le=1, description="share of the teacher's ten hits from which on a language works"
    )
    min_f1: float = Field(
        0.95,
        gt=0,
        le=1,
        description="share of the best F1 that the teacher's threshold must keep to need no new one",
    )
