"""A ResNet bottleneck whose 3x3 convolution is modulated deformable."""

import torch
from detectron2.layers import CNNBlockBase, Conv2d, get_norm
from fvcore.nn.weight_init import c2_msra_fill
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.modeling.deform_conv import DeformConv


class DeformBottleneck(CNNBlockBase):
    """Parameter names are those of Detectron2's `DeformBottleneckBlock`, whose operator needs CUDA."""

    def __init__(
        self, in_channels: int, out_channels: int, *, bottleneck_channels: int, stride: int = 1, num_groups: int = 1,
        norm: str = "BN", stride_in_1x1: bool = False, dilation: int = 1,
    ) -> None:
        """
        Args:
            in_channels, out_channels, bottleneck_channels, stride, num_groups, norm, stride_in_1x1, dilation: of
                Detectron2's `BottleneckBlock`.
        """
        super().__init__(in_channels, out_channels, stride)
        first, second = (stride, 1) if stride_in_1x1 else (1, stride)
        middle = bottleneck_channels
        self.shortcut = None
        if in_channels != out_channels:
            self.shortcut = _pointwise(in_channels, out_channels, stride, norm)
        self.conv1 = _pointwise(in_channels, middle, first, norm)
        spatial = {"stride": second, "padding": dilation, "dilation": dilation}
        # 9 taps with an offset (y, x) and a factor each; zeros make it a plain convolution at half strength
        self.conv2_offset = Conv2d(middle, 27, 3, **spatial)
        self.conv2 = DeformConv(middle, middle, 3, groups=num_groups, norm=norm, **spatial)
        self.conv3 = _pointwise(middle, out_channels, 1, norm)
        for layer in (self.conv1, self.conv2, self.conv3, self.shortcut):
            if layer is not None:
                c2_msra_fill(layer)
        nn.init.zeros_(self.conv2_offset.weight)
        nn.init.zeros_(self.conv2_offset.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)."""
        hidden = F.relu(self.conv1(x))
        offset, mask = self.conv2_offset(hidden).split([18, 9], dim=1)
        hidden = self.conv3(F.relu(self.conv2(hidden, offset, torch.sigmoid(mask))))
        return F.relu(hidden + (x if self.shortcut is None else self.shortcut(x)))


def _pointwise(in_channels: int, out_channels: int, stride: int, norm: str) -> Conv2d:
    return Conv2d(in_channels, out_channels, 1, stride=stride, bias=False, norm=get_norm(norm, out_channels))
