"""The `isoglot` program: every command's name is known here, its work is imported only when it runs."""

from __future__ import annotations

import faulthandler
import io
import os
import sys
from importlib.metadata import version
from types import TracebackType
from typing import Annotated

import typer

from isoglot.cli import compat, corpus, distil, doctor, embed, evaluate, mine, plan, run, store, verify
from isoglot.cli.signals import end_undisturbed

app = typer.Typer(
    help="Teach a sentence-embedding model new languages without moving its vector space.",
    epilog="Every command can be run again: finished stages are skipped, interrupted ones go on. "
    "Exit codes: 0 done, 1 the work failed, 2 the request was wrong.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"isoglot {version('isoglot')}")
        raise typer.Exit


@app.callback()
def _isoglot(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


# One line per command, in the order a newcomer meets them. These modules import nothing heavy at their top.
app.command("demo")(run.demo)
app.command("run")(run.run)
app.command("plan")(plan.plan)
app.add_typer(corpus.app, name="corpus")
app.command("embed")(embed.embed)
app.add_typer(store.app, name="store")
app.command("distil")(distil.distil)
app.command("evaluate")(evaluate.evaluate)
app.command("compat")(compat.compat)
app.command("mine")(mine.mine)
app.command("verify")(verify.verify)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the program; a bug keeps its traceback and gets a line that asks for a report."""
    os.environ.setdefault("TQDM_DISABLE", "1")  # libraries draw no bars across ours
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no locale can make printing fail
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)  # a library that crashes, of a full memory perhaps, says where
    # typer.Typer.__call__ would install its own excepthook; the command object leaves it alone
    command = typer.main.get_command(app)
    sys.excepthook = _report_bug
    try:
        command(prog_name="isoglot")
    finally:
        end_undisturbed()


def _report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, trace)
    if issubclass(kind, Exception):
        print("\nThis is a bug in isoglot: please report it with the lines above.", file=sys.stderr)


if __name__ == "__main__":
    main()
