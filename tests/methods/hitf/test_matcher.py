"""Eqs. 6 to 8 on cases whose numbers are worked out by hand."""

import pytest
import torch

from vis_projects.methods.hitf.matcher import match_slots, similarities
from vis_projects.methods.hitf.targets import FrameTargets

EMPTY = 2  # two classes


def target(*masks, classes, counted=None):
    masks = torch.tensor(masks, dtype=torch.float32).view(len(classes), 1, -1)
    counted = torch.ones(masks.shape[1:], dtype=torch.bool) if counted is None else torch.tensor([counted])
    return FrameTargets(masks, torch.tensor(classes, dtype=torch.int64), counted)


def rows(*values):
    """(L, 1, pixels) or (L, classes + 1)."""
    return torch.tensor(values, dtype=torch.float32)


def test_similarity_of_a_pair_of_frames_by_hand():
    # object 0: pixels 0 and 1 at t, pixel 1 at t - 1, class 0; object 1: pixel 3 at t, absent at t - 1, class 1
    now = target([1, 1, 0, 0], [0, 0, 0, 1], classes=[0, 1])
    before = target([0, 1, 0, 0], [0, 0, 0, 0], classes=[0, EMPTY])
    masks_now = rows([[1, 0.5, 0, 0]], [[0, 0.5, 0, 1]])
    masks_before = rows([[0, 1, 0.5, 0]], [[0, 0, 0.5, 0]])
    probs_now = rows([0.75, 0, 0.25], [0, 0.5, 0.5])
    probs_before = rows([0.5, 0.25, 0.25], [0, 0.25, 0.75])
    found = similarities([probs_now, probs_before], [masks_now, masks_before], [now, before])
    # object 0, slot 0: common 1.5 + 1, sizes (2 + 1.5) + (1 + 1.5) = 6, class 0.75 + 0.5: 5/6 * 5/4 = 25/24
    # object 0, slot 1: common 0.5 + 0, sizes (2 + 1.5) + (1 + 0.5) = 5, class 0 + 0: 0
    # object 1, slot 0: common 0 + 0: 0
    # object 1, slot 1: common 1 + 0, sizes (1 + 1.5) + (0 + 0.5) = 3, class 0.5 + 0.75 (empty): 2/3 * 5/4 = 5/6
    assert torch.allclose(found, rows([25 / 24, 0], [0, 5 / 6]), atol=1e-5)
    assert match_slots(found).tolist() == [0, 1]


def test_without_pairs_frame_t_alone_counts_and_a_repeated_frame_gives_the_same_slots():
    rng = torch.Generator().manual_seed(0)
    for _ in range(20):
        shown = target(*(torch.rand(3, 12, generator=rng) > 0.6).float().tolist(), classes=[0, 1, 1])
        probs = torch.rand(5, 3, generator=rng).softmax(dim=1)
        masks = torch.randn(5, 1, 12, generator=rng).softmax(dim=0)
        alone = similarities([probs], [masks], [shown])
        # both frames alike: the Dice coefficient stays, the sum of class probabilities doubles
        twice = similarities([probs, probs], [masks, masks], [shown, shown])
        assert torch.allclose(twice, 2 * alone, atol=1e-5)
        assert match_slots(alone).tolist() == match_slots(twice).tolist()


def test_a_perfect_slot_has_similarity_2_over_two_frames():
    shown = target([1, 0, 1], classes=[1])
    found = similarities([rows([0, 1, 0])] * 2, [rows([[1, 0, 1]])] * 2, [shown] * 2)
    assert found.item() == pytest.approx(2.0, abs=1e-5)


def test_pixels_that_do_not_count_are_left_out():
    counted = [True, True, False]
    shown = target([1, 0, 1], classes=[1], counted=counted)
    one, two = (similarities([rows([0, 1, 0])], [rows([mask])], [shown]) for mask in ([1, 0, 0], [1, 0, 1]))
    assert one.item() == two.item() == pytest.approx(1.0, abs=1e-5)


def test_the_assignment_is_the_best_in_sum_not_row_by_row():
    # greedy: 0 -> 0 (0.9), 1 -> 1 (0.1), together 1.0; best: 0 -> 1 (0.8), 1 -> 0 (0.7), together 1.5
    assert match_slots(rows([0.9, 0.8, 0], [0.7, 0.1, 0])).tolist() == [1, 0]


def test_permuted_objects_permute_the_assignment():
    rng = torch.Generator().manual_seed(1)
    table = torch.rand(4, 6, generator=rng)
    order = torch.tensor([3, 1, 0, 2])
    assert match_slots(table)[order].tolist() == match_slots(table[order]).tolist()


def test_as_many_objects_as_slots_and_none():
    assert sorted(match_slots(torch.rand(4, 4)).tolist()) == [0, 1, 2, 3]
    assert match_slots(torch.zeros(0, 4)).shape == (0,)
    none = FrameTargets(torch.zeros(0, 1, 3), torch.zeros(0, dtype=torch.int64), torch.ones(1, 3, dtype=torch.bool))
    assert similarities([rows([1, 0, 0])], [rows([[1, 0, 0]])], [none]).shape == (0, 1)


def test_no_gradient_flows_and_what_is_wrong_is_named():
    masks = rows([[1, 0.5]]).requires_grad_()
    assert not similarities([rows([0, 1, 0])], [masks], [target([1, 0], classes=[1])]).requires_grad
    with pytest.raises(ValueError, match="2 objects for 1 slots"):
        match_slots(torch.zeros(2, 1))
    with pytest.raises(FloatingPointError, match="not finite"):
        match_slots(torch.tensor([[float("nan")]]))
