"""The segmentation network, whose later layers are modulated anew for each object.

Letters: B frames, N objects, H, W padded size of the frames, P channels of all modulated layers together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from detectron2.layers import Conv2d
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.methods.osmn.spatial_modulator import SpatialModulator
from vis_projects.methods.osmn.trunk import NUM_STAGES, in_fast_layout, vgg_stages

FIRST_MODULATED = 2  # index of the first stage with modulated layers
MODULATED_STRIDES = (4, 8, 16)  # of the modulated stages
SIDE_STD = 0.001


@dataclass
class SharedFeatures:
    """What all objects of a frame have in common.

    Attributes:
        score: (B, 1, H / 2, W / 2) the second stage's part of the logits.
        first: (B, C, H / 4, W / 4) the first modulated layer before its modulation.
    """

    score: Tensor
    first: Tensor


class SegmentationNetwork(nn.Module):
    """Five stages; those from the second on give maps to a hyper-column that a 1x1 convolution reads.

    That convolution and the enlargement are both linear and act on channels and on pixels, so their order does not
    matter: each stage's maps are weighted first, and one map a stage is enlarged instead of all of them.
    """

    size_divisibility = 2 ** (NUM_STAGES - 1)

    def __init__(self, *, widths: Sequence[int], convs: Sequence[int], norm: str, side_channels: int) -> None:
        """
        Args:
            widths, convs, norm: of `vgg_stages`.
            side_channels: maps of each stage in the hyper-column.
        """
        super().__init__()
        self.stages = vgg_stages(widths, convs, norm)
        self.sides = nn.ModuleList(Conv2d(width, side_channels, 3, padding=1) for width in widths[1:])
        self.fuse = nn.ModuleList(nn.Conv2d(side_channels, 1, 1, bias=k == 0) for k in range(NUM_STAGES - 1))
        for side in self.sides:
            nn.init.kaiming_normal_(side.weight, mode="fan_out")
            nn.init.zeros_(side.bias)
        for fuse in self.fuse:
            nn.init.normal_(fuse.weight, std=SIDE_STD)
        nn.init.zeros_(self.fuse[0].bias)
        self.modulated_widths = [
            width for width, count in zip(widths[FIRST_MODULATED:], convs[FIRST_MODULATED:]) for _ in range(count)
        ]

    def shared(self, images: Tensor) -> SharedFeatures:
        """The layers before the first modulation, once per frame whatever the number of objects.

        Args:
            images: (B, 3, H, W) normalised, H and W multiples of 16.
        """
        x = in_fast_layout(images)
        for stage in self.stages[:FIRST_MODULATED]:
            for k, layer in enumerate(stage):
                x = layer(F.max_pool2d(x, 2) if k == 0 and stage is not self.stages[0] else x)
        return SharedFeatures(self._score(0, x), self.stages[FIRST_MODULATED][0](F.max_pool2d(x, 2)))

    def forward(
        self, shared: SharedFeatures, frames: Tensor, factors: Tensor | None, heat: Sequence[Tensor] | None,
        spatial: SpatialModulator | None,
    ) -> Tensor:
        """Logits of N objects; y_c = gamma_c x_c + beta_c in each modulated layer (eq. 1).

        Args:
            shared: of `shared`.
            frames: (N,) int64, the frame that each object is looked for in.
            factors: (N, P) gamma of the visual modulator; None: 1.
            heat: (N, 1, h, w) heat maps at the strides of `MODULATED_STRIDES`; None with `spatial`.
            spatial: gives beta; None: 0.

        Returns:
            float (N, H, W).
        """
        size = (2 * shared.score.shape[-2], 2 * shared.score.shape[-1])
        per_layer = None if factors is None else factors.split(self.modulated_widths, dim=1)
        logits = F.interpolate(shared.score, size=size, mode="bilinear", align_corners=False)[frames]
        x, layer = shared.first[frames], 0
        for s, stage in enumerate(self.stages[FIRST_MODULATED:]):
            if s > 0:
                x = F.max_pool2d(x, 2)
            for k, convolution in enumerate(stage):
                if s > 0 or k > 0:
                    x = convolution(x)
                shift = None if spatial is None else spatial(layer, heat[s])
                x = modulate(x, None if per_layer is None else per_layer[layer], shift)
                layer += 1
            score = self._score(FIRST_MODULATED - 1 + s, x)
            logits = logits + F.interpolate(score, size=size, mode="bilinear", align_corners=False)
        return logits[:, 0]

    def _score(self, index: int, x: Tensor) -> Tensor:
        return self.fuse[index](self.sides[index](x))


def modulate(x: Tensor, factors: Tensor | None, shift: Tensor | None) -> Tensor:
    """Eq. 1: y_c = gamma_c x_c + beta_c.

    Args:
        x: (N, C, h, w).
        factors: (N, C), or None for 1.
        shift: (N, C, h, w), or None for 0.
    """
    if factors is not None:
        x = x * factors[:, :, None, None]
    return x if shift is None else x + shift
