"""Residual blocks and the stem of `detectron2.modeling.backbone.resnet`."""

import torch
import torch.nn.functional as F

from detectron2.layers import CNNBlockBase, Conv2d, DeformConv, ModulatedDeformConv, get_norm

from .initializers import msra_fill


class BasicBlock(CNNBlockBase):
    """Two 3x3 convolutions with a skip, the block of ResNet-18 and -34 (arXiv 1512.03385).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: stride of the first convolution, in input pixels.
        norm: name or callable understood by `get_norm`.
    """

    def __init__(self, in_channels, out_channels, *, stride=1, norm="BN"):
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = _projection(in_channels, out_channels, stride, norm)
        self.conv1 = _conv3x3(in_channels, out_channels, norm, stride=stride)
        self.conv2 = _conv3x3(out_channels, out_channels, norm)
        _init_convs(self.conv1, self.conv2, self.shortcut)

    def forward(self, x):
        """Maps float (N, in_channels, H, W) to (N, out_channels, H/stride, W/stride)."""
        hidden = F.relu_(self.conv1(x))
        return _merge(self.conv2(hidden), x, self.shortcut)


class BottleneckBlock(CNNBlockBase):
    """1x1, 3x3 and 1x1 convolutions with a skip, the block of ResNet-50 and deeper.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        bottleneck_channels: channels of the 3x3 convolution.
        stride: stride of the block, in input pixels.
        num_groups: groups of the 3x3 convolution.
        norm: name or callable understood by `get_norm`.
        stride_in_1x1: whether the first 1x1 convolution strides (as in the Caffe
            models) or the 3x3 one (as in torchvision's).
        dilation: dilation of the 3x3 convolution.
    """

    def __init__(
        self, in_channels, out_channels, *, bottleneck_channels, stride=1, num_groups=1, norm="BN",
        stride_in_1x1=False, dilation=1
    ):
        super().__init__(in_channels, out_channels, stride)
        first, second = (stride, 1) if stride_in_1x1 else (1, stride)
        mid = bottleneck_channels
        self.shortcut = _projection(in_channels, out_channels, stride, norm)
        self.conv1 = _conv1x1(in_channels, mid, norm, first)
        self.conv2 = _conv3x3(mid, mid, norm, stride=second, groups=num_groups, dilation=dilation)
        self.conv3 = _conv1x1(mid, out_channels, norm)
        _init_convs(self.conv1, self.conv2, self.conv3, self.shortcut)

    def forward(self, x):
        """Maps float (N, in_channels, H, W) to (N, out_channels, H/stride, W/stride)."""
        hidden = F.relu_(self.conv1(x))
        hidden = F.relu_(self.conv2(hidden))
        return _merge(self.conv3(hidden), x, self.shortcut)


class DeformBottleneckBlock(CNNBlockBase):
    """A bottleneck whose 3x3 convolution is deformable (arXiv 1703.06211, 1811.11168).

    Takes the arguments of `BottleneckBlock` and:

    Args:
        deform_modulated: also predict a mask in (0, 1) for each sampling point.
        deform_num_groups: channel groups with offsets of their own.
    """

    def __init__(
        self, in_channels, out_channels, *, bottleneck_channels, stride=1, num_groups=1, norm="BN",
        stride_in_1x1=False, dilation=1, deform_modulated=False, deform_num_groups=1
    ):
        super().__init__(in_channels, out_channels, stride)
        first, second = (stride, 1) if stride_in_1x1 else (1, stride)
        mid = bottleneck_channels
        self.deform_modulated = deform_modulated
        spatial = {"kernel_size": 3, "stride": second, "padding": dilation, "dilation": dilation}
        # 9 points with (y, x) each, and one mask value where modulated.
        per_group = 27 if deform_modulated else 18
        deformable = ModulatedDeformConv if deform_modulated else DeformConv

        self.shortcut = _projection(in_channels, out_channels, stride, norm)
        self.conv1 = _conv1x1(in_channels, mid, norm, first)
        self.conv2_offset = Conv2d(mid, per_group * deform_num_groups, **spatial)
        self.conv2 = deformable(
            mid,
            mid,
            bias=False,
            groups=num_groups,
            deformable_groups=deform_num_groups,
            norm=get_norm(norm, mid),
            **spatial,
        )
        self.conv3 = _conv1x1(mid, out_channels, norm)
        _init_convs(self.conv1, self.conv2, self.conv3, self.shortcut)
        for parameter in self.conv2_offset.parameters():
            torch.nn.init.zeros_(parameter)

    def forward(self, x):
        """Maps float (N, in_channels, H, W) to (N, out_channels, H/stride, W/stride)."""
        hidden = F.relu_(self.conv1(x))
        offsets = self.conv2_offset(hidden)
        if self.deform_modulated:
            offset_a, offset_b, mask = offsets.chunk(3, dim=1)
            hidden = self.conv2(hidden, torch.cat([offset_a, offset_b], dim=1), mask.sigmoid())
        else:
            hidden = self.conv2(hidden, offsets)
        return _merge(self.conv3(F.relu_(hidden)), x, self.shortcut)


class BasicStem(CNNBlockBase):
    """7x7 convolution of stride 2 and 3x3 max-pooling of stride 2: stride 4 in all.

    Args:
        in_channels: channels of the images.
        out_channels: channels of the result.
        norm: name or callable understood by `get_norm`.
    """

    def __init__(self, in_channels=3, out_channels=64, norm="BN"):
        super().__init__(in_channels, out_channels, 4)
        self.conv1 = Conv2d(
            in_channels,
            out_channels,
            kernel_size=7,
            stride=2,
            padding=3,
            bias=False,
            norm=get_norm(norm, out_channels),
        )
        _init_convs(self.conv1)

    def forward(self, x):
        """Maps float (N, in_channels, H, W) to (N, out_channels, H/4, W/4)."""
        return F.max_pool2d(F.relu_(self.conv1(x)), kernel_size=3, stride=2, padding=1)


def _conv1x1(in_channels, out_channels, norm, stride=1):
    return Conv2d(
        in_channels,
        out_channels,
        kernel_size=1,
        stride=stride,
        bias=False,
        norm=get_norm(norm, out_channels),
    )


def _conv3x3(in_channels, out_channels, norm, *, stride=1, groups=1, dilation=1):
    return Conv2d(
        in_channels,
        out_channels,
        kernel_size=3,
        stride=stride,
        padding=dilation,
        dilation=dilation,
        groups=groups,
        bias=False,
        norm=get_norm(norm, out_channels),
    )


def _projection(in_channels, out_channels, stride, norm):
    """The skip's 1x1 convolution, or None where the widths agree."""
    if in_channels == out_channels:
        return None
    return _conv1x1(in_channels, out_channels, norm, stride)


def _init_convs(*convs):
    for conv in convs:
        if conv is not None:
            msra_fill(conv)


def _merge(residual, x, shortcut):
    residual += x if shortcut is None else shortcut(x)
    return F.relu_(residual)
