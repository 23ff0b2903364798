"""The student folder: plain sentence-transformers, `isoglot.json`, and the NOTICE of what it was made from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.artefact import Manifest, publish

if TYPE_CHECKING:
    from isoglot.encode.encoder import Encoder

CARD = "isoglot.json"
_TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "sentencepiece.bpe.model",
    "spiece.model", "added_tokens.json", "vocab.json", "merges.txt",
)  # fmt: skip


@dataclass(frozen=True)
class Provenance:
    """What a student was made from.

    Attributes:
        card: content of isoglot.json: teacher space, languages, recipe digest, data digests, scores.
        notice: licences and attributions of teacher, start and text.
        inputs: name -> sha256, for the manifest.
        files: further files to put in the folder, such as the axes of a reduced teacher.
    """

    card: Mapping[str, Any]
    notice: str
    inputs: Mapping[str, str]
    files: tuple[Path, ...] = ()


def save(student: Encoder, origin: Path, target: Path, provenance: Provenance) -> None:
    """Publish a student.

    Args:
        student: the encoder with its full vocabulary.
        origin: the folder it started from, whose tokenizer files are copied.
        target: the folder to make; replaced whole when it exists.
        provenance: what stands in isoglot.json and NOTICE.
    """
    from isoglot.encode.model import save_modules  # with it comes torch

    shape = student.model.shape
    with publish(
        target, Manifest(kind="student", inputs=provenance.inputs, config=dict(provenance.card))
    ) as scratch:
        _write_tokenizer(student, origin, scratch)
        for file in provenance.files:
            shutil.copyfile(file, scratch / file.name)
        save_modules(student.model, scratch)
        prompts = {"isoglot": shape.prompt} if shape.prompt else {}
        _write(scratch / "config_sentence_transformers.json", {
            "prompts": prompts, "default_prompt_name": "isoglot" if prompts else None, "similarity_fn_name": "cosine",
        })  # fmt: skip
        _write(scratch / CARD, provenance.card)
        (scratch / "NOTICE").write_text(provenance.notice.strip() + "\n", "utf-8")


def _write_tokenizer(student: Encoder, origin: Path, folder: Path) -> None:
    """Copy the origin's tokenizer files; the other kinds of student take its tokenizer with other special tokens."""
    from isoglot.encode.backbones import NO_LIMIT, BiLstm, TokenTable

    if not isinstance(student.model.backbone, BiLstm | TokenTable):
        for name in _TOKENIZER_FILES:
            if (origin / name).is_file():
                shutil.copyfile(origin / name, folder / name)
        return
    backend = type(student.tokenizer.backend).from_str(student.tokenizer.backend.to_str())
    backend.no_truncation()
    backend.save(str(folder / "tokenizer.json"))
    if isinstance(student.model.backbone, BiLstm):
        pad = backend.id_to_token(student.tokenizer.pad_id)
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": NO_LIMIT,
            "pad_token": pad,
        }
        _write(folder / "tokenizer_config.json", config)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True), "utf-8")
