"""A deformable convolution that runs on every device, with the parameter names of Detectron2's."""

import torch
from detectron2.layers import get_norm
from torch import Tensor, nn
from torchvision.ops import deform_conv2d

FAR = 1e4  # cells; beyond any map, and well within an int


class DeformConv(nn.Module):
    """A convolution whose taps have offsets at every place, and maybe weights (Zhu et al. 2019, DCNv2).

    Parameters are `weight`, `bias` where asked for, and those of `norm`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int], *, stride: int = 1,
        padding: int | tuple[int, int] = 0, dilation: int = 1, groups: int = 1, bias: bool = False, norm: str = "",
    ) -> None:
        """
        Args:
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias: of `nn.Conv2d`.
            norm: name for Detectron2's `get_norm`; "" for none.
        """
        super().__init__()
        self.stride, self.padding, self.dilation = stride, padding, dilation
        kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, *kernel))
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.norm = get_norm(norm, out_channels)

    def forward(self, x: Tensor, offset: Tensor, mask: Tensor | None = None) -> Tensor:
        """
        Args:
            x: (N, C, H, W) floating.
            offset: (N, 2 * kh * kw, H', W'), (dy, dx) of each tap, row by row, in cells.
            mask: (N, kh * kw, H', W'), factor of each tap; None for 1.

        Returns:
            (N, C', H', W') in the dtype of x.
        """
        # one dtype for all inputs, also inside an autocast region, and none of 16 bits: CPU kernels lack these
        dtype, weight = x.dtype, self.weight
        x, offset, mask = x.to(weight), offset.to(weight), None if mask is None else mask.to(weight)
        # at an offset of nan the operator reads memory that is not the map's
        offset = offset.nan_to_num(0.0, FAR, -FAR).clamp(-FAR, FAR)
        with torch.autocast(device_type=x.device.type, enabled=False):
            x = deform_conv2d(x, offset, weight, self.bias, self.stride, self.padding, self.dilation, mask).to(dtype)
        return x if self.norm is None else self.norm(x)
