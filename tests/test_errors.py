"""What a user reads when something goes wrong."""

from isoglot.errors import DamagedError, IsoglotError, RequestError


def test_an_error_says_the_problem_and_then_the_next_step():
    error = IsoglotError("a.tsv: line 3 has one column.", "Give two columns.")
    assert str(error) == "a.tsv: line 3 has one column. Give two columns."
    assert (error.problem, error.next_step) == ("a.tsv: line 3 has one column.", "Give two columns.")


def test_without_a_next_step_no_blank_trails():
    assert str(IsoglotError("The disk is full.")) == "The disk is full."


def test_exit_codes_tell_failed_work_from_a_wrong_request():
    assert IsoglotError("x").exit_code == 1
    assert DamagedError("x").exit_code == 1
    assert RequestError("x").exit_code == 2
