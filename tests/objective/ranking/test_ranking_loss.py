"""The ranking loss against a plain loop and, slowly, against sentence-transformers' own losses."""

import numpy as np
import pytest
import torch

from isoglot.objective.ranking.heads import InferenceHead
from isoglot.objective.ranking.loss import inference_features, ranking_loss, translation_loss

SOURCES = ["the red house sings today", "a blue river falls often", "the old lamp turns never"]
TARGETS = ["xeht xder xesuoh", "ya yeulb yrevir", "zeht zdlo"]
HARD = ["xa xder xeert", "yeht yeulb yrood", "za zpmal"]


@pytest.fixture
def vectors():
    random = torch.Generator().manual_seed(0)
    return [torch.randn(size, 6, generator=random, dtype=torch.float64) for size in (4, 4, 3)]


def plain(queries, candidates, margin, scale, left_out=(), weights=None):
    """The loss written out: one query, one candidate after another."""
    losses = []
    for row, query in enumerate(queries.numpy()):
        scores = {}
        for column, candidate in enumerate(candidates.numpy()):
            cosine = query @ candidate / np.linalg.norm(query) / np.linalg.norm(candidate)
            if row == column or (row, column) not in left_out:
                scores[column] = scale * (cosine - (margin if row == column else 0))
        losses.append(np.log(sum(np.exp(score) for score in scores.values())) - scores[row])
    return np.average(losses, weights=weights)


@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_it_equals_a_plain_loop(vectors, margin):
    sources, targets, negatives = vectors
    candidates = torch.cat([targets, negatives])
    ours = ranking_loss(sources, candidates, margin=margin, scale=20.0)
    assert float(ours) == pytest.approx(plain(sources, candidates, margin, 20.0), abs=1e-9)


def test_candidates_that_are_as_right_are_left_out_and_get_no_gradient(vectors):
    sources, targets, _ = vectors
    same = torch.zeros(4, 4, dtype=torch.bool)
    same[1, 3] = same[2, 2] = True  # what it says of the own candidate is not read
    targets.requires_grad_()
    ours = ranking_loss(sources, targets, margin=0.2, scale=5.0, same=same)
    expected = plain(sources, targets.detach(), 0.2, 5.0, {(1, 3)})
    assert float(ours.detach()) == pytest.approx(expected, abs=1e-9)
    weights = torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    ranking_loss(sources, targets, margin=0.2, scale=5.0, same=same, weights=weights).backward()
    assert torch.equal(targets.grad[3], torch.zeros(6, dtype=torch.float64))
    assert float(targets.grad[2].abs().sum()) > 0


def test_a_query_with_no_rival_left_loses_nothing(vectors):
    sources, targets, _ = vectors
    same = torch.ones(4, 4, dtype=torch.bool)
    sources.requires_grad_()
    loss = ranking_loss(sources, targets, margin=0.3, scale=20.0, same=same)
    loss.backward()
    assert float(loss.detach()) == 0
    assert torch.isfinite(sources.grad).all()


def test_weights_are_those_of_a_mean(vectors):
    sources, targets, _ = vectors
    weights = torch.tensor([1.0, 2.0, 0.5, 0.0], dtype=torch.float64)
    ours = ranking_loss(sources, targets, margin=0.0, scale=3.0, weights=weights)
    assert float(ours) == pytest.approx(plain(sources, targets, 0.0, 3.0, weights=weights.numpy()), abs=1e-9)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_translations_are_ranked_in_both_directions_with_hard_negatives_in_one(vectors, bidirectional):
    sources, targets, negatives = vectors
    same = torch.zeros(4, 7, dtype=torch.bool)
    same[0, 2] = same[3, 6] = True
    weights = torch.tensor([1.0, 1.0, 2.0, 1.0], dtype=torch.float64)
    ours = translation_loss(
        sources, targets, negatives, margin=0.3, scale=20.0, bidirectional=bidirectional, same=same,
        weights=weights,
    )  # fmt: skip
    candidates = torch.cat([targets, negatives])
    there = plain(sources, candidates, 0.3, 20.0, {(0, 2), (3, 6)}, weights.numpy())
    back = plain(targets, sources, 0.3, 20.0, {(2, 0)}, weights.numpy())
    assert float(ours) == pytest.approx((there + back) / 2 if bidirectional else there, abs=1e-9)


def test_features_of_an_inference(vectors):
    u, v, _ = vectors
    three = inference_features(u, v, product=False)
    assert torch.equal(three, torch.cat([u, v, (u - v).abs()], dim=1))
    assert torch.equal(inference_features(u, v, product=True), torch.cat([three, u * v], dim=1))


@pytest.fixture(scope="module")
def peer(tiny_folder):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(tiny_folder / "teacher"), device="cpu")


def encoded(peer, texts):
    return peer.encode(texts, convert_to_tensor=True)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [20.0, 7.0])
@pytest.mark.parametrize("hard", [False, True])
def test_at_margin_0_it_equals_multiple_negatives_ranking(peer, scale, hard):
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    columns = [SOURCES, TARGETS, HARD] if hard else [SOURCES, TARGETS]
    theirs = MultipleNegativesRankingLoss(peer, scale=scale)(
        [peer.preprocess(column) for column in columns], None
    )
    candidates = torch.cat([encoded(peer, column) for column in columns[1:]])
    ours = ranking_loss(encoded(peer, SOURCES), candidates, margin=0.0, scale=scale)
    assert abs(float(ours) - float(theirs.detach())) < 1e-6
    assert float(theirs.detach()) > 0.1


@pytest.mark.slow
def test_at_margin_0_both_directions_equal_the_symmetric_one(peer):
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    both = MultipleNegativesRankingLoss(
        peer, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction"
    )
    theirs = both([peer.preprocess(column) for column in (SOURCES, TARGETS, HARD)], None)
    ours = translation_loss(
        *(encoded(peer, column) for column in (SOURCES, TARGETS, HARD)),
        margin=0.0, scale=20.0, bidirectional=True, same=torch.zeros(3, 6, dtype=torch.bool),
        weights=torch.ones(3),
    )  # fmt: skip
    assert abs(float(ours) - float(theirs.detach())) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("product", [False, True])
def test_the_inference_head_equals_softmax_loss(peer, product):
    from sentence_transformers.sentence_transformer.losses import SoftmaxLoss

    theirs = SoftmaxLoss(peer, 24, 3, concatenation_sent_multiplication=product)
    head = InferenceHead(24, product=product)
    head.linear.load_state_dict(theirs.classifier.state_dict())
    labels = torch.tensor([2, 0, 1])
    expected = theirs([peer.preprocess(SOURCES), peer.preprocess(TARGETS)], labels)
    scores = head(encoded(peer, SOURCES), encoded(peer, TARGETS))
    ours = torch.nn.functional.cross_entropy(scores, labels)
    assert abs(float(ours.detach()) - float(expected.detach())) < 1e-6
