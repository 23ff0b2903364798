"""`isoglot run` and `isoglot demo`: all stages of a recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isoglot.cli.console import JsonOption, handled

if TYPE_CHECKING:
    from isoglot.pipeline.run import Finished

OutOption = Annotated[Path | None, typer.Option("--out", help="Run folder; runs/NAME by default.")]
LanguagesOption = Annotated[
    str | None, typer.Option("--languages", help="Target languages, comma separated: de,fr,zh-Hans.")
]
MinutesOption = Annotated[
    float | None, typer.Option("--minutes", help="Train so long, from the start of training.")
]
TEACHER = typer.Option(
    "--teacher",
    help="Folder, hub id, package:NAME, model.onnx, https://HOST/v1#MODEL, or a file of vectors with their texts;"
    " twice: two spaces side by side.",
)
TeacherOption = Annotated[list[str], TEACHER]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Change a key of the recipe: section.key=value.")
]
BenchmarksOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--benchmarks",
        "--data",
        metavar="PATH",
        help="Test sets that will be reported: training pairs that are in them are dropped. May be repeated.",
    ),
]
KeepLeaksOption = Annotated[
    bool,
    typer.Option("--keep-leaks", help="Train on them all the same; the scores are marked as contaminated."),
]


def run(
    recipe: Annotated[str, typer.Argument(help="A recipe of the package, or the path of a TOML file.")],
    out: OutOption = None,
    languages: LanguagesOption = None,
    minutes: MinutesOption = None,
    benchmarks: BenchmarksOption = None,
    keep_leaks: KeepLeaksOption = False,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do all stages of a recipe; finished ones are skipped."""
    with handled(as_json) as console:
        from isoglot.pipeline.recipe_run import run_recipe
        from isoglot.recipe import load_recipe
        from isoglot.train.team import is_first

        minutes_setting = [] if minutes is None else [f"train.minutes={minutes}"]
        tests = benchmark_settings(benchmarks, keep_leaks)
        loaded = load_recipe(
            recipe, [*language_setting(languages), *minutes_setting, *tests, *(changes or [])]
        )
        finished = run_recipe(loaded, out or Path("runs") / loaded.name, console)
        if is_first():
            console.finish(_as_json(finished), summary(finished))


def demo(
    out: OutOption = None,
    languages: LanguagesOption = None,
    minutes: MinutesOption = None,
    benchmarks: BenchmarksOption = None,
    keep_leaks: KeepLeaksOption = False,
    changes: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do the whole story on packaged models and text: `run demo`."""
    run("demo", out, languages, minutes, benchmarks, keep_leaks, changes, as_json)


def language_setting(languages: str | None) -> list[str]:
    """Write `--languages de,fr` as a change of the recipe; none when the option was not given."""
    if languages is None:
        return []
    tags = [tag.strip() for tag in languages.split(",") if tag.strip()]
    return [f"corpus.languages={json.dumps(tags)}"]


def benchmark_settings(benchmarks: list[Path] | None, keep_leaks: bool) -> list[str]:
    """Write `--benchmarks` and `--keep-leaks` as changes of the recipe; none when they were not given."""
    paths = json.dumps([str(path) for path in benchmarks or []], ensure_ascii=False)
    named = [f"evaluate.benchmarks={paths}"] if benchmarks else []
    return [*named, "evaluate.keep_leaks=true"] if keep_leaks else named


def _as_json(finished: Finished) -> dict[str, object]:
    return {
        "run": str(finished.folder.root),
        "student": str(finished.folder.student),
        "report": str(finished.folder.report),
        "scores": None if finished.scores is None else dict(finished.scores),
    }


def summary(finished: Finished) -> str:
    """What a run gave, for people: where everything is and how good it is."""
    lines = [finished.card["why"]]
    if finished.scores is not None:
        lines += [
            finished.scores["summary"],
            f"report   {finished.folder.report}",
            f"scores   {finished.folder.scores}",
        ]
    lines.append(f"student  {finished.folder.student}   (load it with SentenceTransformer(path))")
    return "\n".join(lines)
