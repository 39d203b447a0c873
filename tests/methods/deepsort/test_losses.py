"""The identity loss, by hand and in its corners."""

import math

import pytest
import torch

from vis_projects.methods.deepsort.losses import identity_loss, nearest_accuracy

X, Y = (1.0, 0.0), (0.0, 1.0)


def vectors(*rows):
    return torch.tensor(rows).reshape(-1, 2)


def test_without_pairs_it_is_a_connected_zero():
    for identities in ([], [3], [3, 4], [-1, -1]):
        embeddings = torch.rand(len(identities), 2, requires_grad=True)
        loss = identity_loss(embeddings, torch.tensor(identities, dtype=torch.int64), 0.1)
        loss.backward()
        assert loss == 0 and embeddings.grad.abs().sum() == 0
        assert nearest_accuracy(embeddings, torch.tensor(identities, dtype=torch.int64)) is None


def test_a_pair_and_a_stranger():
    # crops x, x, y of objects 0, 0, 1: each x finds its like among (cosine 1, cosine 0)
    loss = identity_loss(vectors(X, X, Y), torch.tensor([0, 0, 1]), 0.5)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2)))
    assert nearest_accuracy(vectors(X, X, Y), torch.tensor([0, 0, 1])) == 1.0


def test_two_positives_are_averaged():
    # the first crop has cosines 1 and 0 to its two likes: -log(e / (e + 1)) and -log(1 / (e + 1)), temperature 1;
    # the second is the first again; the third has cosine 0 to both: log 2 each
    loss = identity_loss(vectors(X, X, Y), torch.tensor([5, 5, 5]), 1.0)
    one = (math.log(1 + math.exp(-1)) + math.log(1 + math.e)) / 2
    assert loss.item() == pytest.approx((2 * one + math.log(2)) / 3)


def test_a_wrong_nearest_counts_as_wrong():
    # object 0 is x and y, object 1 is x: the first crop's nearest is the stranger, the second's is a tie won by the
    # first
    assert nearest_accuracy(vectors(X, Y, X), torch.tensor([0, 0, 1])) == 0.5


def test_unknown_identities_are_negatives_only():
    with_unknown = identity_loss(vectors(X, X, Y), torch.tensor([0, 0, -1]), 0.5)
    assert with_unknown.item() == pytest.approx(math.log(1 + math.exp(-2)))
    assert identity_loss(vectors(X, X, X, X), torch.tensor([0, 0, -1, -1]), 0.5).item() == pytest.approx(math.log(3))


def test_gradients():
    embeddings = torch.nn.functional.normalize(torch.randn(5, 3, dtype=torch.float64), dim=1).requires_grad_()
    identities = torch.tensor([0, 0, 1, 1, -1])
    identity_loss(embeddings, identities, 0.3).backward()
    assert embeddings.grad.isfinite().all() and embeddings.grad.abs().sum() > 0
