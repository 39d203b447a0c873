"""`MaskBranch`: the features that the dynamic heads of all instances read."""

from collections.abc import Sequence

from detectron2.layers import get_norm
from torch import Tensor, nn

from vis_projects.layers import aligned_bilinear


class MaskBranch(nn.Module):
    """Sums refined levels at the size of the finest one, then a tower of convolutions and few channels.

    Parameter names are those of AdelaiDet's mask branch, so that its checkpoints load.
    """

    def __init__(
        self, *, in_channels: Sequence[int], out_channels: int = 8, channels: int = 128, num_convs: int = 4,
        norm: str = "BN",
    ) -> None:
        """
        Args:
            in_channels: of each level, finest first.
            out_channels: C.
            channels: within the branch.
            num_convs: of the tower.
            norm: name of the normalisation as Detectron2 has it.
        """
        super().__init__()
        self.out_channels = out_channels
        self.refine = nn.ModuleList(conv_block(count, channels, norm) for count in in_channels)
        blocks: list[nn.Module] = [conv_block(channels, channels, norm) for _ in range(num_convs)]
        self.tower = nn.Sequential(*blocks, nn.Conv2d(channels, out_channels, 1))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """
        Args:
            features: a map (B, C', H / 2^k, W / 2^k) for each level k.

        Returns:
            (B, C, H, W).

        Raises:
            ValueError: another number of levels, or one whose size does not divide that of the finest.
        """
        if len(features) != len(self.refine):
            raise ValueError(f"MaskBranch was built for {len(self.refine)} levels and got {len(features)}")
        total = self.refine[0](features[0])
        height, width = total.shape[2:]
        for refine, feature in zip(self.refine[1:], features[1:]):
            factor = height // feature.shape[2]
            if (factor * feature.shape[2], factor * feature.shape[3]) != (height, width):
                raise ValueError(
                    f"MaskBranch: a level of {tuple(feature.shape[2:])} does not fit {factor} times into "
                    f"{(height, width)}; pad images to a multiple of the coarsest level's stride (the backbone's "
                    "size_divisibility)"
                )
            total = total + aligned_bilinear(refine(feature), factor)
        return self.tower(total)


def conv_block(in_channels: int, out_channels: int, norm: str) -> nn.Sequential:
    """3x3 convolution without bias, normalisation, ReLU."""
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    nn.init.kaiming_uniform_(conv.weight, a=1)
    return nn.Sequential(conv, get_norm(norm, out_channels), nn.ReLU())
