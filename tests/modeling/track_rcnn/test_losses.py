"""Identity targets and the track loss against hand-worked numbers."""

import math

import pytest
import torch

from vis_projects.modeling.track_rcnn import reference_pids, track_accuracy, track_loss


def ids(*values):
    return torch.tensor(values, dtype=torch.int64)


@pytest.mark.parametrize(
    "key, reference, expected",
    [
        (ids(), ids(), []),
        (ids(), ids(4), []),
        (ids(4, 9), ids(), [0, 0]),
        (ids(9, 4, 7), ids(4, 5, 9), [3, 1, 0]),
        (ids(4), ids(4), [1]),
    ],
)
def test_reference_pids_are_one_plus_the_position(key, reference, expected):
    pids = reference_pids(key, reference)
    assert pids.tolist() == expected and pids.dtype == torch.int64


def test_worked_example_of_three_positives():
    logits = torch.tensor([[0.0, 2.0, -1.0], [0.0, 0.5, 0.25], [0.0, -1.0, 3.0]])
    assert track_loss([logits], [ids(1, 0, 2)]).item() == pytest.approx(0.535023, abs=1e-6)
    # Rows 0 and 2 are right, row 1 prefers column 1 to its target 0.
    assert track_accuracy([logits], [ids(1, 0, 2)]) == pytest.approx(2 / 3)


def test_a_single_positive_counts_like_any_other():
    logits = torch.tensor([[0.0, 2.0, -1.0]])
    expected = math.log(1 + math.exp(2) + math.exp(-1)) - 2
    assert expected == pytest.approx(0.169846, abs=1e-6)
    assert track_loss([logits], [ids(1)]).item() == pytest.approx(expected, abs=1e-6)


def test_mean_over_rois_then_over_images():
    two, one = torch.zeros(2, 3), torch.zeros(1, 2)
    # ln 3 for each RoI of the first image, ln 2 for that of the second
    expected = (math.log(3) + math.log(2)) / 2
    assert track_loss([two, one], [ids(0, 1), ids(1)]).item() == pytest.approx(expected)


def test_an_image_without_positives_counts_one_without_reference_objects_does_not():
    taught, idle, alone = torch.zeros(1, 2), torch.zeros(0, 2), torch.zeros(3, 1)
    pids = [ids(1), ids(), ids(0, 0, 0)]
    assert track_loss([taught, idle, alone], pids).item() == pytest.approx(math.log(2) / 2)


@pytest.mark.parametrize("shape", [(0, 1), (0, 3), (2, 1)])
def test_nothing_to_learn_is_zero_and_still_connected(shape):
    logits = torch.randn(shape, requires_grad=True)
    loss = track_loss([logits], [torch.zeros(shape[0], dtype=torch.int64)])
    loss.backward()
    assert loss.item() == 0 and logits.grad is not None and logits.grad.abs().sum() == 0


def test_no_image_at_all_is_an_error():
    with pytest.raises(ValueError, match="at least one image"):
        track_loss([], [])


def test_accuracy_without_positives_is_none():
    assert track_accuracy([torch.zeros(0, 3)], [ids()]) is None
