"""Box coding and overlaps with numbers worked out by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_projects.modeling.yolact import (
    center_form,
    corner_form,
    decode_boxes,
    encode_boxes,
    enlarge_boxes,
    paired_diou,
    table_iou,
)

side = st.floats(0.01, 0.9)


def test_forms():
    boxes = torch.tensor([[0.0, 2.0, 4.0, 8.0]])
    assert center_form(boxes).tolist() == [[2.0, 5.0, 4.0, 6.0]]
    assert torch.equal(corner_form(center_form(boxes)), boxes)


def test_coding_by_hand():
    # anchor (10, 20, 10, 5); box centre (11, 19), size (20, 5)
    # dx = 1 / (0.1 * 10), dy = -1 / (0.1 * 5), dw = ln 2 / 0.2
    anchor = torch.tensor([[10.0, 20.0, 10.0, 5.0]])
    deltas = encode_boxes(torch.tensor([[1.0, 16.5, 21.0, 21.5]]), anchor)
    assert torch.allclose(deltas, torch.tensor([[1.0, -2.0, 5 * 0.6931472, 0.0]]))


@given(st.tuples(side, side, side, side), st.tuples(side, side, side, side))
@settings(max_examples=50, deadline=None)
def test_decoding_is_the_inverse(box, anchor):
    box = corner_form(torch.tensor([box], dtype=torch.float64))
    anchor = torch.tensor([anchor], dtype=torch.float64)
    assert torch.allclose(decode_boxes(encode_boxes(box, anchor), anchor), box, atol=1e-9)


def test_a_size_that_would_overflow_stops():
    anchor = torch.tensor([[0.5, 0.5, 0.1, 0.1]])
    deltas = torch.tensor([[0.0, 0.0, 1e6, -1e6]], requires_grad=True)
    box = decode_boxes(deltas, anchor)
    box.sum().backward()
    assert torch.isfinite(box).all() and torch.isfinite(deltas.grad).all()
    assert (box[0, 2] - box[0, 0]).item() == pytest.approx(0.1 * 22026.47, rel=1e-4)


def test_enlarging_clamps_sides_not_places():
    boxes = torch.tensor([[0.0, 0.4, 0.5, 0.5], [0.0, 0.0, 0.9, 0.0]])
    # widths 0.5 -> 0.6, 0.9 -> 1; heights 0.1 -> 0.12, 0 -> 1e-5
    expected = torch.tensor([[-0.05, 0.39, 0.55, 0.51], [-0.05, -5e-6, 0.95, 5e-6]])
    assert torch.allclose(enlarge_boxes(boxes, 1.2), expected, atol=1e-7)


def test_overlap_table():
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0], [5.0, 5.0, 5.0, 5.0]])
    b = torch.tensor([[1.0, 1.0, 3.0, 3.0], [0.0, 0.0, 2.0, 2.0], [8.0, 8.0, 9.0, 9.0]])
    # intersection 1 of union 4 + 4 - 1
    assert torch.allclose(table_iou(a, b), torch.tensor([[1 / 7, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    assert table_iou(a[:0], b).shape == (0, 3) and table_iou(a[None], b[None]).shape == (1, 2, 3)


def test_diou_by_hand():
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 2.0]])
    b = torch.tensor([[1.0, 1.0, 3.0, 3.0], [3.0, 0.0, 4.0, 1.0], [0.0, 0.0, 2.0, 2.0]])
    # 1/7 - 2/18; apart: 0 - 9/17; the same: 1
    assert torch.allclose(paired_diou(a, b), torch.tensor([1 / 7 - 2 / 18, -9 / 17, 1.0]))
    assert paired_diou(a[:0], b[:0]).shape == (0,)


@pytest.mark.parametrize("degenerate", [[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 3.0]])
def test_diou_of_boxes_without_area_is_finite(degenerate):
    box = torch.tensor([degenerate], requires_grad=True)
    value = paired_diou(box, torch.tensor([degenerate]))
    value.sum().backward()
    assert torch.isfinite(value).all() and torch.isfinite(box.grad).all()
