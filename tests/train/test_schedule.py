"""How the learning rate rises: in a share of the steps, or in a number of them."""

import pytest

from isoglot.train.schedule import plan


def test_below_one_it_is_a_share_and_from_one_on_a_number():
    assert plan(200, 0.1, 4).warmup == 20
    assert plan(200, 50, 4).warmup == 50
    assert [plan(200, 50, 4).factor(step) for step in (0, 49, 50)] == pytest.approx([0.02, 1.0, 1.0])


def test_a_run_shorter_than_its_rise_never_gets_to_the_peak():
    schedule = plan(100, 10_000, 4)
    assert schedule.factor(99) == pytest.approx(0.01)
