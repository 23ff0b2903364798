"""`isoglot plan`: what a recipe will cost, before it starts."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isoglot.cli.console import JsonOption, handled
from isoglot.cli.run import LanguagesOption, MinutesOption, OutOption, SetOption, language_setting

if TYPE_CHECKING:
    from isoglot.pipeline.plan import Plan


def plan(
    recipe: Annotated[str, typer.Argument(help="A recipe of the package, or the path of a TOML file.")],
    out: OutOption = None,
    languages: LanguagesOption = None,
    minutes: MinutesOption = None,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a recipe takes: tokens, minutes, memory.

    Every stage is tried on a sample. The corpus is built, and so are vectors of single tokens where
    student.rows is outputs; the run will use both. Nothing else is written.
    """
    with handled(as_json) as console:
        from isoglot.pipeline.plan import plan as make_plan
        from isoglot.recipe import load_recipe

        minutes_setting = [] if minutes is None else [f"train.minutes={minutes}"]
        loaded = load_recipe(recipe, [*language_setting(languages), *minutes_setting, *(changes or [])])
        made = make_plan(loaded, out or Path("runs") / loaded.name, progress=console)
        console.finish(asdict(made), _text(made))


def _text(plan: Plan) -> str:
    return "\n".join(
        [
            f"teacher     {plan.teacher_sentences:,} sentences to embed, {plan.teacher_minutes:.1f} min",
            f"warm start  {plan.start_sentences:,} sentences, {plan.start_minutes:.1f} min",
            f"training    {plan.steps:,} steps, {plan.tokens:,} tokens, {plan.training_minutes:.1f} min",
            f"together    {plan.minutes:.1f} min, {plan.memory_bytes / 2**30:.1f} GiB of memory",
        ]
    )
