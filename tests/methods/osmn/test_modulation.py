"""Eq. 1 and both modulators with numbers worked by hand."""

import pytest
import torch

from vis_projects.methods.osmn.segmentation import modulate
from vis_projects.methods.osmn.spatial_modulator import SpatialModulator
from vis_projects.methods.osmn.visual_modulator import VisualModulator


def visual(**changes):
    options = {"widths": (4, 4, 4, 4, 4), "convs": (1, 1, 1, 1, 1), "norm": "", "fc_dim": 6, "dropout": 0.5,
               "guide_size": 32, "num_factors": 5}
    return VisualModulator(**{**options, **changes})


def test_no_objects():
    x = torch.zeros(0, 2, 1, 2)
    assert modulate(x, torch.zeros(0, 2), torch.zeros(0, 2, 1, 2)).shape == x.shape
    assert visual()(torch.zeros(0, 3, 32, 32)).shape == (0, 5)
    assert SpatialModulator([4])(0, torch.zeros(0, 1, 2, 2)).shape == (0, 4, 2, 2)


def test_equation_1():
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])  # two channels of two pixels
    factors = torch.tensor([[2.0, -1.0]])
    shift = torch.tensor([[[[0.5, 0.0]], [[1.0, 10.0]]]])
    # channel 0: 2 * 1 + 0.5, 2 * 2 + 0; channel 1: -3 + 1, -4 + 10
    assert modulate(x, factors, shift).tolist() == [[[[2.5, 4.0]], [[-2.0, 6.0]]]]
    assert modulate(x, None, shift).tolist() == [[[[1.5, 2.0]], [[4.0, 14.0]]]]
    assert modulate(x, factors, None).tolist() == [[[[2.0, 4.0]], [[-3.0, -4.0]]]]
    assert modulate(x, None, None) is x


def test_each_object_has_its_own_factors():
    x = torch.ones(2, 1, 1, 1)
    assert modulate(x, torch.tensor([[3.0], [5.0]]), None).flatten().tolist() == [3, 5]


def test_spatial_modulator_scales_and_shifts_the_heat_map_per_channel():
    modulator = SpatialModulator([1, 2])
    with torch.no_grad():
        modulator.layers[1].weight.copy_(torch.tensor([2.0, -4.0]).view(2, 1, 1, 1))
        modulator.layers[1].bias.copy_(torch.tensor([0.0, 1.0]))
    heat = torch.tensor([[[[1.0, 0.25]]]])
    # channel 0: 2 m + 0; channel 1: -4 m + 1
    assert modulator(1, heat).tolist() == [[[[2.0, 0.5]], [[-3.0, 0.0]]]]


def test_before_training_the_modulators_change_next_to_nothing():
    torch.manual_seed(0)
    factors = visual().eval()(torch.rand(3, 3, 32, 32))
    assert torch.equal(factors, torch.ones(3, 5))
    assert float(SpatialModulator([8])(0, torch.ones(1, 1, 2, 2)).detach().abs().max()) < 0.01


def test_factors_depend_on_the_guide_once_trained():
    torch.manual_seed(0)
    modulator = visual().eval()
    torch.nn.init.normal_(modulator.fc8.weight)
    guides = torch.rand(2, 3, 32, 32)
    both = modulator(guides)
    assert not torch.allclose(both[0], both[1])
    torch.testing.assert_close(torch.cat([modulator(guide[None]) for guide in guides]), both)


@pytest.mark.parametrize("size", [0, 16, 48])
def test_a_guide_size_that_five_poolings_do_not_divide_is_named(size):
    with pytest.raises(ValueError, match=f"GUIDE_SIZE is {size}.*multiple of 32"):
        visual(guide_size=size)


@pytest.mark.parametrize("changes", [{"widths": (4, 4, 4)}, {"convs": (1, 1, 0, 1, 1)}])
def test_a_trunk_of_another_form_is_named(changes):
    with pytest.raises(ValueError, match="MODEL.OSMN.WIDTHS .* MODEL.OSMN.CONVS"):
        visual(**changes)
