"""DLA-34: Deep Layer Aggregation (Yu et al., CVPR 2018), the backbone of CrossVIS-Lite.

Parameter names are those of the published ImageNet weights; their classifier `fc` and the projections of two-level
trees, which no output depends on, are left out.
"""

from collections.abc import Sequence

import torch
from detectron2.config import CfgNode
from detectron2.layers import FrozenBatchNorm2d, ShapeSpec, get_norm
from detectron2.modeling import BACKBONE_REGISTRY, Backbone
from torch import Tensor, nn
from torch.nn import functional as F

from vis_projects.config import register_method_config

CHANNELS = (16, 32, 64, 128, 256, 512)  # of level0 to level5
TREE_DEPTHS = {2: 1, 3: 2, 4: 2, 5: 1}  # level -> depth of its tree


@register_method_config("DLA")
def add_dla_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.DLA`` to ``cfg``, in place."""
    cfg.MODEL.DLA = CfgNode()
    # Levels that are given out; levelN has stride 2^N.
    cfg.MODEL.DLA.OUT_FEATURES = ("level3", "level4", "level5")
    # Normalisation of all layers, "FrozenBN" or "BN".
    cfg.MODEL.DLA.NORM = "FrozenBN"


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a residual."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = get_norm(norm, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = get_norm(norm, out_channels)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + residual)


class Root(nn.Module):
    """Aggregates the outputs of a tree's branches by a 1x1 convolution."""

    def __init__(self, in_channels: int, out_channels: int, norm: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn = get_norm(norm, out_channels)

    def forward(self, *branches: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(torch.cat(branches, dim=1))))


class Tree(nn.Module):
    """Hierarchical aggregation (section 3.2): two blocks and a root, or two trees of one depth less."""

    def __init__(
        self, depth: int, in_channels: int, out_channels: int, stride: int, norm: str, *, level_root: bool = False,
        extra_channels: int = 0,
    ) -> None:
        """
        Args:
            depth: 1 for blocks, more for trees.
            in_channels, out_channels: of the maps.
            stride: of the first branch.
            norm: name of the normalisation.
            level_root: whether the root also sees the input of the tree.
            extra_channels: of branches of outer trees, which end in this tree's last root.
        """
        super().__init__()
        self.depth, self.stride, self.level_root = depth, stride, level_root
        extra_channels += in_channels if level_root else 0
        if depth == 1:
            self.tree1 = BasicBlock(in_channels, out_channels, stride, norm)
            self.tree2 = BasicBlock(out_channels, out_channels, 1, norm)
            self.root = Root(2 * out_channels + extra_channels, out_channels, norm)
            self.project = None
            if in_channels != out_channels:
                conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
                self.project = nn.Sequential(conv, get_norm(norm, out_channels))
        else:
            self.tree1 = Tree(depth - 1, in_channels, out_channels, stride, norm)
            extra_channels += out_channels
            self.tree2 = Tree(depth - 1, out_channels, out_channels, 1, norm, extra_channels=extra_channels)

    def forward(self, x: Tensor, outer: Sequence[Tensor] = ()) -> Tensor:
        """
        Args:
            x: (B, in_channels, H, W).
            outer: branches of outer trees, (B, C', H / stride, W / stride) each.
        """
        bottom = F.max_pool2d(x, self.stride, self.stride) if self.stride > 1 else x
        outer = [*outer, bottom] if self.level_root else list(outer)
        if self.depth > 1:
            first = self.tree1(x)
            return self.tree2(first, [*outer, first])
        first = self.tree1(x, bottom if self.project is None else self.project(bottom))
        return self.root(self.tree2(first, first), first, *outer)


class DLA(Backbone):
    """DLA-34 without its classifier."""

    def __init__(
        self, *, out_features: Sequence[str], norm: str = "FrozenBN", freeze_at: int = 0, in_channels: int = 3
    ):
        """
        Args:
            out_features: names among level0 to level5.
            norm: name of the normalisation as Detectron2 has it.
            freeze_at: 0: nothing; k: the stem and levels below k do not train, as many as a ResNet's stages.
            in_channels: of the image.
        """
        super().__init__()
        unknown = [name for name in out_features if name not in {f"level{k}" for k in range(6)}]
        if unknown:
            raise ValueError(f"MODEL.DLA.OUT_FEATURES has {unknown}; the levels are level0 to level5")
        self._out_features = list(out_features)
        self._out_feature_strides = {f"level{k}": 2**k for k in range(6)}
        self._out_feature_channels = {f"level{k}": CHANNELS[k] for k in range(6)}
        self.base_layer = _conv(in_channels, CHANNELS[0], 7, 1, norm)
        self.level0 = _conv(CHANNELS[0], CHANNELS[0], 3, 1, norm)
        self.level1 = _conv(CHANNELS[0], CHANNELS[1], 3, 2, norm)
        for level, depth in TREE_DEPTHS.items():
            tree = Tree(depth, CHANNELS[level - 1], CHANNELS[level], 2, norm, level_root=level > 2)
            self.add_module(f"level{level}", tree)
        if freeze_at > 0:
            for module in (self.base_layer, *(getattr(self, f"level{k}") for k in range(min(freeze_at + 1, 6)))):
                _freeze(module)

    @property
    def size_divisibility(self) -> int:
        """Of the image's sides, so that pooled and strided branches agree in size."""
        return 32

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """
        Args:
            x: (B, C, H, W).
        """
        x, outputs = self.base_layer(x), {}
        for level in range(6):
            x = getattr(self, f"level{level}")(x)
            outputs[f"level{level}"] = x
        return {name: outputs[name] for name in self._out_features}


def _conv(in_channels: int, out_channels: int, kernel: int, stride: int, norm: str) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, get_norm(norm, out_channels), nn.ReLU())


def _freeze(module: nn.Module) -> None:
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    FrozenBatchNorm2d.convert_frozen_batchnorm(module)


@BACKBONE_REGISTRY.register()
def build_dla_backbone(cfg: CfgNode, input_shape: ShapeSpec) -> DLA:
    """DLA-34 of `MODEL.DLA` and `MODEL.BACKBONE.FREEZE_AT`."""
    return DLA(out_features=cfg.MODEL.DLA.OUT_FEATURES, norm=cfg.MODEL.DLA.NORM, freeze_at=cfg.MODEL.BACKBONE.FREEZE_AT,
               in_channels=input_shape.channels)
