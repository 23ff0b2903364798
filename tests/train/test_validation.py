"""Which of two looks at the dev split is better, and when a student has collapsed, with a teacher and without."""

from dataclasses import replace

import pytest

from isoglot.train.validation import DevScore, beats, collapse

TAUGHT = DevScore(0.5, 0.5, 0.2, "de", 0.4, 40.0, 0.1)
ALONE = replace(TAUGHT, spearman=None, r2=None)


def test_with_a_teacher_neither_retrieval_nor_spearman_may_fall():
    better = replace(TAUGHT, retrieval=0.6)
    assert beats(better, TAUGHT, TAUGHT)
    assert not beats(replace(better, spearman=0.49), TAUGHT, TAUGHT)
    assert not beats(replace(TAUGHT, spearman=0.9, retrieval=0.49), TAUGHT, TAUGHT)


def test_without_one_retrieval_alone_decides():
    assert beats(replace(ALONE, retrieval=0.51), ALONE, ALONE)
    assert not beats(ALONE, ALONE, ALONE)
    assert not beats(replace(ALONE, retrieval=0.49), replace(ALONE, retrieval=0.3), ALONE)
    assert ALONE.selection == ALONE.retrieval and TAUGHT.selection == pytest.approx(0.5)


@pytest.mark.parametrize("start", [TAUGHT, ALONE])
def test_a_student_whose_vectors_fall_together_has_collapsed(start):
    lost = replace(start, retrieval=0.02, r2=None if start.r2 is None else 0.0)
    assert "effective rank fell from 40 to 8" in str(collapse(replace(lost, effective_rank=8.0), start))
    assert "mean cosine of random sentences rose" in str(collapse(replace(lost, mean_cosine=0.95), start))
    assert collapse(lost, start) is None


def test_without_a_teacher_a_narrow_space_in_which_more_is_found_is_no_collapse():
    assert collapse(replace(ALONE, retrieval=0.7, effective_rank=8.0), ALONE) is None


def test_with_a_teacher_finding_more_is_no_excuse():
    assert collapse(replace(TAUGHT, retrieval=0.7, r2=0.0, effective_rank=8.0), TAUGHT) is not None


def test_a_look_shows_the_worst_language_and_no_figure_that_there_is_not():
    assert str(TAUGHT) == "dev retrieval 50.0% (worst de 40.0%), Spearman 0.500"
    assert str(ALONE) == "dev retrieval 50.0% (worst de 40.0%)"
