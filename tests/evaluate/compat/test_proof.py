"""Who built an index is measured, not believed."""

from __future__ import annotations

import numpy as np
import pytest

from isoglot.errors import RequestError
from isoglot.evaluate.compat.proof import prove
from isoglot.evaluate.indexes.index import IndexFacts


def unit_rows(seed: int, rows: int = 200, width: int = 16):
    table = np.random.default_rng(seed).standard_normal((rows, width), np.float32)
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def facts(metric: str = "cosine", dimension: int = 16) -> IndexFacts:
    return IndexFacts("the index", "file", 1000, dimension, metric)


def test_the_teachers_own_vectors_are_known_in_half_precision():
    own = unit_rows(0)
    proof = prove(own.astype(np.float16).astype(np.float32), own, 0.98, facts(), "T")
    assert proof.lowest > 0.999
    assert (proof.sampled, proof.agreeing, proof.unit) == (200, 1.0, False)


def test_another_model_is_refused_with_its_cosine():
    with pytest.raises(
        RequestError, match=r"T did not build the index.*median cosine of -?0\.0\d\d"
    ) as caught:
        prove(unit_rows(0), unit_rows(1), 0.98, facts(), "T")
    assert "--teacher" in caught.value.next_step
    assert caught.value.exit_code == 2


def test_an_index_of_two_models_is_refused_and_a_few_changed_texts_are_not():
    own = unit_rows(0)
    mixed = own.copy()
    mixed[:15] = unit_rows(1)[:15]
    assert prove(mixed, own, 0.98, facts(), "T").agreeing == pytest.approx(0.925)
    mixed[:60] = unit_rows(1)[:60]
    with pytest.raises(RequestError, match="several models"):
        prove(mixed, own, 0.98, facts(), "T")


def test_the_limit_is_an_option():
    own = unit_rows(0)
    rough = own + 0.08 * unit_rows(1) * np.sqrt(16) * 0.8
    with pytest.raises(RequestError):
        prove(rough, own, 0.98, facts(), "T")
    assert prove(rough, own, 0.9, facts(), "T").limit == 0.9


def test_another_width_is_refused():
    with pytest.raises(RequestError, match="the index holds vectors of 8 dimensions, T gives 16"):
        prove(unit_rows(0, width=8), unit_rows(0), 0.98, facts(dimension=8), "T")


def test_lengths_matter_unless_the_metric_is_cosine():
    own = 3 * unit_rows(0)
    assert prove(0.5 * own, own, 0.98, facts("cosine"), "T").unit is False
    for metric in ("dot", "l2"):
        with pytest.raises(RequestError, match=r"0\.50 times the length"):
            prove(0.5 * own, own, 0.98, facts(metric), "T")


def test_an_index_of_unit_vectors_wants_unit_queries():
    assert prove(unit_rows(0), 3 * unit_rows(0), 0.98, facts("l2"), "T").unit is True
