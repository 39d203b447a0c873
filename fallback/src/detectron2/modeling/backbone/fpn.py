"""Feature pyramid on top of a backbone (arXiv 1612.03144), and builders on ResNet."""

import math

import torch.nn.functional as F
from torch import nn

from detectron2.layers import Conv2d, ShapeSpec, get_norm

from .._impl.initializers import xavier_fill
from .backbone import Backbone
from .build import BACKBONE_REGISTRY
from .resnet import build_resnet_backbone

__all__ = ["build_resnet_fpn_backbone", "build_retinanet_resnet_fpn_backbone", "FPN"]


class FPN(Backbone):
    """Adds top-down connections to a backbone; every level gets the same width.

    Args:
        bottom_up: the Backbone that gives the input features.
        in_features: names of its features to use, from high to low resolution, each
            at twice the stride of the one before.
        out_channels: channels of every level.
        norm: name or callable understood by `get_norm`; "" means none.
        top_block: module with `num_levels` and `in_feature` (a name of either a
            bottom-up feature or a level "p<k>") that returns further, coarser levels.
        fuse_type: "sum" or "avg" of the lateral and the top-down map.
        square_pad: when positive, pad images to a square with this side in pixels.

    Levels are called "p<k>" with k = log2(stride).

    Raises:
        AssertionError: for no input features, strides that do not double, another
            `fuse_type`, or a `bottom_up` that is no Backbone.
    """

    def __init__(self, bottom_up, in_features, out_channels, norm="", top_block=None, fuse_type="sum", square_pad=0):
        super().__init__()
        assert isinstance(bottom_up, Backbone), f"bottom_up is a {type(bottom_up).__name__}, not a Backbone"
        assert in_features, "FPN needs at least one input feature; in_features is empty"
        assert fuse_type in ("sum", "avg"), f"fuse_type={fuse_type!r}: use 'sum' or 'avg'"
        shapes = bottom_up.output_shape()
        strides = [shapes[name].stride for name in in_features]
        levels = _pyramid_levels(strides)

        laterals, outputs = [], []
        for name, level in zip(in_features, levels):
            lateral, output = _level_convs(shapes[name].channels, out_channels, norm)
            self.add_module(f"fpn_lateral{level}", lateral)
            self.add_module(f"fpn_output{level}", output)
            laterals.append(lateral)
            outputs.append(output)
        # Coarsest first: the order in which the top-down pass needs them.
        self.lateral_convs, self.output_convs = laterals[::-1], outputs[::-1]

        self.top_block = top_block
        self.in_features = tuple(in_features)
        self.bottom_up = bottom_up
        if top_block is not None:
            levels = levels + [levels[-1] + 1 + i for i in range(top_block.num_levels)]
        self._out_feature_strides = {f"p{level}": 2**level for level in levels}
        self._out_features = list(self._out_feature_strides)
        self._out_feature_channels = dict.fromkeys(self._out_features, out_channels)
        self._size_divisibility = strides[-1]
        self._square_pad = square_pad
        self._fuse_type = fuse_type

    @property
    def size_divisibility(self):
        """Stride of the coarsest input feature, in pixels."""
        return self._size_divisibility

    @property
    def padding_constraints(self):
        """The side of square images, 0 where they need not be square."""
        return {"square_size": self._square_pad}

    def forward(self, x):
        """Runs the backbone and the pyramid.

        Args:
            x: float images (N, C, H, W), H and W multiples of `size_divisibility`.

        Returns:
            Dict "p<k>" -> float (N, out_channels, H/2^k, W/2^k), from fine to coarse.
        """
        features = self.bottom_up(x)
        merged, results = None, []
        for name, lateral, output in zip(reversed(self.in_features), self.lateral_convs, self.output_convs):
            side = lateral(features[name])
            merged = side if merged is None else self._fuse(side, merged)
            results.insert(0, output(merged))
        if self.top_block is not None:
            source = self.top_block.in_feature
            top_in = features[source] if source in features else results[self._out_features.index(source)]
            results.extend(self.top_block(top_in))
        assert len(results) == len(self._out_features), (
            f"the top block returned {len(results) - len(self.in_features)} levels instead of its num_levels"
        )
        return dict(zip(self._out_features, results))

    def output_shape(self):
        """Returns a dict: level name -> ShapeSpec with channels and stride."""
        return super().output_shape()

    def _fuse(self, side, coarser):
        fused = side + F.interpolate(coarser, scale_factor=2.0, mode="nearest")
        return fused / 2 if self._fuse_type == "avg" else fused


