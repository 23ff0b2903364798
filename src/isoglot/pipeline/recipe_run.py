"""A recipe of either kind, all of it: with a teacher, or one of the systems that distillation is compared with."""

from __future__ import annotations

from pathlib import Path

from isoglot.compared_config import ComparedRecipe
from isoglot.config import Recipe
from isoglot.errors import RequestError
from isoglot.pipeline.run import Finished, run
from isoglot.progress import SILENT, Progress
from isoglot.train.team import size_of_team


def run_recipe(recipe: Recipe | ComparedRecipe, out: Path, progress: Progress = SILENT) -> Finished:
    """Do all stages of a recipe into the run folder `out`; finished ones are skipped.

    Raises:
        RequestError: the recipe asks for something that cannot be.
        IsoglotError: a stage failed; the next run continues there.
    """
    if isinstance(recipe, ComparedRecipe):
        if size_of_team() > 1:
            raise RequestError(
                "Only distillation is trained by several processes,"
                f" and {recipe.name} has the objective {recipe.objective.kind}.",
                "Run this recipe without torchrun.",
            )
        from isoglot.pipeline.compared.run import run_compared

        return run_compared(recipe, out, progress)
    return run(recipe, out, progress=progress)
