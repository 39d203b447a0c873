"""The pseudo likelihood map and its losses, by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.methods.compfeat.losses import gaussian_targets, map_loss, mean_map_loss

SIZE, STRIDE = (12, 20), 8.0


def box(cx, cy, w, h):
    return torch.tensor([[cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]], dtype=torch.float64)


def test_no_boxes():
    assert gaussian_targets(torch.zeros(0, 4), SIZE, STRIDE).shape == (0, *SIZE)
    for kind in ("bce", "mse", "focal"):
        assert map_loss(torch.zeros(0, *SIZE), torch.zeros(0, *SIZE), kind).shape == (0,)
    logits = torch.zeros(0, requires_grad=True)
    total = mean_map_loss(logits, torch.zeros(0, dtype=torch.bool))
    total.backward()
    assert total == 0 and logits.grad is not None


@settings(max_examples=60, deadline=None)
@given(st.floats(1, 158), st.floats(1, 94), st.floats(2, 150), st.floats(2, 90))
def test_the_peak_is_at_the_cell_of_the_centre(cx, cy, w, h):
    target = gaussian_targets(box(cx, cy, w, h), SIZE, STRIDE)[0]
    assert math.exp(-1 / 4) - 1e-9 <= target.max() <= 1 and target.min() >= 0
    # a centre on the border of two cells is in either
    row, column = divmod(target.argmax().item(), SIZE[1])
    half = STRIDE / 2 + 1e-6
    assert abs((row + 0.5) * STRIDE - cy) <= half and abs((column + 0.5) * STRIDE - cx) <= half


def test_one_deviation_from_the_centre():
    # w = 64, sigma 1/4: s_x = 16, two cells; h = 16: s_y = max(4, 8) = 8, one cell; the centre is that of cell (5, 9)
    target = gaussian_targets(box(76.0, 44.0, 64.0, 16.0), SIZE, STRIDE)[0]
    assert target[5, 9] == 1
    assert [target[cell].item() for cell in ((5, 11), (6, 9))] == pytest.approx([math.exp(-1 / 2)] * 2)
    assert target[6, 11].item() == pytest.approx(math.exp(-1))


def test_a_mirrored_box_has_the_mirrored_map():
    given_box = box(37.0, 60.0, 50.0, 20.0)
    mirrored = box(SIZE[1] * STRIDE - 37.0, 60.0, 50.0, 20.0)
    expected = gaussian_targets(given_box, SIZE, STRIDE).flip(2)
    torch.testing.assert_close(gaussian_targets(mirrored, SIZE, STRIDE), expected)


@pytest.mark.parametrize("kind", ["bce", "mse"])
def test_loss_is_zero_where_the_map_is_right_and_only_there(kind):
    target = gaussian_targets(box(70.0, 50.0, 60.0, 40.0), SIZE, STRIDE).float()
    right = torch.logit(target.clamp(1e-6, 1 - 1e-6))
    assert map_loss(right, target, kind).item() == pytest.approx(0, abs=1e-5)
    assert (map_loss(right + 0.5, target, kind) > 1e-4).all() and (map_loss(right - 0.5, target, kind) > 1e-4).all()


def test_cross_entropy_by_hand():
    # one cell, logit 0: -ln(1/2) = ln 2; less the entropy of 1/4: -(1/4) ln(1/4) - (3/4) ln(3/4)
    entropy = -(math.log(1 / 4) / 4 + 3 * math.log(3 / 4) / 4)
    found = map_loss(torch.zeros(1, 1, 1), torch.full((1, 1, 1), 0.25), "bce").item()
    assert found == pytest.approx(math.log(2) - entropy, abs=1e-6)
    # an empty target has no entropy
    assert map_loss(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2), "bce").item() == pytest.approx(math.log(2), abs=1e-6)


def test_squared_difference_by_hand():
    # sigmoid(0) = 1/2: (1/2 - 1)^2 = 1/4 and (1/2 - 1/2)^2 = 0, mean 1/8
    assert map_loss(torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.5]]]), "mse").item() == pytest.approx(1 / 8)


def test_focal_by_hand():
    # peak: (1 - 1/2)^2 ln 2; cell with target 1/2: (1 - 1/2)^4 (1/2)^2 ln 2; empty cell: (1/2)^2 ln 2
    found = map_loss(torch.zeros(1, 1, 3), torch.tensor([[[0.9, 0.5, 0.0]]]), "focal").item()
    assert found == pytest.approx((1 / 4 + 1 / 64 + 1 / 4) * math.log(2), abs=1e-6)
    assert map_loss(torch.zeros(1, 1, 2), torch.zeros(1, 1, 2), "focal").item() == pytest.approx(math.log(2) / 2)


def test_objects_that_left_count_on_request():
    losses, present = torch.tensor([1.0, 4.0]), torch.tensor([True, False])
    assert mean_map_loss(losses, present).item() == pytest.approx(5 / 2)
    assert mean_map_loss(losses, present, absent_map=False).item() == pytest.approx(1)
    assert mean_map_loss(losses, torch.tensor([False, False]), absent_map=False).item() == 0


def test_an_unknown_loss_names_its_key():
    with pytest.raises(ValueError, match="MAP_LOSS is 'l1'"):
        map_loss(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1), "l1")
