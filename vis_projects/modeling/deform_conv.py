"""A modulated deformable convolution that runs on every device, with the parameter names of Detectron2's."""

import torch
from detectron2.layers import get_norm
from torch import Tensor, nn
from torchvision.ops import deform_conv2d


class ModulatedDeformConv(nn.Module):
    """A convolution whose taps have offsets and weights of their own at every place (Zhu et al. 2019, DCNv2).

    Parameters are `weight`, `bias` where asked for, and those of `norm`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1, padding: int = 0,
        dilation: int = 1, groups: int = 1, bias: bool = False, norm: str = "",
    ) -> None:
        """
        Args:
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias: of `nn.Conv2d`.
            norm: name for Detectron2's `get_norm`; "" for none.
        """
        super().__init__()
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, kernel_size, kernel_size))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.norm = get_norm(norm, out_channels)

    def forward(self, x: Tensor, offset: Tensor, mask: Tensor | None) -> Tensor:
        """
        Args:
            x: (N, C, H, W) floating.
            offset: (N, 2 * k * k, H', W'), (dy, dx) of each tap, row by row, in cells.
            mask: (N, k * k, H', W'), factor of each tap; None for 1.

        Returns:
            (N, C', H', W') in the dtype of x.
        """
        # the operator takes one dtype for all of its inputs, also inside an autocast region
        weight, dtype = self.weight, x.dtype
        offset, mask = offset.to(dtype), None if mask is None else mask.to(dtype)
        bias = None if self.bias is None else self.bias.to(dtype)
        with torch.autocast(device_type=x.device.type, enabled=False):
            x = deform_conv2d(x, offset, weight.to(dtype), bias, self.stride, self.padding, self.dilation, mask)
        return x if self.norm is None else self.norm(x)
