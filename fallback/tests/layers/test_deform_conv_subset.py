"""Deformable convolutions train on the CPU, which Detectron2's do not."""

import torch
import torch.nn.functional as F
from torch import nn

from detectron2.layers import DeformConv, ModulatedDeformConv


def test_gradients_reach_input_offset_and_weight():
    layer = DeformConv(2, 3, 3, padding=1, norm=nn.BatchNorm2d(3), activation=F.relu)
    x = torch.randn(1, 2, 5, 5, requires_grad=True)
    offset = torch.full((1, 18, 5, 5), 0.3, requires_grad=True)
    layer(x, offset).square().sum().backward()
    assert all(tensor.grad.abs().sum() > 0 for tensor in (x, offset, layer.weight))


def test_several_groups_of_offsets():
    layer = DeformConv(4, 2, 3, padding=1, deformable_groups=2)
    x = torch.randn(1, 4, 5, 5)
    expected = F.conv2d(x, layer.weight, padding=1)
    assert torch.allclose(layer(x, torch.zeros(1, 36, 5, 5)), expected, atol=1e-5)


def test_mask_weighs_the_taps():
    layer = ModulatedDeformConv(2, 3, 3, padding=1)
    nn.init.constant_(layer.bias, 2.0)
    x, offset = torch.randn(1, 2, 5, 5), torch.zeros(1, 18, 5, 5)
    expected = F.conv2d(x, layer.weight, padding=1) / 2 + 2
    assert torch.allclose(layer(x, offset, torch.full((1, 9, 5, 5), 0.5)), expected, atol=1e-5)


def test_empty_batch_keeps_the_graph():
    layer = ModulatedDeformConv(2, 3, 3, padding=1)
    out = layer(torch.zeros(0, 2, 5, 5), torch.zeros(0, 18, 5, 5), torch.zeros(0, 9, 5, 5))
    out.sum().backward()
    assert out.shape == (0, 3, 5, 5) and layer.weight.grad.abs().sum() == 0
