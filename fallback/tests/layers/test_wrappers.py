"""Conv2d with norm and activation, and the small tensor functions."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from detectron2.layers import (
    Conv2d,
    ShapeSpec,
    cat,
    cross_entropy,
    interpolate,
    move_device_like,
    nonzero_tuple,
    shapes_to_tensor,
)
from detectron2.layers.wrappers import empty_input_loss_func_wrapper


class TestConv2d:
    def test_empty_batch(self):
        conv = Conv2d(3, 4, 3, padding=1, stride=2, norm=nn.BatchNorm2d(4))
        assert conv(torch.zeros(0, 3, 5, 5)).shape == (0, 4, 3, 3)
        with pytest.raises(AssertionError):
            Conv2d(3, 4, 3, norm=nn.SyncBatchNorm(4))(torch.zeros(0, 3, 5, 5))

    def test_is_convolution_then_norm_then_activation(self):
        norm = nn.GroupNorm(2, 4)
        conv = Conv2d(3, 4, 3, padding=1, norm=norm, activation=F.relu)
        x = torch.randn(2, 3, 5, 5)
        expected = F.relu(norm(F.conv2d(x, conv.weight, conv.bias, padding=1)))
        assert torch.equal(conv(x), expected)

    def test_keys_and_defaults(self):
        conv = Conv2d(3, 4, 3, norm=nn.BatchNorm2d(4))
        assert list(conv.state_dict())[:4] == ["weight", "bias", "norm.weight", "norm.bias"]
        plain = Conv2d(3, 4, 3)
        assert plain.norm is None and plain.activation is None
        with pytest.raises(TypeError):
            Conv2d(3, 4, 3, nonsense=1)

    def test_same_random_draws_as_torch(self):
        torch.manual_seed(0)
        ours = Conv2d(3, 4, 3, norm=nn.BatchNorm2d(4)).weight
        torch.manual_seed(0)
        assert torch.equal(ours, nn.Conv2d(3, 4, 3).weight)


def test_cat():
    one, two = torch.ones(1, 2), torch.ones(1, 3)
    assert cat([one]) is one
    assert cat((one, two), dim=1).shape == (1, 5)
    with pytest.raises(AssertionError):
        cat(torch.ones(2, 2))


def test_cross_entropy_of_nothing_is_zero_with_gradient():
    scores = torch.zeros(0, 3, requires_grad=True)
    loss = cross_entropy(scores, torch.zeros(0, dtype=torch.int64))
    assert loss.item() == 0 and loss.requires_grad
    assert cross_entropy(scores, torch.zeros(0, dtype=torch.int64), reduction="none").shape == (0,)


def test_cross_entropy_of_something_is_torchs():
    scores, target = torch.tensor([[1.0, 2], [3, 1]]), torch.tensor([0, 1])
    for kwargs in ({}, {"reduction": "sum"}, {"reduction": "none"}, {"weight": torch.tensor([1.0, 2])}):
        assert torch.equal(cross_entropy(scores, target, **kwargs), F.cross_entropy(scores, target, **kwargs))


def test_wrapper_of_other_losses():
    loss = empty_input_loss_func_wrapper(F.mse_loss)
    assert loss(torch.zeros(0), torch.zeros(0)).item() == 0
    assert loss(torch.zeros(2), torch.full((2,), 3.0)).item() == 9


def test_nonzero_tuple():
    rows, columns = nonzero_tuple(torch.tensor([[1, 0], [0, 1]]))
    assert rows.tolist() == [0, 1] and columns.tolist() == [0, 1]
    assert [index.tolist() for index in nonzero_tuple(torch.tensor(1))] == [[0]]
    assert [index.tolist() for index in nonzero_tuple(torch.zeros(0))] == [[]]


def test_sizes_and_devices():
    assert shapes_to_tensor([1, 2, 3]).dtype == torch.int64
    assert shapes_to_tensor((1, 2), device="cpu").tolist() == [1, 2]
    assert move_device_like(torch.ones(2), torch.zeros(1)).device.type == "cpu"
    assert interpolate is F.interpolate


def test_shape_spec():
    spec = ShapeSpec(channels=3, stride=2)
    assert (spec.channels, spec.height, spec.width, spec.stride) == (3, None, None, 2)
    assert ShapeSpec(3, 4) == ShapeSpec(channels=3, height=4) != ShapeSpec()
    with pytest.raises(TypeError):
        hash(spec)
