"""One family of errors that users may see: what is wrong, where, and what to do next."""

from __future__ import annotations


class IsoglotError(Exception):
    """The work failed. The command line turns this into one paragraph and exit code 1.

    Args:
        problem: what is wrong, as a sentence, naming the file, line or option.
        next_step: what the user can do about it, as a sentence or a command.
    """

    exit_code = 1

    def __init__(self, problem: str, next_step: str = "") -> None:
        super().__init__(f"{problem} {next_step}".strip())
        self.problem = problem
        self.next_step = next_step


class RequestError(IsoglotError):
    """The request itself was wrong (an option, a recipe, an input that cannot work): exit code 2."""

    exit_code = 2


class DamagedError(IsoglotError):
    """Something on disk does not hold what its manifest or format says."""
