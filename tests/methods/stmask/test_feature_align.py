"""FCB: aligned offsets sample the centres of the box's bins; adaptive ones come from the box deltas."""

import itertools

import pytest
import torch
from torchvision.ops import deform_conv2d, roi_align

from vis_projects.methods.stmask.feature_align import FeatureAlign, aligned_offsets
from vis_projects.modeling.yolact import decode_boxes

VARIANCES = (0.1, 0.2)
SQRT2 = 2**0.5


@pytest.mark.parametrize(
    ("kernel", "anchor"),
    [
        ((3, 3), (3.0, 3.0)), ((3, 5), (5.0, 3.0)), ((5, 3), (3.0, 5.0)),  # FCA
        ((3, 3), (3 * SQRT2, 3 / SQRT2)), ((3, 3), (3 / SQRT2, 3 * SQRT2)),  # the baseline's anchors
        ((3, 5), (10.0, 6.0)),  # a larger scale
    ],
)
def test_aligned_taps_equal_roi_align_with_one_sample_per_bin(kernel, anchor):
    torch.manual_seed(0)
    height, width, (kh, kw) = 24, 30, kernel
    feature = torch.randn(1, 2, height, width, dtype=torch.float64)
    deltas = torch.randn(1, 4, height, width, dtype=torch.float64) * torch.tensor([3.0, 3, 1, 1]).view(1, 4, 1, 1)
    offsets = aligned_offsets(deltas, kernel, anchor, VARIANCES)
    # one output channel per tap and input channel
    weight = torch.zeros(2 * kh * kw, 2, kh, kw, dtype=torch.float64)
    for channel, row, column in itertools.product(range(2), range(kh), range(kw)):
        weight[(channel * kh + row) * kw + column, channel, row, column] = 1
    sampled = deform_conv2d(feature, offsets, weight, padding=(kh // 2, kw // 2))

    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    anchors = torch.stack([x, y, torch.full_like(x, anchor[0]), torch.full_like(x, anchor[1])], dim=-1).double()
    boxes = decode_boxes(deltas[0].permute(1, 2, 0), anchors, VARIANCES).view(-1, 4)
    pooled = roi_align(feature, [boxes], (kh, kw), spatial_scale=1.0, sampling_ratio=1, aligned=True)
    expected = pooled.view(height, width, -1).permute(2, 0, 1)
    # beyond the map one reads zeros and the other the border
    inside = ((boxes[:, :2] > 1) & (boxes[:, 2:] < torch.tensor([width - 1, height - 1]))).all(dim=1)
    inside = inside.view(height, width)
    assert inside.sum() > 50
    assert (sampled[0] - expected)[:, inside].abs().max() < 1e-6


def test_without_deltas_the_taps_of_a_kernel_sized_anchor_stay():
    assert (aligned_offsets(torch.zeros(1, 4, 2, 3), (3, 5), (5.0, 3.0), VARIANCES) == 0).all()


def test_offsets_by_hand():
    # dx = 10 of a 5 wide anchor: 0.1 * 10 * 5 = 5 cells; exp(0.2 dh) = 2 of a 3 high one: rows -1, 0, 1 to -2, 0, 2
    deltas = torch.tensor([10.0, 0.0, 0.0, 5 * 0.6931472]).view(1, 4, 1, 1)
    offsets = aligned_offsets(deltas, (3, 5), (5.0, 3.0), VARIANCES).view(3, 5, 2)
    assert torch.allclose(offsets[..., 0], torch.tensor([-1.0, 0.0, 1.0])[:, None].expand(3, 5), atol=1e-6)
    assert torch.allclose(offsets[..., 1], torch.full((3, 5), 5.0))


@pytest.mark.parametrize("kind", ["ada", "ali"])
def test_no_gradient_goes_into_the_boxes(kind):
    torch.manual_seed(0)
    layer = FeatureAlign(kind, 4, 2, (3, 5), (5.0, 3.0), VARIANCES)
    feature, deltas = torch.randn(2, 4, 6, 8, requires_grad=True), torch.randn(2, 4, 6, 8, requires_grad=True)
    out = layer(feature, deltas)
    assert out.shape == (2, 2, 6, 8)
    out.sum().backward()
    assert deltas.grad is None and (feature.grad != 0).any()
    assert all((parameter.grad != 0).any() for parameter in layer.parameters())


def test_names_and_size_are_the_published_ones():
    def size(kind):
        layers = [FeatureAlign(kind, 256, 41, kernel, kernel[::-1], VARIANCES) for kernel in ((3, 3), (3, 5), (5, 3))]
        return sum(parameter.numel() for layer in layers for parameter in layer.parameters())

    ada = FeatureAlign("ada", 8, 4, (3, 5), (5.0, 3.0), VARIANCES)
    assert set(ada.state_dict()) == {"conv_adaption.weight", "conv.weight", "conv.bias", "conv_offset.weight"}
    assert (ada.conv_offset.weight != 0).any()  # adaptive offsets do not start at zero
    taps = 9 + 15 + 15
    # beside the ordinary last layers: 256 * 256 per tap, and for ada 4 * 2 per tap
    assert size("ali") - (256 * 41 * taps + 3 * 41) == 256 * 256 * taps == 2_555_904
    assert size("ada") - size("ali") == 8 * taps


def test_errors_name_the_key():
    with pytest.raises(ValueError, match=r"MODEL\.STMASK\.FCB\.TYPE is 'bad'"):
        FeatureAlign("bad", 4, 4, (3, 3), (3.0, 3.0), VARIANCES)
    with pytest.raises(ValueError, match=r"FCB needs odd kernels"):
        FeatureAlign("ali", 4, 4, (3, 2), (2.0, 3.0), VARIANCES)
