"""What follows from the numbers of one language."""

from __future__ import annotations

from isoglot.evaluate.compat.result import Calibration, Verdict


def judge(value: float, calibration: Calibration, least_value: float, least_f1: float) -> Verdict:
    """Say whether the student can query the index in a language.

    Args:
        value: nDCG@10 as a share of the teacher's, or the overlap of the first ten hits.
        calibration: of the threshold.
        least_value: below it the student does not find what the teacher finds.
        least_f1: the teacher's threshold still holds when it keeps this share of the best F1.
    """
    if value < least_value:
        return "does not work"
    return "works" if calibration.holds >= least_f1 else "usable with a new threshold"
