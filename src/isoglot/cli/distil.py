"""`isoglot distil`: pairs, teacher and student in; a student folder out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isoglot.cli.console import JsonOption, handled
from isoglot.cli.run import (
    TEACHER,
    BenchmarksOption,
    KeepLeaksOption,
    LanguagesOption,
    MinutesOption,
    SetOption,
    benchmark_settings,
    language_setting,
    summary,
)

if TYPE_CHECKING:
    from isoglot.config import Recipe
    from isoglot.pipeline.run import Finished

OptionalTeacher = Annotated[list[str] | None, TEACHER]
StudentOption = Annotated[
    str | None, typer.Option("--student", help="Folder, hub id or package:NAME of the encoder that learns.")
]
CorpusOption = Annotated[
    list[str] | None, typer.Option("--corpus", help="A corpus folder, or sources of parallel text.")
]
FromOption = Annotated[
    Path | None, typer.Option("--from", help="A finished student that learns on, in its own teacher's space.")
]
AddOption = Annotated[
    list[str] | None,
    typer.Option("--add", help="With --from: parallel text of new languages; --corpus then replays the old."),
]
EpochsOption = Annotated[
    float | None, typer.Option("--epochs", help="Passes over the sentences, instead of minutes.")
]
KindOption = Annotated[
    str | None, typer.Option("--kind", help="transformer (default), static or lstm: what the student is.")
]
LayersOption = Annotated[
    str | None, typer.Option("--layers", help="Layers of the transformer to keep: 0,3,6,9.")
]
DimsOption = Annotated[
    str | None,
    typer.Option("--dims", help="Widths at which vectors can be cut later: 384,192,96; the first is whole."),
]
ParagraphsOption = Annotated[
    float | None,
    typer.Option(
        "--paragraphs", help="Share of the paragraphs of 2 to 6 sentences to learn from too: 0 to 1."
    ),
]
StoreOption = Annotated[
    Path | None, typer.Option("--store", help="Teacher store to use instead of OUT/store.")
]


def distil(
    out: Annotated[Path, typer.Option("--out", help="Run folder; the student goes to OUT/student.")],
    teacher: OptionalTeacher = None,
    student: StudentOption = None,
    corpus: CorpusOption = None,
    origin: FromOption = None,
    add: AddOption = None,
    minutes: MinutesOption = None,
    epochs: EpochsOption = None,
    align_only: Annotated[bool, typer.Option("--align-only", help="Stop after the warm start.")] = False,
    kind: KindOption = None,
    layers: LayersOption = None,
    dims: DimsOption = None,
    paragraphs: ParagraphsOption = None,
    languages: LanguagesOption = None,
    store: StoreOption = None,
    benchmarks: BenchmarksOption = None,
    keep_leaks: KeepLeaksOption = False,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Teach a student the teacher's space from parallel sentences."""
    with handled(as_json) as console:
        from isoglot.errors import RequestError
        from isoglot.pipeline.run import run
        from isoglot.train.team import is_first

        if align_only and (minutes is not None or epochs is not None):
            raise RequestError("--align-only does not train.", "Leave out --minutes and --epochs.")
        shape = [*_setting("kind", kind), *_numbers("layers", layers), *_numbers("dims", dims)]
        longer = [] if paragraphs is None else [f"train.paragraphs={paragraphs}"]
        tests = benchmark_settings(benchmarks, keep_leaks)
        settings = [*language_setting(languages), *tests, *shape, *longer, *(changes or [])]
        horizon = (minutes, 0 if align_only else epochs)
        texts = (corpus or [], add or [])
        recipe = _recipe((teacher, student), origin, texts, horizon, settings)
        if align_only and (recipe.student.further or recipe.train.epochs != 0):
            raise RequestError(
                "--align-only ends with the warm start: --from has none, and train.epochs would go on.",
                "Leave out --align-only, or the others.",
            )
        finished = run(recipe, out, evaluate=False, store=store, progress=console)
        if is_first():
            console.finish(
                {
                    "student": str(finished.folder.student),
                    "card": dict(finished.card),
                    "change": finished.change,
                },
                _changes(finished) + summary(finished),
            )


def _recipe(
    models: tuple[list[str] | None, str | None],
    origin: Path | None,
    texts: tuple[list[str], list[str]],
    horizon: tuple[float | None, float | None],
    settings: list[str],
) -> Recipe:
    """Make the recipe of a new student, or of a finished one that learns on."""
    from isoglot.errors import RequestError
    from isoglot.recipe import distil_recipe

    teacher, student = models
    corpus, add = texts
    if origin is not None:
        return _further(origin, models, [*corpus, *add], horizon, settings)
    if teacher and student and not add:
        return distil_recipe(teacher, student, corpus, *horizon, settings)
    raise RequestError(
        "--add needs --from." if add else "Who teaches whom was not said.",
        "Give --teacher and --student, or --from STUDENT and --add.",
    )


def _further(
    origin: Path,
    others: tuple[list[str] | None, str | None],
    sources: list[str],
    horizon: tuple[float | None, float | None],
    settings: list[str],
) -> Recipe:
    from isoglot.errors import RequestError
    from isoglot.pipeline.further import further_recipe

    if others[1] is not None:
        raise RequestError("--from and --student both name the student.", "Leave out --student.")
    models = others[0]
    teacher = (
        []
        if models is None
        else [f"teacher.model={json.dumps(models[0] if len(models) == 1 else models, ensure_ascii=False)}"]
    )
    minutes, epochs = horizon
    return further_recipe(origin, sources, {"minutes": minutes, "epochs": epochs}, [*teacher, *settings])


def _changes(finished: Finished) -> str:
    """A table of each language's retrieval before and after, for a student that learned on."""
    rows = finished.change or {}
    lines = [f"{tag:<10}{before:>8.1%}{after:>8.1%}" for tag, (before, after) in rows.items()]
    return "\n".join(["language    before   after", *lines, "", ""]) if rows else ""


def _setting(key: str, value: str | None) -> list[str]:
    return [] if value is None else [f"student.{key}={json.dumps(value)}"]


def _numbers(key: str, value: str | None) -> list[str]:
    """Write `--dims 384,96` as a change of the recipe; none when the option was not given."""
    return [] if value is None else [f"student.{key}=[{value}]"]
