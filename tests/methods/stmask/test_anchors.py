"""FCA: anchors are the footprints of their kernels; the baseline's and the paper's other readings; order."""

import pytest
import torch

from vis_projects.methods.stmask.anchors import anchor_shapes, level_anchors
from vis_projects.modeling.yolact import corner_form

FCA = ((3, 3), (3, 5), (5, 3))
RATIOS = (1.0, 0.5, 2.0)
LEVELS = ((48, 80), (24, 40), (12, 20), (6, 10), (3, 5))  # of 384 x 640
CPU = torch.device("cpu")


def test_anchors_of_fca_in_pixels():
    anchors = level_anchors(anchor_shapes(FCA, "kernel", RATIOS, (1.0,)), LEVELS, CPU)
    assert anchors.shape == (15345, 4)  # 3 * 5115 cells
    pixels = anchors * torch.tensor([640.0, 384.0, 640.0, 384.0])
    assert pixels[:3].tolist() == [[4, 4, 24, 24], [4, 4, 40, 24], [4, 4, 24, 40]]
    assert pixels[3:5].tolist() == [[12, 4, 24, 24], [12, 4, 40, 24]]  # cell by cell in rows
    last = torch.tensor([[576.0, 320, 384, 384], [576, 320, 640, 384], [576, 320, 384, 640]])
    assert torch.allclose(pixels[-3:], last)
    corners = corner_form(anchors)  # not clipped: 5 cells around the first of 3 begin at 1/6 - 5/6
    assert (corners.amin().item(), corners.amax().item()) == pytest.approx((-2 / 3, 5 / 3))


def test_anchors_of_the_baseline_and_of_the_papers_text():
    # 9 cells at ratio r = w : h are 3 sqrt r by 3 / sqrt r
    root = 2**0.5
    baseline = anchor_shapes(((3, 3),) * 3, "sqrt_ratio", RATIOS, (1.0,))
    sides = [side for (shape,) in baseline for side in shape]
    assert sides == pytest.approx([3, 3, 3 / root, 3 * root, 3 * root, 3 / root])
    text = anchor_shapes(FCA, "area_ratio", RATIOS, (1.0,))
    for (shape,), ratio in zip(text, (1, 5 / 3, 3 / 5)):
        assert shape[0] * shape[1] == pytest.approx(9) and shape[0] / shape[1] == pytest.approx(ratio)


def test_scales_are_inside_kernels():
    shapes = anchor_shapes(FCA, "kernel", RATIOS, (1.0, 2.0))
    assert shapes == (((3, 3), (6, 6)), ((5, 3), (10, 6)), ((3, 5), (6, 10)))
    assert level_anchors(shapes, ((1, 1),), CPU)[:, 2:].tolist() == [list(s) for kernel in shapes for s in kernel]


@pytest.mark.parametrize(
    ("kernels", "mode", "ratios", "scales", "message"),
    [
        (FCA, "square", RATIOS, (1.0,), r"MODEL\.STMASK\.ANCHOR\.MODE is 'square'; choose from"),
        (((3,),), "kernel", RATIOS, (1.0,), r"MODEL\.STMASK\.FCA\.KERNELS"),
        ((), "kernel", RATIOS, (1.0,), r"MODEL\.STMASK\.FCA\.KERNELS"),
        (FCA, "kernel", RATIOS, (), r"SCALES_PER_KERNEL"),
        (FCA, "sqrt_ratio", (1.0,), (1.0,), r"RATIOS has 1 entries for 3 kernels"),
    ],
)
def test_errors_name_the_key(kernels, mode, ratios, scales, message):
    with pytest.raises(ValueError, match=message):
        anchor_shapes(kernels, mode, ratios, scales)
