"""Kill -9, Ctrl-C and SIGTERM at random moments of every stage of the real program."""

import pytest

from faults.cases import FAST, FULL, carry_out

SEED = 20261122


def hold(name, plan, rig, run, record_property):
    problems = []
    for result in carry_out(plan, rig, run, f"{SEED} {name}"):
        record_property("fault", (result.injection, result.promise, not result.problems))
        problems += [f"{result.injection}: {problem}" for problem in result.problems]
    assert not problems, "\n\n".join(dict.fromkeys(problems))


@pytest.mark.parametrize("name", FAST)
def test_a_run_survives(name, undisturbed, tmp_path, record_property):
    hold(name, FAST[name], undisturbed, tmp_path / "run", record_property)


@pytest.mark.faults
@pytest.mark.parametrize("name", FULL)
def test_a_run_survives_in_every_stage(name, undisturbed, tmp_path, record_property):
    hold(name, FULL[name], undisturbed, tmp_path / "run", record_property)
