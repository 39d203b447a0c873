"""The appearance network: a small residual network from a crop to a unit vector (Deep SORT, table 1)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDE = 8  # of the last feature map against the crop
GROUPS = 8  # of group norm


class AppearanceNet(nn.Module):
    """Two convolutions and a pool, six residual blocks, one dense layer, normalised to length 1.

    Group norm stands where the publication has batch norm, so that what a crop looks like does not depend on the
    crops beside it.
    """

    def __init__(self, *, crop_size: int = 64, width: int = 32, embed_dim: int = 128) -> None:
        """
        Args:
            crop_size: side of a crop in pixels.
            width: channels of the first layers.
            embed_dim: length of the vector, D.
        """
        super().__init__()
        for name, value, step in (("CROP_SIZE", crop_size, STRIDE), ("WIDTH", width, GROUPS)):
            if value < step or value % step:
                raise ValueError(f"MODEL.REID.{name} is {value}; give a multiple of {step}")
        self.stem = nn.Sequential(
            *_conv_norm(3, width), nn.ELU(inplace=True), *_conv_norm(width, width), nn.ELU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.blocks = nn.Sequential(
            ResidualBlock(width, width), ResidualBlock(width, width),
            ResidualBlock(width, 2 * width, stride=2), ResidualBlock(2 * width, 2 * width),
            ResidualBlock(2 * width, 4 * width, stride=2), ResidualBlock(4 * width, 4 * width),
        )
        self.dense = nn.Linear(4 * width * (crop_size // STRIDE) ** 2, embed_dim)

    def forward(self, crops: Tensor) -> Tensor:
        """(n, 3, crop_size, crop_size) to (n, D) float32 of length 1; n may be 0."""
        vectors = self.dense(self.blocks(self.stem(crops)).flatten(start_dim=1))
        return F.normalize(vectors.float(), dim=1)


class ResidualBlock(nn.Module):
    """x + two 3x3 convolutions of x; where the size changes, x goes through a 1x1 convolution."""

    def __init__(self, channels: int, out_channels: int, stride: int = 1) -> None:
        """
        Args:
            channels, out_channels: of input and output.
            stride: of the first convolution.
        """
        super().__init__()
        self.inner = nn.Sequential(
            *_conv_norm(channels, out_channels, stride), nn.ELU(inplace=True), *_conv_norm(out_channels, out_channels)
        )
        self.shortcut = nn.Identity()
        if stride != 1 or channels != out_channels:
            self.shortcut = nn.Conv2d(channels, out_channels, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) to (n, out_channels, h / stride, w / stride)."""
        return F.elu(self.shortcut(x) + self.inner(x))


def _conv_norm(channels: int, out_channels: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    conv = nn.Conv2d(channels, out_channels, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return conv, nn.GroupNorm(GROUPS, out_channels)
