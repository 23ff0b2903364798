"""What a model folder says about itself, read without loading the model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from isoglot.artefact import read_json
from isoglot.errors import RequestError

PoolingMode = Literal["mean", "cls", "max", "lasttoken"]
_MODES = ("mean", "cls", "max", "lasttoken")
_MODULES = "modules.json"
_CONFIG = "config_sentence_transformers.json"
_LENGTHS, _TOKENIZER = "sentence_bert_config.json", "tokenizer_config.json"
_NO_LENGTH = 1_000_000  # transformers writes 1e30 for a tokenizer without a limit


def prompts(folder: Path) -> dict[str, str]:
    """Prompts that a sentence-transformers folder names: name -> text before every sentence."""
    config = read_json(folder / _CONFIG) if (folder / _CONFIG).is_file() else {}
    return {str(name): str(text) for name, text in (config.get("prompts") or {}).items()}


def default_prompt(folder: Path) -> str:
    """Text that the folder itself puts before every sentence; empty when none."""
    config = read_json(folder / _CONFIG) if (folder / _CONFIG).is_file() else {}
    return prompts(folder).get(config.get("default_prompt_name") or "", "")


def resolve_prompt(folder: Path, prompt: str | None) -> str | None:
    """Give the text of one of the folder's own prompts when `prompt` is its name, else `prompt` itself."""
    return None if prompt is None else prompts(folder).get(prompt, prompt)


def first_module(folder: Path) -> Path:
    """Folder of the first module of a sentence-transformers folder: itself, or one inside it."""
    return folder / str(read_json(folder / _MODULES)[0]["path"])


def read_pooling(folder: Path) -> tuple[PoolingMode, ...]:
    """Read the folder of a Pooling module: its modes, in the order in which they are concatenated.

    Raises:
        RequestError: a mode that isoglot does not run, or the prompt's tokens are left out.
    """
    config = read_json(folder / "config.json")
    if config.get("include_prompt") is False:
        raise RequestError(
            f"{folder} leaves the prompt's tokens out of the pooling; isoglot pools all tokens."
        )
    modes = config.get("pooling_mode")
    if modes is None:
        prefix = "pooling_mode_"  # before version 5.7: one switch per mode, such as pooling_mode_cls_token
        switched = [
            key.removeprefix(prefix) for key, on in config.items() if key.startswith(prefix) and on is True
        ]
        modes = sorted(mode.removesuffix("s").removesuffix("_token") for mode in switched) or ["mean"]
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    unknown = [mode for mode in modes if mode not in _MODES]
    if unknown:
        raise RequestError(f"{folder}: pooling {', '.join(unknown)} is not one of {', '.join(_MODES)}.")
    return modes


def after_tokens(folder: Path) -> tuple[tuple[PoolingMode, ...] | None, bool | None]:
    """Read what a sentence-transformers folder does to token vectors: pooling, and whether it normalises.

    Returns:
        Modes and normalisation; None for both when the folder states no modules.

    Raises:
        RequestError: it does more than that.
    """
    if not (folder / _MODULES).is_file():
        return None, None
    modules = {
        entry["type"].rsplit(".", 1)[-1]: folder / entry["path"] for entry in read_json(folder / _MODULES)
    }
    further = sorted(modules.keys() - {"Transformer", "Pooling", "Normalize"})
    if further:
        raise RequestError(
            f"{folder / _MODULES} lists {', '.join(further)} after the encoder; an ONNX of token vectors lacks it.",
            "Export the whole model to ONNX, or give the folder as the teacher.",
        )
    pooling = read_pooling(modules["Pooling"]) if "Pooling" in modules else None
    return pooling, "Normalize" in modules


def stated_length(folder: Path) -> int | None:
    """Read the length limit in tokens that a folder states; None when it states none.

    What sentence-transformers wrote before version 6 counts more than the tokenizer's; since then it writes no other.
    """
    for path, key in ((folder / _LENGTHS, "max_seq_length"), (folder / _TOKENIZER, "model_max_length")):
        number = read_json(path).get(key) if path.is_file() else None
        if number:
            return int(number) if number < _NO_LENGTH else None
    return None


def wants_lower_case(folder: Path) -> bool:
    """Tell whether a sentence-transformers folder says that texts are lowercased before its tokenizer sees them."""
    path = folder / _LENGTHS
    return path.is_file() and bool(read_json(path).get("do_lower_case"))
