"""Deformable convolutions on torchvision's operator, with gradients on every device."""

import torch
from torch import nn
from torch.nn.modules.utils import _pair
from torchvision.ops import deform_conv2d


class DeformConv(nn.Module):
    """Convolution whose taps are moved by offsets (Dai et al. 2017), without bias."""

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1,
        deformable_groups=1, bias=False, norm=None, activation=None,
    ):
        """Args:
            in_channels, out_channels: channels; both divisible by ``groups`` (AssertionError).
            kernel_size, stride, padding, dilation: int or pair (vertical, horizontal).
            groups: groups of channels that are convolved separately.
            deformable_groups: groups of input channels with offsets of their own.
            bias: must be False.
            norm: module applied to the output, or None.
            activation: callable applied last, or None.
        """
        super().__init__()
        assert not bias, "DeformConv has no bias"
        assert in_channels % groups == 0, f"in_channels {in_channels} is not divisible by groups {groups}"
        assert out_channels % groups == 0, f"out_channels {out_channels} is not divisible by groups {groups}"
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = _pair(kernel_size), _pair(stride)
        self.padding, self.dilation = _pair(padding), _pair(dilation)
        self.groups, self.deformable_groups = groups, deformable_groups
        self.norm, self.activation = norm, activation
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, *self.kernel_size))
        self.bias = None
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")

    def forward(self, x, offset):
        """Convolve.

        Args:
            x: N x C x H x W; ValueError for another number of dimensions.
            offset: N x 2*kh*kw*deformable_groups x H' x W', (dy, dx) of each tap in cells.

        Returns:
            N x C' x H' x W'.
        """
        return _deformed(self, x, offset, None)

    def extra_repr(self):
        """One line of all sizes, for ``repr``."""
        return _describe(self, False)


class ModulatedDeformConv(nn.Module):
    """Deformable convolution whose taps are also weighted by a mask (Zhu et al. 2019)."""

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1,
        deformable_groups=1, bias=True, norm=None, activation=None,
    ):
        """Args are those of DeformConv, but ``bias`` may be True and starts at zero."""
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.groups, self.deformable_groups, self.with_bias = groups, deformable_groups, bias
        self.norm, self.activation = norm, activation
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, *self.kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")

    def forward(self, x, offset, mask):
        """Convolve.

        Args:
            x: N x C x H x W.
            offset: N x 2*kh*kw*deformable_groups x H' x W', (dy, dx) of each tap in cells.
            mask: N x kh*kw*deformable_groups x H' x W', weight of each tap.

        Returns:
            N x C' x H' x W'.
        """
        return _deformed(self, x, offset, mask)

    def extra_repr(self):
        """One line of all sizes, for ``repr``."""
        return _describe(self, self.with_bias)


def _deformed(layer, x, offset, mask):
    if x.dim() != 4:
        raise ValueError(f"expected an input of 4 dimensions, got {x.dim()}")
    stride, padding, dilation = _pair(layer.stride), _pair(layer.padding), _pair(layer.dilation)
    if x.numel() == 0:
        return _empty_output(layer, x, stride, padding, dilation)
    x = deform_conv2d(x, offset, layer.weight, layer.bias, stride, padding, dilation, mask)
    if layer.norm is not None:
        x = layer.norm(x)
    return x if layer.activation is None else layer.activation(x)


def _empty_output(layer, x, stride, padding, dilation):
    """Return no images of the right shape; the sums keep input and weights in the graph of a distributed step."""
    sides = [
        (size + 2 * pad - spread * (kernel - 1) - 1) // step + 1
        for size, pad, spread, kernel, step in zip(x.shape[2:], padding, dilation, layer.kernel_size, stride)
    ]
    return x.new_zeros(len(x), layer.out_channels, *sides) + 0.0 * (x.sum() + layer.weight.sum())


def _describe(layer, bias):
    names = (
        "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "deformable_groups",
    )  # fmt: skip
    return ", ".join([f"{name}={getattr(layer, name)}" for name in names] + [f"bias={bias}"])
