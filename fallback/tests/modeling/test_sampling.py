"""Tests of `detectron2.modeling.sampling`."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from detectron2.modeling.sampling import subsample_labels


def test_nothing_to_draw_from():
    positive, negative = subsample_labels(torch.zeros(0, dtype=torch.int64), 4, 0.5, 0)
    assert positive.numel() == negative.numel() == 0 and positive.dtype == torch.int64


def test_draws_a_permutation_of_positives_then_of_negatives():
    labels = torch.tensor([1, 0, -1, 2, 0, 0, 1])
    torch.manual_seed(5)
    positive, negative = subsample_labels(labels, 4, 0.5, 0)
    torch.manual_seed(5)
    expected_positive = torch.tensor([0, 3, 6])[torch.randperm(3)[:2]]
    expected_negative = torch.tensor([1, 4, 5])[torch.randperm(3)[:2]]
    assert positive.tolist() == expected_positive.tolist()
    assert negative.tolist() == expected_negative.tolist()


@given(
    labels=st.lists(st.integers(-1, 3), max_size=30),
    count=st.integers(0, 20),
    fraction=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    background=st.sampled_from([0, 3]),
)
def test_quotas_hold_and_rows_are_of_the_right_kind(labels, count, fraction, background):
    labels = torch.tensor(labels, dtype=torch.int64)
    positive, negative = subsample_labels(labels, count, fraction, background)
    available = int(((labels != -1) & (labels != background)).sum())
    assert len(positive) == min(available, int(count * fraction))
    assert len(negative) == min(int((labels == background).sum()), count - len(positive))
    assert len(set(positive.tolist())) == len(positive) and len(set(negative.tolist())) == len(negative)
    assert all(label not in (-1, background) for label in labels[positive].tolist())
    assert all(label == background for label in labels[negative].tolist())
