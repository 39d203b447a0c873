"""The DeepLabV3+ decoder: sizes, the grid that resizes keep, branches of ASPP."""

import pytest
import torch
from torch import nn

from vis_projects.modeling.deeplab import ASPP, DeepLabV3PlusDecoder


@pytest.mark.parametrize("norm", ["BN", ""])
def test_sizes_and_gradients(norm):
    torch.manual_seed(0)
    decoder = DeepLabV3PlusDecoder(6, [(5, 3), (4, 2)], channels=8, rates=(1, 2, 3), norm=norm)
    features, lows = torch.rand(2, 6, 3, 4), [torch.rand(2, 5, 5, 7), torch.rand(2, 4, 9, 13)]
    out = decoder(features, lows)
    assert out.shape == (2, 8, 9, 13) and (out >= 0).all()
    out.sum().backward()
    assert all(p.grad is not None for p in decoder.parameters())


def test_the_mean_of_the_map_reaches_every_place():
    torch.manual_seed(0)
    aspp = ASPP(2, 4, (1,), "")
    x = torch.rand(1, 2, 5, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(aspp(x)[0, :, 0, 0].sum(), x)
    assert len(aspp.branches) == 2 and (gradient.abs().sum(dim=1) > 0).all()


def test_places_of_the_coarse_map_are_every_second_place_of_the_fine_one():
    decoder = DeepLabV3PlusDecoder(1, [(1, 1)], channels=1, rates=(), norm="")
    decoder.aspp = nn.Identity()
    seen = []
    decoder.fusions[0] = nn.Identity()
    decoder.fusions[0].register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    coarse = torch.arange(6.0).view(1, 1, 2, 3)
    decoder(coarse, [torch.zeros(1, 1, 3, 5)])
    assert torch.equal(seen[0][:, :1, ::2, ::2], coarse)


def test_finer_maps_must_be_as_many_as_announced():
    with pytest.raises(ValueError):
        DeepLabV3PlusDecoder(1, [(1, 1)], channels=1, rates=(1,))(torch.zeros(2, 1, 2, 2), [])
