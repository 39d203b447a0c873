"""The appearance network: sizes, unit length, independence of the crops of one another."""

import pytest
import torch

from vis_projects.methods.deepsort.network import AppearanceNet, ResidualBlock


def net(**kwargs):
    torch.manual_seed(0)
    return AppearanceNet(**{"crop_size": 16, "width": 8, "embed_dim": 4, **kwargs})


@pytest.mark.parametrize("count", [0, 1, 3])
def test_unit_vectors(count):
    vectors = net()(torch.randn(count, 3, 16, 16))
    assert vectors.shape == (count, 4) and vectors.dtype == torch.float32
    assert vectors.norm(dim=1).tolist() == pytest.approx([1.0] * count)


def test_a_crop_alone_and_among_others_gives_the_same():
    model, crops = net(), torch.randn(4, 3, 16, 16)
    assert torch.allclose(model(crops)[2], model(crops[2:3])[0], atol=1e-5)


def test_every_parameter_learns():
    model = net()
    (model(torch.randn(3, 3, 16, 16)) * torch.randn(3, 4)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_published_layers():
    # two convolutions, six blocks of two, one dense layer, three strides of 2
    model = AppearanceNet()
    assert len(model.blocks) == 6 and model.dense.in_features == 128 * 8 * 8 and model.dense.out_features == 128


@pytest.mark.parametrize("channels, out_channels, stride, size", [(8, 8, 1, 6), (8, 16, 2, 3)])
def test_block_sizes(channels, out_channels, stride, size):
    found = ResidualBlock(channels, out_channels, stride)(torch.randn(2, channels, 6, 6))
    assert found.shape == (2, out_channels, size, size)


@pytest.mark.parametrize("key, value", [("crop_size", 12), ("crop_size", 0), ("width", 12)])
def test_settings_are_checked(key, value):
    with pytest.raises(ValueError, match=f"MODEL.REID.{key.upper()} is {value}"):
        net(**{key: value})