class LastLevelMaxPool(nn.Module):
    """One more level by taking every second pixel of p5; for region proposals."""

    def __init__(self):
        super().__init__()
        self.num_levels = 1
        self.in_feature = "p5"

    def forward(self, x):
        """Maps float (N, C, H, W) to a list of one map (N, C, H/2, W/2)."""
        return [F.max_pool2d(x, kernel_size=1, stride=2, padding=0)]


class LastLevelP6P7(nn.Module):
    """Two more levels by strided convolutions, as in RetinaNet (arXiv 1708.02002).

    Args:
        in_channels: channels of the feature `in_feature`.
        out_channels: channels of both levels.
        in_feature: a bottom-up feature or a level name.
    """

    def __init__(self, in_channels, out_channels, in_feature="res5"):
        super().__init__()
        self.num_levels = 2
        self.in_feature = in_feature
        self.p6 = nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=2, padding=1)
        self.p7 = nn.Conv2d(out_channels, out_channels, kernel_size=3, stride=2, padding=1)
        xavier_fill(self.p6)
        xavier_fill(self.p7)

    def forward(self, c5):
        """Maps float (N, in_channels, H, W) to a list of the maps at 1/2 and 1/4 size."""
        p6 = self.p6(c5)
        return [p6, self.p7(F.relu(p6))]


@BACKBONE_REGISTRY.register()
def build_resnet_fpn_backbone(cfg, input_shape: ShapeSpec):
    """Builds a ResNet with FPN and a max-pooled top level (MODEL.RESNETS, MODEL.FPN)."""
    bottom_up = build_resnet_backbone(cfg, input_shape)
    return _fpn_from_config(cfg, bottom_up, LastLevelMaxPool())


@BACKBONE_REGISTRY.register()
def build_retinanet_resnet_fpn_backbone(cfg, input_shape: ShapeSpec):
    """Builds a ResNet with FPN and levels p6, p7 (MODEL.RESNETS, MODEL.FPN)."""
    bottom_up = build_resnet_backbone(cfg, input_shape)
    width = bottom_up.output_shape()["res5"].channels
    return _fpn_from_config(cfg, bottom_up, LastLevelP6P7(width, cfg.MODEL.FPN.OUT_CHANNELS))


def _fpn_from_config(cfg, bottom_up, top_block):
    node = cfg.MODEL.FPN
    return FPN(
        bottom_up=bottom_up,
        in_features=node.IN_FEATURES,
        out_channels=node.OUT_CHANNELS,
        norm=node.NORM,
        top_block=top_block,
        fuse_type=node.FUSE_TYPE,
    )


def _pyramid_levels(strides):
    """log2 of each stride; asserts that they double from one to the next."""
    for fine, coarse in zip(strides, strides[1:]):
        assert coarse == 2 * fine, f"the strides {strides} of FPN's input features must double"
    return [int(math.log2(stride)) for stride in strides]


def _level_convs(in_channels, out_channels, norm):
    """The 1x1 lateral and the 3x3 output convolution of one level."""
    bias = norm == ""
    lateral = Conv2d(in_channels, out_channels, kernel_size=1, bias=bias, norm=get_norm(norm, out_channels))
    output = Conv2d(
        out_channels,
        out_channels,
        kernel_size=3,
        stride=1,
        padding=1,
        bias=bias,
        norm=get_norm(norm, out_channels),
    )
    xavier_fill(lateral)
    xavier_fill(output)
    return lateral, output
