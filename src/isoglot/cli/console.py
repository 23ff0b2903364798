"""What a command shows: progress and stages on stderr, the one result on stdout, errors as a paragraph.

Every command has the form

    with handled(as_json) as console:
        from isoglot.some_room import work
        result = work(..., progress=console)
        console.finish(asdict(result), "the same for people")
"""

from __future__ import annotations

import json
import re
import sys
import time
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isoglot.cli.signals import Terminated, end_undisturbed, signals_as_interrupts
from isoglot.errors import IsoglotError
from isoglot.memory import explaining_full_memory

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from isoglot.progress import Task

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout; progress goes to stderr.")
]

PLAIN_SECONDS = 10.0  # without a terminal, a running task prints one line per so many seconds
_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x1b\\|\x07|\x9c|$)"  # strings: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"
)
_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """Return `text` as one line that is safe on a terminal, whatever a corpus holds.

    Escape sequences, control characters and direction overrides are removed, line breaks and tabs become
    spaces, lone surrogates become the replacement character.
    """
    kept = []
    for character in _ANSI.sub("", re.sub(r"[\n\r\t\v\f\x85\u2028\u2029]", " ", text)):
        if unicodedata.category(character) == "Cs":
            kept.append("\ufffd")
        elif unicodedata.category(character) != "Cc" and character not in _DIRECTION_OVERRIDES:
            kept.append(character)
    return "".join(kept)


def count(number: float) -> str:
    """Write a count for people: 143 210; below ten with one decimal unless it is whole: 1.5."""
    digits = 0 if number >= 10 or float(number).is_integer() else 1
    return f"{number:,.{digits}f}".replace(",", " ")


