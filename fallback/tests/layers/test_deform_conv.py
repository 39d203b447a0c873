"""DeformConv and ModulatedDeformConv: construction, and the undeformed convolution at zero offsets."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from detectron2.layers import DeformConv, ModulatedDeformConv


def test_empty_batch():
    layer = DeformConv(2, 3, 3, padding=1, stride=2)
    assert layer(torch.zeros(0, 2, 5, 5), torch.zeros(0, 18, 3, 3)).shape == (0, 3, 3, 3)


def test_zero_offsets_are_a_convolution():
    layer = DeformConv(2, 3, 3, padding=1)
    x = torch.randn(1, 2, 5, 5)
    expected = F.conv2d(x, layer.weight, padding=1)
    assert torch.allclose(layer(x, torch.zeros(1, 18, 5, 5)), expected, atol=1e-5)


def test_offset_of_one_row_moves_the_image():
    layer = DeformConv(1, 1, 1)
    x = torch.randn(1, 1, 4, 4)
    offset = torch.zeros(1, 2, 4, 4)
    offset[:, 0] = 1.0  # (dy, dx)
    moved = layer(x, offset) / layer.weight.flatten()
    assert torch.allclose(moved[..., :3, :], x[..., 1:, :], atol=1e-6)


def test_weights_are_drawn_as_by_kaiming():
    torch.manual_seed(0)
    expected = nn.init.kaiming_uniform_(torch.empty(8, 4, 3, 3), nonlinearity="relu")
    for kind in (DeformConv, ModulatedDeformConv):
        torch.manual_seed(0)
        assert torch.equal(kind(4, 8, 3).weight, expected)


def test_keys_and_attributes():
    plain = DeformConv(4, 8, 3, stride=2, norm=nn.BatchNorm2d(8))
    assert plain.stride == (2, 2) and plain.padding == (0, 0) and plain.bias is None
    assert list(plain.state_dict())[:2] == ["weight", "norm.weight"]
    modulated = ModulatedDeformConv(4, 8, 3, stride=2)
    assert modulated.stride == 2 and modulated.bias.tolist() == [0] * 8
    assert ModulatedDeformConv(4, 8, 3, bias=False).bias is None


@pytest.mark.parametrize("arguments", [{"bias": True}, {"groups": 3}, {"groups": 2, "out_channels": 9}])
def test_wrong_arguments(arguments):
    with pytest.raises(AssertionError):
        DeformConv(**{"in_channels": 4, "out_channels": 8, "kernel_size": 3, **arguments})


def test_three_dimensions_are_refused():
    with pytest.raises(ValueError):
        DeformConv(2, 2, 3, padding=1)(torch.zeros(2, 4, 4), torch.zeros(18, 4, 4))


def test_text():
    sizes = "in_channels=4, out_channels=8, kernel_size=(3, 3), stride={0}, padding={1}, dilation={0}, groups=1, "
    assert repr(DeformConv(4, 8, 3)) == f"DeformConv({sizes.format((1, 1), (0, 0))}deformable_groups=1, bias=False)"
    modulated = f"ModulatedDeformConv({sizes.format(1, 0)}deformable_groups=1, bias=True)"
    assert repr(ModulatedDeformConv(4, 8, 3)) == modulated
