"""`FCOSHead`: towers shared by all levels, and what they predict for every cell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GROUPS = 32  # of the towers' group norm
PRIOR_PROBABILITY = 0.01  # of every class at the start


@dataclass
class FCOSOutputs:
    """Predictions of L levels.

    Attributes:
        logits: L times (B, K, H, W), before the sigmoid.
        ltrb: L times (B, 4, H, W): distances from the cell to the left, top, right and lower side of the box, in units
            of the level's stride, >= 0.
        centerness: L times (B, 1, H, W), before the sigmoid.
        cls_tower, box_tower: L times (B, C, H, W), what further branches build on.
    """

    logits: list[Tensor] = field(default_factory=list)
    ltrb: list[Tensor] = field(default_factory=list)
    centerness: list[Tensor] = field(default_factory=list)
    cls_tower: list[Tensor] = field(default_factory=list)
    box_tower: list[Tensor] = field(default_factory=list)


class Scale(nn.Module):
    """A learnt factor."""

    def __init__(self, value: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([value]))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class FCOSHead(nn.Module):
    """Classes, boxes and centerness of every cell; the weights serve all levels but for one factor a level.

    Parameter names are those of AdelaiDet's FCOS head, so that its checkpoints load.
    """

    def __init__(self, *, in_channels: int, num_classes: int, num_levels: int, num_convs: int = 4) -> None:
        """
        Args:
            in_channels: of every level, a multiple of 32.
            num_classes: K.
            num_levels: L.
            num_convs: of each tower.
        """
        super().__init__()
        if in_channels % GROUPS:
            raise ValueError(f"FCOSHead: {in_channels} channels cannot be normalised in {GROUPS} groups")
        self.num_levels = num_levels
        self.cls_tower = tower(in_channels, num_convs)
        self.bbox_tower = tower(in_channels, num_convs)
        self.cls_logits = nn.Conv2d(in_channels, num_classes, 3, padding=1)
        self.bbox_pred = nn.Conv2d(in_channels, 4, 3, padding=1)
        self.ctrness = nn.Conv2d(in_channels, 1, 3, padding=1)
        self.scales = nn.ModuleList(Scale() for _ in range(num_levels))
        for layer in (self.cls_logits, self.bbox_pred, self.ctrness):
            init_conv(layer)
        # the sigmoid of this bias is the prior
        nn.init.constant_(self.cls_logits.bias, -math.log((1 - PRIOR_PROBABILITY) / PRIOR_PROBABILITY))

    def forward(self, features: Sequence[Tensor]) -> FCOSOutputs:
        """
        Args:
            features: L times (B, C, H, W), finest level first.
        """
        if len(features) != self.num_levels:
            raise ValueError(f"FCOSHead was built for {self.num_levels} levels and got {len(features)}")
        outputs = FCOSOutputs()
        for feature, scale in zip(features, self.scales):
            cls_tower, box_tower = self.cls_tower(feature), self.bbox_tower(feature)
            outputs.logits.append(self.cls_logits(cls_tower))
            outputs.ltrb.append(F.relu(scale(self.bbox_pred(box_tower))))
            outputs.centerness.append(self.ctrness(box_tower))
            outputs.cls_tower.append(cls_tower)
            outputs.box_tower.append(box_tower)
        return outputs


def tower(channels: int, num_convs: int) -> nn.Sequential:
    """3x3 convolutions with group norm and ReLU; layers 3k, 3k + 1, 3k + 2 are one of them."""
    layers: list[nn.Module] = []
    for _ in range(num_convs):
        conv = nn.Conv2d(channels, channels, 3, padding=1)
        init_conv(conv)
        layers += [conv, nn.GroupNorm(GROUPS, channels), nn.ReLU()]
    return nn.Sequential(*layers)


def init_conv(layer: nn.Conv2d) -> None:
    """Weights of standard deviation 0.01, bias 0, as all of FCOS's own layers start."""
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
