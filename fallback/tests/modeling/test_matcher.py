"""Tests of `detectron2.modeling.matcher`."""

import pytest
import torch

from detectron2.modeling.matcher import Matcher


def test_without_ground_truth_everything_gets_the_first_label():
    matches, labels = Matcher([0.3, 0.7], [-1, 0, 1])(torch.zeros(0, 3))
    assert matches.tolist() == [0, 0, 0] and matches.dtype == torch.int64
    assert labels.tolist() == [-1, -1, -1] and labels.dtype == torch.int8


def test_without_predictions_nothing_is_matched():
    matches, labels = Matcher([0.5], [0, 1])(torch.zeros(2, 0))
    assert matches.shape == labels.shape == (0,)


def test_ranges_are_closed_below():
    quality = torch.tensor([[0.25, 0.5, 0.75, 0.9], [0.3, 0.0, 0.1, 0.95]])
    matches, labels = Matcher([0.5, 0.75], [0, -1, 1])(quality)
    assert matches.tolist() == [1, 0, 0, 1]
    assert labels.tolist() == [0, -1, 1, 1]


def test_low_quality_matches_promote_all_ties_and_keep_their_index():
    # Truth 0 is best met by column 1; truth 1 by columns 0 and 2 alike. Column 2's own best is truth 0.
    quality = torch.tensor([[0.1, 0.6, 0.4], [0.2, 0.0, 0.2]])
    matches, labels = Matcher([0.7], [0, 1], allow_low_quality_matches=True)(quality)
    assert matches.tolist() == [1, 0, 0]
    assert labels.tolist() == [1, 1, 1]


def test_thresholds_are_stored_with_infinite_ends():
    matcher = Matcher([0.4, 0.5], [0, -1, 1])
    assert matcher.thresholds == [-float("inf"), 0.4, 0.5, float("inf")]
    assert matcher.labels == [0, -1, 1] and matcher.allow_low_quality_matches is False


@pytest.mark.parametrize(
    "thresholds, labels", [([0.0], [0, 1]), ([0.6, 0.5], [0, 1, 1]), ([0.5], [0, 2]), ([0.5], [0, 1, 1])]
)
def test_bad_arguments_are_refused(thresholds, labels):
    with pytest.raises(AssertionError):
        Matcher(thresholds, labels)


@pytest.mark.parametrize("quality", [torch.zeros(3), -torch.ones(2, 2)])
def test_bad_matrices_are_refused(quality):
    with pytest.raises(AssertionError):
        Matcher([0.5], [0, 1])(quality)
