"""The decoder of DeepLabV3+ (Chen et al. 2018): context at several rates, then finer maps.

Resizes keep the corners of maps in place (`align_corners`): with sides of 16 k + 1, 8 k + 1, 4 k + 1 pixels place i
of a map is place 2 i of the next finer one exactly.

Letters: B images, C channels, H x W a map.
"""

from collections.abc import Sequence

import torch
from detectron2.layers import Conv2d, get_norm
from torch import Tensor, nn
from torch.nn import functional as F


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: a 1x1, dilated 3x3 convolutions and the map's mean, concatenated, then a 1x1."""

    def __init__(self, in_channels: int, channels: int, rates: Sequence[int], norm: str) -> None:
        """
        Args:
            in_channels: of the map.
            channels: of each branch and of the output.
            rates: dilations of the 3x3 convolutions.
            norm: of `detectron2.layers.get_norm`; the mean has none.
        """
        super().__init__()
        self.branches = nn.ModuleList([conv_norm_relu(in_channels, channels, 1, norm)])
        self.branches.extend(conv_norm_relu(in_channels, channels, 3, norm, dilation=rate) for rate in rates)
        self.pool = conv_norm_relu(in_channels, channels, 1, "")
        self.project = conv_norm_relu((len(rates) + 2) * channels, channels, 1, norm)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, channels, H, W)."""
        mean = self.pool(x.mean(dim=(2, 3), keepdim=True)).expand(-1, -1, *x.shape[-2:])
        return self.project(torch.cat([*(branch(x) for branch in self.branches), mean], dim=1))


class DeepLabV3PlusDecoder(nn.Module):
    """ASPP of the coarse map, then for each finer map: enlarge, concatenate its reduction, two 3x3 convolutions."""

    def __init__(
        self,
        in_channels: int,
        low_levels: Sequence[tuple[int, int]],
        *,
        channels: int = 256,
        rates: Sequence[int] = (6, 12, 18),
        norm: str = "BN",
    ) -> None:
        """
        Args:
            in_channels: of the coarse map.
            low_levels: (channels, channels after the reduction) of each finer map, from coarse to fine.
            channels: of ASPP and of the output.
            rates: of ASPP.
            norm: of `detectron2.layers.get_norm`.
        """
        super().__init__()
        self.aspp = ASPP(in_channels, channels, rates, norm)
        self.reductions = nn.ModuleList(conv_norm_relu(wide, narrow, 1, norm) for wide, narrow in low_levels)
        self.fusions = nn.ModuleList(
            nn.Sequential(
                conv_norm_relu(channels + narrow, channels, 3, norm), conv_norm_relu(channels, channels, 3, norm)
            )
            for _, narrow in low_levels
        )

    def forward(self, features: Tensor, low_levels: Sequence[Tensor]) -> Tensor:
        """
        Args:
            features: (B, in_channels, h, w).
            low_levels: finer maps in the order of the constructor.

        Returns:
            (B, channels, H, W) of the size of the last finer map.
        """
        x = self.aspp(features)
        for reduce, fuse, low in zip(self.reductions, self.fusions, low_levels, strict=True):
            x = F.interpolate(x, size=low.shape[-2:], mode="bilinear", align_corners=True)
            x = fuse(torch.cat([x, reduce(low)], dim=1))
        return x


def conv_norm_relu(in_channels: int, channels: int, kernel: int, norm: str, dilation: int = 1) -> nn.Module:
    """A convolution that keeps the size, with a bias only where it has no norm."""
    conv = Conv2d(
        in_channels, channels, kernel, padding=dilation * (kernel // 2), dilation=dilation, bias=not norm,
        norm=get_norm(norm, channels), activation=F.relu,
    )
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
