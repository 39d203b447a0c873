"""Cost terms against hand-worked numbers and the published code's printed values."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.tracking import (
    label_agreement,
    match_log_probs,
    match_logits,
    matching_scores,
    pairwise_box_iou,
)

# Log-probabilities, boxes and labels of the worked example of eq. 3.
LOG_PROBS = torch.tensor(
    [[-1.629849, -0.718529, -1.150204], [-1.810166, -0.625200, -1.199918], [-1.343987, -0.893897, -1.108245]]
)
BOXES = torch.tensor([[10.0, 10, 49, 49], [12, 12, 51, 51], [100, 20, 139, 79]])
MEMORY_BOXES = torch.tensor([[11.0, 11, 50, 50], [98, 22, 137, 81]])
SCORES, LABELS, MEMORY_LABELS = torch.tensor([0.9, 0.6, 0.3]), torch.tensor([3, 3, 5]), torch.tensor([3, 5])
COMBINED = torch.tensor(
    [[8.264791, 10.987903, -1.255564], [7.679008, 10.675767, -1.710744], [7.452040, -2.097870, 9.385779]]
)


def scores_of_example(**switches):
    return matching_scores(
        LOG_PROBS,
        SCORES,
        pairwise_box_iou(BOXES, MEMORY_BOXES, inclusive=True),
        label_agreement(LABELS, MEMORY_LABELS),
        **switches,
    )


@pytest.mark.parametrize("n, m", [(0, 0), (0, 3), (2, 0)])
def test_empty_sides_give_tables_of_the_right_shape(n, m):
    logits = match_logits(torch.zeros(n, 4), torch.zeros(m, 4))
    ious = pairwise_box_iou(torch.zeros(n, 4), torch.zeros(m, 4))
    agreement = label_agreement(torch.zeros(n), torch.zeros(m))
    combined = matching_scores(match_log_probs(logits), torch.ones(n), ious, agreement)
    assert logits.shape == combined.shape == (n, 1 + m)
    assert ious.shape == agreement.shape == (n, m)


def test_logits_are_dot_products_after_a_zero():
    logits = match_logits(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [-1.0, 0.5]]))
    # 1*3 + 2*4 = 11; 1*(-1) + 2*0.5 = 0
    assert logits.tolist() == [[0.0, 11.0, 0.0]]


def test_logits_stay_in_float32_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = match_logits(torch.tensor([[257.0]]), torch.tensor([[1.0]]))
    assert logits.dtype == torch.float32
    assert logits[0, 1].item() == 257.0  # bfloat16 would round it to 256


def test_log_probs_are_eq_2():
    log_probs = match_log_probs(torch.tensor([[0.0, math.log(2.0), math.log(3.0)]]))
    # exp: 1, 2, 3; the denominator is 1 + 2 + 3
    assert log_probs.exp()[0].tolist() == pytest.approx([1 / 6, 2 / 6, 3 / 6])


def test_iou_in_both_conventions():
    a, b = torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2], [2, 0, 4, 2], [5, 5, 6, 6]])
    # sides x1 - x0: overlap 1x2 of 4 + 4 - 2; touching boxes and apart ones 0
    assert pairwise_box_iou(a, b)[0].tolist() == pytest.approx([2 / 6, 0, 0])
    # sides x1 - x0 + 1: 2x3 of 9 + 9 - 6; one shared column of pixels 1x3 of 9 + 9 - 3
    assert pairwise_box_iou(a, b, inclusive=True)[0].tolist() == pytest.approx([6 / 12, 3 / 15, 0])


def test_iou_of_boxes_without_area_is_zero():
    point = torch.tensor([[3.0, 3, 3, 3]])
    assert pairwise_box_iou(point, point).item() == 0.0


def test_iou_of_the_worked_example():
    ious = pairwise_box_iou(BOXES, MEMORY_BOXES, inclusive=True)
    # 39 x 39 = 1521 common pixels of 1600 + 1600 - 1521; 38 x 58 = 2204 of 2400 + 2400 - 2204
    assert ious.flatten().tolist() == pytest.approx([1521 / 1679, 0, 1521 / 1679, 0, 0, 2204 / 2596])


def test_eq_3_of_the_worked_example():
    assert torch.allclose(scores_of_example(), COMBINED, atol=2e-6)


def test_a_coefficient_of_zero_takes_the_cue_out_of_every_column():
    assert torch.equal(scores_of_example(coefficients=(0, 0, 0)), LOG_PROBS)
    # gamma alone: +10 for "new" and for the track of the same class
    class_only = scores_of_example(coefficients=(0, 0, 10)) - LOG_PROBS
    assert torch.allclose(class_only, torch.tensor([[10.0, 10, 0], [10, 10, 0], [10, 0, 10]]), atol=1e-5)
    score_only = scores_of_example(coefficients=(1, 0, 0)) - LOG_PROBS
    assert torch.allclose(score_only, SCORES.log()[:, None].expand(3, 3), atol=1e-6)


def test_constants_of_the_new_column():
    raised = scores_of_example(new_iou=0.5, new_agreement=0.0)
    # beta * 0.5 = +1, and the class term of 10 is gone; tracks are not concerned
    assert torch.allclose(raised[:, 0], COMBINED[:, 0] + 1 - 10, atol=2e-6)
    assert torch.allclose(raised[:, 1:], COMBINED[:, 1:], atol=2e-6)


def test_a_score_of_zero_stays_finite():
    combined = matching_scores(torch.zeros(1, 1), torch.zeros(1), torch.zeros(1, 0), torch.zeros(1, 0))
    assert torch.isfinite(combined).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 5), m=st.integers(1, 5))
def test_another_track_does_not_change_how_the_others_compare(seed, n, m):
    rng = torch.Generator().manual_seed(seed)
    current, memory = torch.randn(n, 3, generator=rng), torch.randn(m + 1, 3, generator=rng)
    ious, agreement = torch.rand(n, m + 1, generator=rng), (torch.rand(n, m + 1, generator=rng) > 0.5).float()
    scores = torch.rand(n, generator=rng)

    def differences(count):
        log_probs = match_log_probs(match_logits(current, memory[:count]))
        combined = matching_scores(log_probs, scores, ious[:, :count], agreement[:, :count])
        return (combined[:, :, None] - combined[:, None, :])[:, : m + 1, : m + 1]

    assert torch.allclose(differences(m), differences(m + 1), atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 6), m=st.integers(0, 4))
def test_permuting_detections_permutes_rows(seed, n, m):
    rng = torch.Generator().manual_seed(seed)
    current, memory = torch.randn(n, 3, generator=rng), torch.randn(m, 3, generator=rng)
    order = torch.randperm(n, generator=rng)
    log_probs = match_log_probs(match_logits(current, memory))
    assert torch.allclose(match_log_probs(match_logits(current[order], memory)), log_probs[order], atol=1e-6)
