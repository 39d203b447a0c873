"""Boxes far from the corner are read where they are, in every type."""

import pytest
import torch
from detectron2.layers import ROIAlign

from vis_projects.layers import PreciseROIAlign

STRIDE = 8


def columns(dtype):
    """A map of 128 columns of 8 pixels whose value is the column; integers up to 256 are exact in both half types."""
    return torch.arange(128, dtype=dtype).expand(1, 1, 4, 128).contiguous()


def pooled(pool, maps, rois):
    return pool((1, 1), 1 / STRIDE, sampling_ratio=1, aligned=True)(maps, rois).flatten()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_no_region(dtype):
    out = PreciseROIAlign((2, 3), 1.0, 0, aligned=True)(columns(dtype), torch.zeros(0, 5))
    assert out.shape == (0, 1, 2, 3) and out.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_a_box_at_its_place(dtype):
    # the middle of 801 .. 803 is 802 px, 802 / 8 = 100.25 columns, whose value at pixel centres is 99.75
    rois = torch.tensor([[0.0, 801.0, 8.0, 803.0, 16.0]])
    value = pooled(PreciseROIAlign, columns(dtype), rois)
    assert value.dtype == dtype
    # float16 and bfloat16 hold values near 100 in steps of 1/16 and 1/2
    step = {torch.float16: 1 / 16, torch.bfloat16: 1 / 2}.get(dtype, 1e-5)
    assert abs(float(value) - 99.75) <= step / 2


def test_what_is_gained():
    """Between two columns of 0 and 1: 801.0 .. 801.9 is 801.45 px, 100.18 columns, 0.68 of the way from 99 to 100."""
    maps = (torch.arange(128) >= 100).to(torch.bfloat16).expand(1, 1, 4, 128).contiguous()
    rois = torch.tensor([[0.0, 801.0, 8.0, 801.9, 16.0]])
    assert float(pooled(PreciseROIAlign, maps, rois)) == pytest.approx(0.68125, abs=1 / 256)
    # Detectron2's rounds the box to the type of the maps: both ends are 800 in bfloat16, 100 columns, half of the way
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert float(pooled(ROIAlign, maps, rois)) == pytest.approx(0.5, abs=1 / 256)
        assert float(pooled(PreciseROIAlign, maps, rois)) == pytest.approx(0.68125, abs=1 / 256)


def test_gradients_reach_half_maps():
    maps = columns(torch.bfloat16).requires_grad_()
    pooled(PreciseROIAlign, maps, torch.tensor([[0.0, 801.0, 8.0, 803.0, 16.0]])).sum().backward()
    assert maps.grad.dtype == torch.bfloat16 and float(maps.grad.sum()) == pytest.approx(1.0, abs=0.01)
