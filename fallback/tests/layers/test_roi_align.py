"""ROIAlign on a ramp, whose bilinear samples are known exactly."""

import pytest
import torch

from detectron2.layers import ROIAlign


@pytest.fixture
def ramp():
    """8 x 8 cells with the value 10 * row + column at the centre of each."""
    return (torch.arange(8.0)[:, None] * 10 + torch.arange(8.0))[None, None]


def test_no_boxes(ramp):
    assert ROIAlign(2, 1.0, 0)(ramp, torch.zeros(0, 5)).shape == (0, 1, 2, 2)


def test_aligned_cells_are_exact(ramp):
    # Pixels [2, 4) x [3, 5) are cells 2, 3 and 3, 4.
    pooled = ROIAlign((2, 2), 1.0, 1)(ramp, torch.tensor([[0.0, 2, 3, 4, 5]]))
    assert pooled[0, 0].tolist() == [[32, 33], [42, 43]]


def test_without_alignment_everything_moves_by_half_a_cell(ramp):
    rois = torch.tensor([[0.0, 2, 3, 4, 5]])
    moved = ROIAlign((2, 2), 1.0, 1, aligned=False)(ramp, rois)
    # Half a row and half a column further: 5 + 0.5.
    assert moved[0, 0].tolist() == [[37.5, 38.5], [47.5, 48.5]]


def test_scale_is_cells_per_pixel(ramp):
    pooled = ROIAlign(1, 0.5, 1)(ramp, torch.tensor([[0.0, 4, 6, 6, 8]]))
    # Pixels [4, 6) x [6, 8) are cell (3, 2).
    assert pooled.item() == 32


def test_errors_and_text(ramp):
    with pytest.raises(AssertionError):
        ROIAlign(2, 1.0, 0)(ramp, torch.zeros(1, 4))
    assert repr(ROIAlign(7, 0.5, 2)) == "ROIAlign(output_size=7, spatial_scale=0.5, sampling_ratio=2, aligned=True)"


def test_integer_boxes_take_the_dtype_of_the_features(ramp):
    rois = torch.tensor([[0, 2, 3, 4, 5]])
    assert ROIAlign(2, 1.0, 1)(ramp.half(), rois).dtype == torch.float16
