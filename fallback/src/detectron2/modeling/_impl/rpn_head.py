"""The convolutions of a region proposal network."""

from typing import List

import torch
from torch import nn

from detectron2.config import configurable
from detectron2.layers import Conv2d

from ..anchor_generator import build_anchor_generator
from .initializers import normal_fill


class StandardRPNHead(nn.Module):
    """Shared 3x3 convolutions, then 1x1 ones for objectness and deltas (arXiv 1506.01497).

    Args:
        in_channels: channels of every feature map.
        num_anchors: anchors at each grid point.
        box_dim: numbers in a box.
        conv_dims: output channels of each shared convolution; -1 keeps the width.

    Raises:
        ValueError: for another width that is not positive.
    """

    @configurable
    def __init__(self, *, in_channels: int, num_anchors: int, box_dim: int = 4, conv_dims: List[int] = (-1,)):
        super().__init__()
        widths = [in_channels]
        for dim in conv_dims:
            if dim != -1 and dim <= 0:
                raise ValueError(f"conv_dims={list(conv_dims)}: give positive widths, or -1 to keep the width")
            widths.append(widths[-1] if dim == -1 else dim)
        convs = [self._get_rpn_conv(*pair) for pair in zip(widths, widths[1:])]
        if len(convs) == 1:
            self.conv = convs[0]
        else:
            self.conv = nn.Sequential()
            for index, conv in enumerate(convs):
                self.conv.add_module(f"conv{index}", conv)
        self.objectness_logits = nn.Conv2d(widths[-1], num_anchors, kernel_size=1)
        self.anchor_deltas = nn.Conv2d(widths[-1], num_anchors * box_dim, kernel_size=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                normal_fill(layer, std=0.01)

    @classmethod
    def from_config(cls, cfg, input_shape):
        generator = build_anchor_generator(cfg, input_shape)
        counts, widths = set(generator.num_anchors), {shape.channels for shape in input_shape}
        assert len(widths) == 1, f"the RPN head needs maps of one width, got channels {sorted(widths)}"
        assert len(counts) == 1, f"the RPN head needs equally many anchors at all levels, got {sorted(counts)}"
        return {
            "in_channels": widths.pop(),
            "num_anchors": counts.pop(),
            "box_dim": generator.box_dim,
            "conv_dims": cfg.MODEL.RPN.CONV_DIMS,
        }

    def forward(self, features: List[torch.Tensor]):
        """Predicts.

        Args:
            features: maps float (N, C, H_l, W_l).

        Returns:
            (logits, deltas): for each map float (N, A, H_l, W_l) and
            (N, A * box_dim, H_l, W_l).
        """
        hidden = [self.conv(feature) for feature in features]
        return [self.objectness_logits(h) for h in hidden], [self.anchor_deltas(h) for h in hidden]

    def _get_rpn_conv(self, in_channels, out_channels):
        return Conv2d(in_channels, out_channels, kernel_size=3, stride=1, padding=1, activation=nn.ReLU())
