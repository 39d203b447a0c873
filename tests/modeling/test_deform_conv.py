"""A deformable convolution: plain at zero offsets, shifted and weighted by hand."""

import pytest
import torch
from torch.nn import functional as F

from vis_projects.modeling.deform_conv import DeformConv


def layer(**options):
    torch.manual_seed(0)
    return DeformConv(2, 3, 3, padding=1, **options)


@pytest.mark.parametrize("stride", [1, 2])
def test_zero_offsets_make_it_a_plain_convolution(stride):
    conv = layer(stride=stride, bias=True)
    torch.nn.init.normal_(conv.bias)
    x = torch.randn(2, 2, 6, 8)
    expected = F.conv2d(x, conv.weight, conv.bias, stride=stride, padding=1)
    size = expected.shape[-2:]
    assert torch.allclose(conv(x, torch.zeros(2, 18, *size), torch.ones(2, 9, *size)), expected, atol=1e-5)
    assert torch.allclose(conv(x, torch.zeros(2, 18, *size), None), expected, atol=1e-5)
    bias = conv.bias.view(1, 3, 1, 1)
    halved = conv(x, torch.zeros(2, 18, *size), torch.full((2, 9, *size), 0.5))
    assert torch.allclose(halved - bias, (expected - bias) / 2, atol=1e-5)


def test_offsets_are_dy_dx_tap_by_tap_in_rows():
    conv = layer()
    x = torch.arange(35.0).view(1, 1, 5, 7).repeat(1, 2, 1, 1)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0, 0, 1] = 1.0  # tap 1: above
    offset = torch.zeros(1, 18, 5, 7)
    offset[:, 2], offset[:, 3] = 1.0, 2.0  # dy, dx of tap 1
    out = conv(x, offset, None)
    # above (2, 3) is (1, 3), moved by (1, 2) it is (2, 5): 2 * 7 + 5
    assert out[0, 0, 2, 3] == 19 and (out[0, 1:] == 0).all()


def test_names_are_those_of_detectron2():
    assert set(layer(norm="BN").state_dict()) == {"weight", "norm.weight", "norm.bias", "norm.running_mean",
                                                  "norm.running_var", "norm.num_batches_tracked"}
    assert set(layer(bias=True).state_dict()) == {"weight", "bias"}


def test_a_kernel_may_be_a_rectangle():
    conv = DeformConv(2, 3, (3, 5), padding=(1, 2))
    x = torch.randn(1, 2, 4, 6)
    expected = F.conv2d(x, conv.weight, padding=(1, 2))
    assert torch.allclose(conv(x, torch.zeros(1, 30, 4, 6)), expected, atol=1e-5)


def test_it_runs_inside_autocast():
    conv = layer()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = F.conv2d(torch.randn(1, 2, 4, 4), torch.randn(2, 2, 1, 1))
        out = conv(x, torch.zeros(1, 18, 4, 4))
    assert out.dtype == x.dtype == torch.bfloat16 and torch.isfinite(out).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_offsets_that_are_no_places_read_zeros_or_stay(value):
    conv = layer()
    x = torch.randn(1, 2, 5, 7)
    offset = torch.zeros(1, 18, 5, 7)
    offset[:, :, 2, 3] = value
    offset.requires_grad_()
    out = conv(x, offset)
    out.sum().backward()
    assert torch.isfinite(out).all() and torch.isfinite(offset.grad).all() and torch.isfinite(conv.weight.grad).all()
    plain = F.conv2d(x, conv.weight, padding=1)
    expected = plain[0, :, 2, 3] if value != value else torch.zeros(3)
    assert torch.allclose(out[0, :, 2, 3], expected, atol=1e-5)
