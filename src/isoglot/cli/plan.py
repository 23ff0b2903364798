"""`isoglot plan`: what a recipe will cost, before it starts."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isoglot.cli.console import JsonOption, handled
from isoglot.cli.distil import AddOption, CorpusOption, EpochsOption, FromOption
from isoglot.cli.run import LanguagesOption, MinutesOption, OutOption, SetOption, language_setting

if TYPE_CHECKING:
    from isoglot.pipeline.plan import Plan


def plan(
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe of the package, or the path of a TOML file.")
    ] = None,
    out: OutOption = None,
    origin: FromOption = None,
    add: AddOption = None,
    corpus: CorpusOption = None,
    languages: LanguagesOption = None,
    minutes: MinutesOption = None,
    epochs: EpochsOption = None,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a recipe takes: tokens, minutes, memory.

    Every stage is tried on a sample. The corpus is built, and so are vectors of single tokens where
    student.rows is outputs; the run will use both. Nothing else is left behind.

    With --from and --add instead of a recipe: what isoglot distil takes with the same options.
    """
    with handled(as_json) as console:
        from isoglot.errors import RequestError
        from isoglot.pipeline.plan import NOT_COUNTED
        from isoglot.pipeline.plan import plan as make_plan
        from isoglot.recipe import load_distillation

        settings = [*language_setting(languages), *_horizon(minutes, epochs), *(changes or [])]
        if (recipe is None) == (origin is None):
            raise RequestError("A plan is of one recipe, or of one --from STUDENT.", "Give either of them.")
        if origin is not None:
            from isoglot.pipeline.further import further_recipe

            loaded = further_recipe(origin, [*(corpus or []), *(add or [])], {}, settings)
        elif corpus or add:
            raise RequestError("--corpus and --add need --from.", "A recipe names its sources itself.")
        else:
            loaded = load_distillation(str(recipe), settings)
        made = make_plan(loaded, out or Path("runs") / loaded.name, console, evaluate=origin is None)
        console.finish({**asdict(made), "not_counted": list(NOT_COUNTED)}, _text(made, NOT_COUNTED))


def _horizon(minutes: float | None, epochs: float | None) -> list[str]:
    """Write `--minutes` and `--epochs` as changes of the recipe; none when they were not given."""
    given = {"minutes": minutes, "epochs": epochs}
    return [f"train.{name}={value}" for name, value in given.items() if value is not None]


def _text(plan: Plan, not_counted: tuple[str, ...]) -> str:
    return "\n".join(
        [
            f"opening     models and texts, {plan.opening_minutes:.1f} min",
            f"teacher     {plan.teacher_sentences:,} sentences to embed, {plan.teacher_minutes:.1f} min",
            f"warm start  {plan.start_sentences:,} sentences, {plan.start_minutes:.1f} min",
            f"training    {plan.steps:,} steps, {plan.tokens:,} tokens, {plan.training_minutes:.1f} min",
            f"evaluation  {plan.evaluation_sentences:,} sentences, {plan.evaluation_minutes:.1f} min",
            f"together    {plan.minutes:.1f} min ({plan.processor_minutes:.1f} of processors),"
            f" {plan.memory_bytes / 2**30:.1f} GiB of memory",
            f"not counted {'; '.join(not_counted)}",
        ]
    )
