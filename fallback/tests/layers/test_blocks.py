"""CNNBlockBase.freeze."""

import pytest
import torch
from torch import nn

from detectron2.layers import CNNBlockBase, Conv2d, FrozenBatchNorm2d


class Block(CNNBlockBase):
    def __init__(self):
        super().__init__(3, 4, 2)
        self.conv = Conv2d(3, 4, 3, stride=2, norm=nn.BatchNorm2d(4))

    def forward(self, x):
        return self.conv(x)


def test_attributes():
    block = Block()
    assert (block.in_channels, block.out_channels, block.stride) == (3, 4, 2)
    with pytest.raises(NotImplementedError):
        CNNBlockBase(1, 1, 1)(torch.zeros(1))


def test_freeze_stops_gradients_and_statistics():
    block = Block()
    assert block.freeze() is block
    assert not any(parameter.requires_grad for parameter in block.parameters())
    assert isinstance(block.conv.norm, FrozenBatchNorm2d)
    before = block.conv.norm.running_mean.clone()
    block(torch.randn(2, 3, 5, 5))
    assert torch.equal(block.conv.norm.running_mean, before)
