"""What a model folder says about itself, read without loading the model."""

from __future__ import annotations

from pathlib import Path

from isoglot.artefact import read_json

_CONFIG = "config_sentence_transformers.json"


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
