"""`isoglot distil`: pairs, teacher and student in; a student folder out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import JsonOption, handled
from isoglot.cli.run import (
    BenchmarksOption,
    KeepLeaksOption,
    LanguagesOption,
    MinutesOption,
    SetOption,
    TeacherOption,
    benchmark_settings,
    language_setting,
    summary,
)


def distil(
    teacher: TeacherOption,
    student: Annotated[
        str, typer.Option("--student", help="Folder, hub id or package:NAME of the encoder that learns.")
    ],
    corpus: Annotated[
        list[str], typer.Option("--corpus", help="A corpus folder, or sources of parallel text.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Run folder; the student goes to OUT/student.")],
    minutes: MinutesOption = None,
    epochs: Annotated[
        float | None, typer.Option("--epochs", help="Passes over the sentences, instead of minutes.")
    ] = None,
    align_only: Annotated[bool, typer.Option("--align-only", help="Stop after the warm start.")] = False,
    kind: Annotated[
        str | None, typer.Option("--kind", help="transformer (default), static or lstm: what the student is.")
    ] = None,
    layers: Annotated[
        str | None, typer.Option("--layers", help="Layers of the transformer to keep: 0,3,6,9.")
    ] = None,
    dims: Annotated[
        str | None,
        typer.Option(
            "--dims", help="Widths at which vectors can be cut later: 384,192,96; the first is whole."
        ),
    ] = None,
    paragraphs: Annotated[
        float | None,
        typer.Option(
            "--paragraphs", help="Share of the paragraphs of 2 to 6 sentences to learn from too: 0 to 1."
        ),
    ] = None,
    languages: LanguagesOption = None,
    store: Annotated[
        Path | None, typer.Option("--store", help="Teacher store to use instead of OUT/store.")
    ] = None,
    benchmarks: BenchmarksOption = None,
    keep_leaks: KeepLeaksOption = False,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Teach a student the teacher's space from parallel sentences."""
    with handled(as_json) as console:
        from isoglot.errors import RequestError
        from isoglot.pipeline.run import run
        from isoglot.recipe import distil_recipe

        if align_only and (minutes is not None or epochs is not None):
            raise RequestError("--align-only does not train.", "Leave out --minutes and --epochs.")
        tests = benchmark_settings(benchmarks, keep_leaks)
        shape = [*_setting("kind", kind), *_numbers("layers", layers), *_numbers("dims", dims)]
        longer = [] if paragraphs is None else [f"train.paragraphs={paragraphs}"]
        settings = [*language_setting(languages), *tests, *shape, *longer, *(changes or [])]
        recipe = distil_recipe(teacher, student, corpus, minutes, 0 if align_only else epochs, settings)
        finished = run(recipe, out, evaluate=False, store=store, progress=console)
        console.finish(
            {"student": str(finished.folder.student), "card": dict(finished.card)}, summary(finished)
        )


def _setting(key: str, value: str | None) -> list[str]:
    return [] if value is None else [f"student.{key}={json.dumps(value)}"]


def _numbers(key: str, value: str | None) -> list[str]:
    """Write `--dims 384,96` as a change of the recipe; none when the option was not given."""
    return [] if value is None else [f"student.{key}=[{value}]"]
