"""isoglot teaches a sentence-embedding model new languages without moving its vector space.

    import isoglot

    student = isoglot.distil(
        teacher="sentence-transformers/all-MiniLM-L6-v2", student="intfloat/multilingual-e5-small",
        corpus=["pairs.en-de.tsv"], out="runs/x", minutes=4,
    )
    student.encode(["Wo ist der Bahnhof?"])

The rooms, in the order in which data flows through them: `corpus` (text in) · `encode` (text to arrays) · `teacher`
(vectors, each sentence once) · `student` (the encoder that learns) · `train` (warm start and loop) · `evaluate`
(scores and report) · `pipeline` (all of it) · `cli`. Below them: `errors`, `disk`, `artefact`, `wheels`, `config`,
`progress`, `scale`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.progress import Progress

if TYPE_CHECKING:
    from isoglot.compared_config import ComparedRecipe
    from isoglot.config import Recipe
    from isoglot.encode.encoder import Encoder
    from isoglot.pipeline.run import Finished
    from isoglot.recipe import load_recipe

__all__ = [
    "DamagedError", "IsoglotError", "Progress", "Recipe", "RequestError",
    "distil", "load", "load_recipe", "run",
]  # fmt: skip


def distil(
    *,
    teacher: str | Path,
    student: str | Path,
    corpus: Sequence[str | Path] | str | Path,
    out: str | Path,
    minutes: float | None = None,
    epochs: float | None = None,
    settings: Sequence[str] = (),
) -> Encoder:
    """Teach `student` the space of `teacher` and return it, ready to encode.

    Args:
        teacher: folder, hub id or `package:NAME` of the encoder that owns the space.
        student: the same of the encoder that learns it.
        corpus: parallel text: paths or URIs of sources, or one corpus folder.
        out: run folder; the student is saved in `out/student`. Run again to continue an interrupted run.
        minutes: length of training.
        epochs: passes over the source sentences, instead of minutes; 0 gives the warm start. One when neither is said.
        settings: further recipe keys as `section.key=value`.

    Raises:
        RequestError: something that was asked for cannot be.
        IsoglotError: the work failed.
    """
    from isoglot.pipeline.run import run as run_recipe
    from isoglot.recipe import distil_recipe

    sources = [corpus] if isinstance(corpus, str | Path) else corpus
    recipe = distil_recipe(
        str(teacher), str(student), [str(source) for source in sources], minutes, epochs, settings
    )
    return load(run_recipe(recipe, Path(out), evaluate=False).folder.student)


def run(recipe: Recipe | ComparedRecipe, out: str | Path, *, progress: Progress | None = None) -> Finished:
    """Do all stages of a recipe: corpus, teacher vectors, warm start, training, student, scores, report."""
    from isoglot.pipeline.recipe_run import run_recipe
    from isoglot.progress import SILENT

    return run_recipe(recipe, Path(out), progress or SILENT)


def load(folder: str | Path) -> Encoder:
    """Load a student, or any encoder folder, to encode with."""
    from isoglot.encode.encoder import load_encoder

    return load_encoder(Path(folder))


def __getattr__(name: str) -> Any:  # noqa: ANN401  a module attribute can be anything
    """Give what is imported only when asked for: the recipe's types and `__version__`."""
    if name in ("Recipe", "load_recipe"):
        from isoglot import recipe

        return getattr(recipe, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("isoglot")
    raise AttributeError(f"module 'isoglot' has no attribute {name!r}")
