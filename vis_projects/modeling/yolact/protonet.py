"""The network that makes the prototypes of masks (Yolact, section 3.1)."""

from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.modeling.yolact.init import xavier_init


class ProtoNet(nn.Sequential):
    """Three 3x3 convolutions, twice the size, one 3x3 and one 1x1 convolution; ReLU after each.

    Parameter names are those of the published Yolact models: `0`, `2`, `4`, `8`, `10`.
    """

    def __init__(self, in_channels: int, num_prototypes: int = 32, channels: int = 256) -> None:
        """
        Args:
            in_channels: of the level that it reads.
            num_prototypes: K.
            channels: of the layers between.
        """
        layers: list[nn.Module] = []
        for width in (in_channels, channels, channels):
            layers += [nn.Conv2d(width, channels, 3, padding=1), nn.ReLU()]
        layers += [_Double(), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(),
                   nn.Conv2d(channels, num_prototypes, 1), nn.ReLU()]
        super().__init__(*layers)
        xavier_init(self)

    def forward(self, feature: Tensor) -> Tensor:
        """(N, C, h, w) -> prototypes (N, 2h, 2w, K), not negative."""
        return super().forward(feature).permute(0, 2, 3, 1)


class _Double(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
