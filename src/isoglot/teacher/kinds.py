"""Every kind of teacher behind one name: which one it is, the text itself says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isoglot.config import TeacherConfig
from isoglot.encode.locate import locate
from isoglot.encode.model_folder import resolve_prompt
from isoglot.encode.static import is_static, load_static
from isoglot.errors import RequestError
from isoglot.teacher.joined import Joined
from isoglot.teacher.protocol import Teacher
from isoglot.teacher_config import EndpointConfig, VectorsConfig

VECTOR_SUFFIXES = (".npy", ".parquet", ".jsonl", ".safetensors")


@dataclass(frozen=True)
class Credit:
    """Whom a student owes its space to.

    Attributes:
        label: the name that the user gave; for people, never part of a fingerprint.
        notice: licence lines to pass on, empty when we know none.
    """

    label: str
    notice: str = ""


def open_teacher(config: TeacherConfig) -> tuple[Teacher, Credit]:
    """Open the teacher that a recipe names, or several as one; a reduction (`config.dimension`) is not applied yet.

    A name is an address (`https://HOST/v1#MODEL`), a file (`.onnx`, `.npy`, `.parquet`, `.jsonl`, `.safetensors`), or
    a model folder, hub id or `package:NAME`.

    Raises:
        RequestError: there is no such teacher, or an option does not fit its kind.
        IsoglotError: a download or an endpoint failed.
    """
    _refuse_idle(config)
    opened = [_open_one(name, config) for name in config.models]
    if len(opened) == 1:
        return opened[0]
    parts = tuple(teacher for teacher, _ in opened)
    normalise = all(part.normalise for part in parts) if config.normalise is None else config.normalise
    notices = dict.fromkeys(credit.notice for _, credit in opened if credit.notice)
    joined = Joined(parts, config.weights or (1.0,) * len(parts), normalise)
    return joined, Credit(config.label, "\n\n".join(notices))


def _open_one(name: str, config: TeacherConfig) -> tuple[Teacher, Credit]:
    path = Path(name).expanduser()
    if _is_address(name):
        from isoglot.teacher.endpoint import open_endpoint

        _refuse(name, config, ("pooling", "max_tokens", "precision"), "the server decides that")
        return open_endpoint(name, config), Credit(name)
    if _is_vectors(name):
        from isoglot.teacher.vectors import open_vectors

        given = ("pooling", "max_tokens", "precision", "prompt", "document_prompt")
        _refuse(name, config, given, "the vectors are finished")
        return open_vectors(path, config), Credit(name)
    if path.suffix == ".onnx" and not path.is_dir():
        return _onnx(path, config), Credit(name)
    located = locate(name)
    return _from_folder(located.folder, config), Credit(name, located.notice)


def _is_address(name: str) -> bool:
    return "://" in name


def _is_vectors(name: str) -> bool:
    path = Path(name).expanduser()
    return path.suffix in VECTOR_SUFFIXES and not path.is_dir()


def _refuse_idle(config: TeacherConfig) -> None:
    """Refuse sections of options that no model reads."""
    for section, unset, is_read in (
        ("endpoint", EndpointConfig(), _is_address),
        ("vectors", VectorsConfig(), _is_vectors),
    ):
        if getattr(config, section) != unset and not any(map(is_read, config.models)):
            raise RequestError(
                f"teacher.{section} has no effect on {config.label}.",
                f"Leave out teacher.{section}, or mend teacher.model.",
            )


def _from_folder(folder: Path, config: TeacherConfig) -> Teacher:
    prompt = resolve_prompt(folder, config.prompt)
    if is_static(folder):
        _refuse(str(folder), config, ("pooling",), "a static encoder is a mean")
        _refuse(str(folder), config, ("precision",), "a static encoder has no products")
        static = load_static(folder, prompt=prompt, normalise=config.normalise, max_tokens=config.max_tokens)
        _refuse_longer(folder, config, static.max_tokens)
        return static
    from isoglot.encode.encoder import load_encoder

    encoder = load_encoder(
        folder,
        prompt=prompt,
        max_tokens=config.max_tokens,
        pooling=config.pooling,
        normalise=config.normalise,
        precision=config.precision or "auto",
    )
    _refuse_longer(folder, config, encoder.tokenizer.max_tokens)
    return encoder


def _onnx(path: Path, config: TeacherConfig) -> Teacher:
    from isoglot.encode.onnx import load_onnx

    if not path.is_file():
        raise RequestError(f"There is no file {path}.", "Give the path of an .onnx file.")
    _refuse(str(path), config, ("precision",), "the file fixes its arithmetic")
    encoder = load_onnx(
        path,
        prompt=config.prompt,
        pooling=config.pooling,
        normalise=config.normalise,
        max_tokens=config.max_tokens,
    )
    _refuse_longer(path, config, encoder.tokenizer.max_tokens)
    return encoder


def _refuse_longer(path: Path, config: TeacherConfig, limit: int | None) -> None:
    """Refuse a length limit that the model's own undercuts."""
    if config.max_tokens is not None and limit is not None and config.max_tokens > limit:
        raise RequestError(
            f"{path} reads at most {limit} tokens, so teacher.max_tokens = {config.max_tokens} has no effect.",
            "Lower or leave out teacher.max_tokens; where the network can read more, raise the limit in the model's"
            " own configuration.",
        )


def _refuse(name: str, config: TeacherConfig, fields: Sequence[str], why: str) -> None:
    """Refuse options that would change nothing."""
    for field in fields:
        if getattr(config, field) is not None:
            raise RequestError(
                f"teacher.{field} has no effect on {name}: {why}.", f"Leave out teacher.{field}."
            )