def duration(seconds: float) -> str:
    """Write a duration for people: 14.2 s, 2 min 5 s, 1 h 3 min."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Console:
    """Shows progress (`isoglot.progress.Progress`) on stderr and the final result on stdout.

    Args:
        as_json: the result is printed as one JSON object instead of text.
    """

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self._stage_began = time.monotonic()
        self._bars: RichProgress | None = None
        self._open_bars = 0
        self._failed = False

    def task(self, label: str, total: float | None, unit: str) -> AbstractContextManager[Task]:
        """Open a task: a live bar on a terminal, else a plain line every ten seconds and one at its end."""
        if sys.stderr.isatty() and _capable_terminal():
            return self._bar(printable(label), total, unit)
        return self._lines(printable(label), total, unit)

    def stage(self, name: str, summary: str) -> None:
        """Print the permanent line of a finished stage, with the time since the stage before it."""
        now = time.monotonic()
        elapsed, self._stage_began = now - self._stage_began, now
        self.say(f"{name:<11}{summary}   {duration(elapsed)}")

    def say(self, text: str) -> None:
        """Print permanent lines on stderr, above any live bar."""
        text = "\n".join(printable(line) for line in text.split("\n"))
        if self._bars is None:
            print(text, file=sys.stderr, flush=True)
        else:
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def finish(self, result: Mapping[str, Any], text: str) -> None:
        """Print the command's result on stdout: `result` with --json, else `text`.

        Raises:
            ValueError: `result` holds NaN or an infinity, which JSON cannot say.
        """
        if self.as_json:
            # ASCII only: no terminal, locale or control character can garble it; parsers restore the text
            print(json.dumps(result, allow_nan=False), flush=True)
        else:
            print("\n".join(printable(line) for line in text.split("\n")), flush=True)

    def fail(self, problem: str, next_step: str) -> None:
        """Print an error paragraph, the last on stderr, and with --json the same as the final object on stdout."""
        self._failed = True
        self.say(f"error: {problem}" + (f"\n       {next_step}" if next_step else ""))
        if self.as_json:
            self.finish({"error": {"problem": problem, "next_step": next_step}}, "")

    @contextmanager
    def _bar(self, label: str, total: float | None, unit: str) -> Iterator[Task]:
        bars = self._bars = self._bars or _live_bars()
        if self._open_bars == 0:
            bars.start()
        self._open_bars += 1
        identity = bars.add_task(label, total=total, unit=unit, note="")
        try:
            yield _Bar(bars, identity)
        finally:
            bars.remove_task(identity)
            self._open_bars -= 1
            if self._open_bars == 0:
                bars.stop()
                self._bars = None

    @contextmanager
    def _lines(self, label: str, total: float | None, unit: str) -> Iterator[Task]:
        task = _Lines(label, total, unit)
        try:
            yield task
        except BaseException:
            if not self._failed:  # a second Ctrl-C can keep a task from its end until all is over
                task.end("stopped at ")
            raise
        task.end("")


@contextmanager
def handled(as_json: bool = False) -> Iterator[Console]:
    """Give a command its console and turn what users may see into one paragraph and an exit code.

    Exit codes: an `IsoglotError`'s own (1 the work failed, 2 the request was wrong), 130 after Ctrl-C, 143
    after SIGTERM. A full memory is such an error too. Any other exception passes through: it is a bug and keeps
    its traceback.

    Raises:
        typer.Exit: with that exit code.
    """
    console = Console(as_json)
    with signals_as_interrupts() as interrupts:
        try:
            with explaining_full_memory(), interrupts.kept():
                yield console
        except IsoglotError as error:
            console.fail(error.problem, error.next_step)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as interrupt:
            end_undisturbed()  # a second Ctrl-C must not cut the line that says how to go on
            code = 143 if isinstance(interrupt, Terminated) else 130
            console.fail("interrupted; run the same command again to continue.", "")
            raise typer.Exit(code) from interrupt


def _capable_terminal() -> bool:
    from rich.console import Console as RichConsole

    return not RichConsole(stderr=True).is_dumb_terminal


def _live_bars() -> RichProgress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        _amount_column(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=_stderr_console(),
        transient=True,
    )


def _stderr_console() -> RichConsole:
    from rich.console import Console as RichConsole

    return RichConsole(stderr=True)


def _amount_column() -> Any:  # noqa: ANN401  a rich column; the class exists only once rich is imported
    from rich.progress import ProgressColumn
    from rich.text import Text

    class AmountColumn(ProgressColumn):
        def render(self, task: Any) -> Text:  # noqa: ANN401
            return Text(_amount(task.completed, task.total, task.fields["unit"], task.speed))

    return AmountColumn()


def _amount(done: float, total: float | None, unit: str, speed: float | None) -> str:
    of = "" if total is None else f" of {count(total)}"
    rate = f", {count(speed)}/s" if speed else ""
    return f"{count(done)}{of} {unit}{rate}"


class _Bar:
    """A task shown as a live bar."""

    def __init__(self, bars: RichProgress, identity: TaskID) -> None:
        self._bars, self._identity = bars, identity

    def advance(self, amount: float = 1.0) -> None:
        """Move the bar by `amount` units."""
        self._bars.advance(self._identity, amount)

    def note(self, text: str) -> None:
        """Show `text` beside the bar."""
        self._bars.update(self._identity, note=printable(text))


class _Lines:
    """A task shown as plain lines, for logs and pipes."""

    def __init__(self, label: str, total: float | None, unit: str) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._began = self._printed = time.monotonic()
        self._done = 0.0
        self._note = ""

    def advance(self, amount: float = 1.0) -> None:
        """Count `amount` more units; print a line when the last one is old enough."""
        self._done += amount
        now = time.monotonic()
        if now - self._printed >= PLAIN_SECONDS:
            self._printed = now
            self._print("", self._left(now - self._began))

    def note(self, text: str) -> None:
        """Keep `text` for the next line."""
        self._note = printable(text)

    def end(self, how: str) -> None:
        """Print the task's last line."""
        self._print(how, f" in {duration(time.monotonic() - self._began)}")

    def _print(self, how: str, when: str) -> None:
        speed = self._done / max(time.monotonic() - self._began, 1e-9)
        amount = _amount(self._done, self._total, self._unit, speed)
        note = f", {self._note}" if self._note else ""
        print(f"{self._label}: {how}{amount}{when}{note}", file=sys.stderr, flush=True)

    def _left(self, elapsed: float) -> str:
        if self._total is None or not self._done:
            return ""
        return f", {duration(elapsed / self._done * max(self._total - self._done, 0))} left"
