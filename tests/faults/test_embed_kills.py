"""R2 and R11: kill -9, Ctrl-C and SIGTERM at random times of the real `isoglot embed`, resumed until it is done."""

import random

import pytest

from faults.cases import CTRL_C, CTRL_C_AGAIN, KILL, TERMINATE

ROW = "R2 kill -9 at a random time of isoglot embed"
WHOLE = "whole chunks, none embedded twice; resumed, the same bytes"
STOPPED = "R11 {} at a random time of isoglot embed"
SEED = 20261122
SIGNALS = (CTRL_C, TERMINATE, CTRL_C_AGAIN, TERMINATE)


def hold(embedding, injections, record_property, part=0):
    """Do each injection once, on one store until it is done and then on the next."""
    chance = random.Random(SEED + part)
    done = 0
    while done < len(injections):
        store = embedding.folder / f"hit{chance.random()}"
        alive, results = True, []
        while alive and done + len(results) < len(injections):
            injection = injections[done + len(results)]
            alive, problems = embedding.hit(store, chance.uniform(0.1, 1) * embedding.seconds, injection)
            if alive:
                results.append((injection, problems))
        end = embedding.finish(store)
        for injection, problems in results:
            name = ROW if injection is KILL else STOPPED.format(injection.name)
            record_property("fault", (name, WHOLE, not problems + end))
            assert not problems + end, "\n".join(problems + end)
        done += len(results)


def test_embedding_survives_a_kill_and_a_stop(embedding, record_property):
    hold(embedding, (KILL, CTRL_C_AGAIN), record_property)


@pytest.mark.faults
def test_embedding_survives_kills_at_forty_random_times(embedding, record_property):
    hold(embedding, (KILL,) * 40, record_property)


@pytest.mark.faults
@pytest.mark.parametrize("part", range(1, 6))
def test_embedding_survives_four_stops_at_random_times(embedding, part, record_property):
    hold(embedding, SIGNALS, record_property, part)
