"""Tests of `detectron2.modeling.box_regression`."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from detectron2.modeling.box_regression import Box2BoxTransform
from detectron2.structures import Boxes

SOURCE = torch.tensor([[0.0, 0.0, 10.0, 20.0]])
TARGET = torch.tensor([[5.0, 0.0, 25.0, 20.0]])


def test_no_boxes():
    transform = Box2BoxTransform((1.0, 1.0, 1.0, 1.0))
    assert transform.get_deltas(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0, 4)
    assert transform.apply_deltas(torch.zeros(0, 8), torch.zeros(0, 4)).shape == (0, 8)


def test_deltas_by_hand():
    # Centres (5, 10) and (15, 10), sizes 10x20 and 20x20: shift 10/10, 0/20; log(20/10), log(20/20).
    deltas = Box2BoxTransform((2.0, 1.0, 3.0, 1.0)).get_deltas(SOURCE, TARGET)
    assert deltas[0].tolist() == pytest.approx([2.0 * 1, 0.0, 3 * math.log(2), 0.0])


def test_large_growth_is_clamped():
    transform = Box2BoxTransform((1.0, 1.0, 1.0, 1.0))
    assert transform.scale_clamp == math.log(1000 / 16)
    box = transform.apply_deltas(torch.tensor([[0.0, 0.0, 100.0, 0.0]]), SOURCE)
    # The width becomes 10 * 1000 / 16 = 625 around the centre 5.
    assert box[0].tolist() == pytest.approx([5 - 312.5, 0.0, 5 + 312.5, 20.0], rel=1e-5)


def test_several_sets_of_deltas_and_half_precision():
    transform = Box2BoxTransform((1.0, 1.0, 1.0, 1.0))
    boxes = transform.apply_deltas(torch.tensor([[0, 0, 0, 0, 1.0, 0, 0, 0]]).half(), SOURCE.half())
    assert boxes.dtype == torch.float32
    assert boxes.tolist() == [[0.0, 0.0, 10.0, 20.0, 10.0, 0.0, 20.0, 20.0]]


def test_bad_sources_are_refused():
    transform = Box2BoxTransform((1.0, 1.0, 1.0, 1.0))
    with pytest.raises(AssertionError):
        transform.get_deltas(torch.tensor([[3.0, 0.0, 3.0, 5.0]]), TARGET)
    with pytest.raises(AssertionError):
        transform.get_deltas(Boxes(SOURCE), TARGET)


side = st.floats(1, 100, width=32)
box = st.tuples(side, side, side, side).map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]])


@given(source=box, target=box)
def test_applying_deltas_undoes_getting_them(source, target):
    transform = Box2BoxTransform((10.0, 10.0, 5.0, 5.0))
    source, target = torch.tensor([source]), torch.tensor([target])
    found = transform.apply_deltas(transform.get_deltas(source, target), source)
    if (target[:, 2:] - target[:, :2] <= 62 * (source[:, 2:] - source[:, :2])).all():
        assert torch.allclose(found, target, atol=1e-2)
