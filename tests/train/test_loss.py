"""The objective against sentence-transformers' MSELoss and against the paper's sum written out."""

import numpy as np
import pytest
import torch

from isoglot.train.loss import contrast_loss, distillation_loss


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
