"""The objective against sentence-transformers' MSELoss and against the paper's sum written out."""

import numpy as np
import pytest
import torch

from isoglot.objective.distillation.loss import Terms, contrast_loss, cosine_loss, distillation_loss


def test_equals_mse_loss_at_one_translation(tiny_folder):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import MSELoss

    model = SentenceTransformer(str(tiny_folder / "teacher"), device="cpu")
    sources = ["the red house sings today", "a blue river falls often", "the old lamp turns never"]
    targets = ["xeht xder xesuoh", "ya yeulb yrevir", "zeht zdlo"]
    vectors = torch.randn(3, 24, generator=torch.Generator().manual_seed(0))
    theirs = MSELoss(model)([model.preprocess(sources), model.preprocess(targets)], vectors)
    both = torch.cat(
        [model.encode(sources, convert_to_tensor=True), model.encode(targets, convert_to_tensor=True)]
    )
    ours = distillation_loss(both, torch.cat([vectors, vectors]), torch.ones(6))
    assert abs(float(ours) - float(theirs.detach())) < 1e-6


@pytest.mark.parametrize("translations", [1, 2, 5])
def test_a_group_equals_the_papers_sum_over_its_pairs(translations):
    random = np.random.default_rng(translations)
    teacher, source = random.normal(size=(2, 7))
    others = random.normal(size=(translations, 7))
    pairs = sum((np.square(teacher - source) + np.square(teacher - other)).sum() / 7 for other in others)
    ours = distillation_loss(
        torch.from_numpy(np.vstack([source, others])),
        torch.from_numpy(np.tile(teacher, (translations + 1, 1))),
        torch.tensor([float(translations)] + [1.0] * translations, dtype=torch.float64),
    )
    assert float(ours) == pytest.approx(pairs / (2 * translations), abs=1e-12)


def test_contrast_equals_a_plain_loop_with_equal_targets_left_out():
    random = np.random.default_rng(0)
    vectors, targets = random.normal(size=(2, 5, 6))
    targets[3] = targets[1]  # two translations of one sentence
    expected = []
    for row in range(5):
        cosines = [
            float(vectors[row] @ target / np.linalg.norm(vectors[row]) / np.linalg.norm(target))
            for target in targets
        ]
        rivals = [c for other, c in enumerate(cosines) if other == row or {row, other} != {1, 3}]
        expected.append(np.log(sum(np.exp(20 * c) for c in rivals)) - 20 * cosines[row])
    ours = contrast_loss(torch.from_numpy(vectors), torch.from_numpy(targets))
    assert float(ours) == pytest.approx(np.mean(expected), abs=1e-9)


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(0)
    return torch.randn(6, 8, generator=random), torch.randn(6, 8, generator=random), torch.rand(6) + 0.5


def test_the_cosine_term_sees_directions_and_no_lengths(batch):
    vectors, targets, weights = batch
    assert float(cosine_loss(vectors, targets, weights)) == pytest.approx(
        float(cosine_loss(3 * vectors, targets, weights)), abs=1e-6
    )
    assert float(cosine_loss(targets, targets, weights)) == pytest.approx(0, abs=1e-6)
    plain, with_cosine = Terms(), Terms(cosine=2.0)
    difference = with_cosine.loss(*batch) - plain.loss(*batch)
    assert float(difference) == pytest.approx(2 / 8 * float(cosine_loss(*batch)), abs=1e-6)


def test_the_whole_alone_is_the_plain_objective(batch):
    plain = distillation_loss(*batch) + 0.2 / 8 * contrast_loss(*batch[:2])
    for prefixes in ((), (8,)):
        assert torch.allclose(Terms(contrast=0.2, prefixes=prefixes).loss(*batch), plain)


def test_prefixes_are_averaged_each_with_unit_length_and_equal_say(batch):
    unit = torch.nn.functional.normalize
    vectors, targets, weights = unit(batch[0], dim=1), unit(batch[1], dim=1), batch[2]
    squared = [
        float((unit(vectors[:, :width], dim=1) - unit(targets[:, :width], dim=1)).square().sum(1) @ weights)
        for width in (8, 4, 2)
    ]
    ours = Terms(prefixes=(8, 4, 2), normalise=True).loss(vectors, targets, weights)
    assert float(ours) == pytest.approx(sum(squared) / float(weights.sum()) / 8 / 3, abs=1e-6)


def test_prefixes_of_vectors_without_unit_length_are_cut_only(batch):
    vectors, targets, weights = batch
    front = float((vectors[:, :2] - targets[:, :2]).square().sum(1) @ weights) / float(weights.sum()) / 8
    whole = float(distillation_loss(*batch))
    assert float(Terms(prefixes=(8, 2)).loss(*batch)) == pytest.approx((front + whole) / 2, abs=1e-6)
