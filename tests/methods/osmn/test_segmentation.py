"""The segmentation network against the plain form with a whole hyper-column, object by object."""

import pytest
import torch
from torch.nn import functional as F

from tests.methods.osmn.clips import stirred_model
from vis_projects.methods.osmn.guides import heat_maps
from vis_projects.methods.osmn.segmentation import MODULATED_STRIDES

SIZE = (32, 48)


@pytest.fixture(scope="module")
def net():
    return stirred_model().propagator


def inputs(net, count, frames=2, seed=0):
    rng = torch.Generator().manual_seed(seed)
    images = torch.randn(frames, 3, *SIZE, generator=rng)
    factors = 1 + 0.3 * torch.randn(count, net.num_factors, generator=rng)
    locations = torch.rand(count, 4, generator=rng) * torch.tensor([48.0, 32.0, 8.0, 8.0]) + 1
    return images, torch.randint(0, frames, (count,), generator=rng), factors, locations


def plain_logits(net, image, factors, location):
    """One object: every layer in order, eq. 1 in full, all side maps enlarged, then the 1x1 convolution."""
    seg = net.segmentation
    heat = dict(zip(MODULATED_STRIDES, heat_maps(location[None], SIZE, MODULATED_STRIDES)))
    x, column, layer, start = image[None], [], 0, 0
    for s, stage in enumerate(seg.stages):
        x = F.max_pool2d(x, 2) if s else x
        for convolution in stage:
            x = convolution(x)
            if s >= 2:
                width = x.shape[1]
                gamma = factors[start : start + width].view(1, -1, 1, 1)
                spatial = net.spatial.layers[layer]
                beta = heat[2**s] * spatial.weight.view(1, -1, 1, 1) + spatial.bias.view(1, -1, 1, 1)
                x, start, layer = gamma * x + beta, start + width, layer + 1
        if s >= 1:
            column.append(F.interpolate(seg.sides[s - 1](x), size=SIZE, mode="bilinear", align_corners=False))
    weight = torch.cat([fuse.weight for fuse in seg.fuse], dim=1)
    return F.conv2d(torch.cat(column, dim=1), weight, seg.fuse[0].bias)[0, 0]


@torch.no_grad()
def test_no_object(net):
    images, frames, factors, locations = inputs(net, 0)
    assert net.logits(images, frames, factors, locations).shape == (0, *SIZE)


@torch.no_grad()
def test_a_batch_of_objects_in_several_frames_equals_one_by_one(net):
    images, frames, factors, locations = inputs(net, 5)
    together = net.logits(images, frames, factors, locations)
    for k in range(5):
        alone = plain_logits(net, images[frames[k]], factors[k], locations[k])
        torch.testing.assert_close(together[k], alone, atol=1e-4, rtol=1e-4)
    assert float(together.std(dim=0).max()) > 0.01  # the objects differ


@torch.no_grad()
@pytest.mark.parametrize("left_out", ["VISUAL_MODULATOR", "SPATIAL_MODULATOR"])
def test_each_modulator_can_be_left_out(left_out):
    model = stirred_model(f"MODEL.OSMN.{left_out}", False)
    net = model.propagator
    images, frames, factors, locations = inputs(net, 3, frames=1)
    visual = left_out != "VISUAL_MODULATOR"
    assert net.num_factors == (sum(net.segmentation.modulated_widths) if visual else 0)
    logits = net.logits(images, frames, factors if visual else None, locations)
    # without factors only the place tells objects apart, without a place only the factors
    again = net.logits(images, frames, factors if visual else None, locations.flip(0))
    torch.testing.assert_close(again if visual else again.flip(0), logits, atol=1e-5, rtol=1e-5)


def test_a_factor_for_every_channel_of_the_last_three_stages(net):
    # the narrow network: stages of 2, 2 and 2 layers of 64 channels
    assert net.segmentation.modulated_widths == [64] * 6
    assert [layer.out_channels for layer in net.spatial.layers] == [64] * 6
    assert net.visual.fc8.out_features == 384
