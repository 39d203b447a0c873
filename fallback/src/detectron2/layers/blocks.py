"""``CNNBlockBase``: the interface of the blocks that a backbone is made of."""

from torch import nn

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.layers.batch_norm import FrozenBatchNorm2d

__getattr__ = placeholder_getattr(__name__, ("DepthwiseSeparableConv2d",))


class CNNBlockBase(nn.Module):
    """A block that maps N x in_channels x H x W to N x out_channels x H/stride x W/stride.

    Attributes:
        in_channels, out_channels: int.
        stride: int.
    """

    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride

    def freeze(self):
        """Stop the gradients of all parameters and make every batch norm constant.

        Returns:
            The block itself.
        """
        self.requires_grad_(False)
        FrozenBatchNorm2d.convert_frozen_batchnorm(self)
        return self
