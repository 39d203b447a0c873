"""The network between pooled box features and their class and box predictions."""

from typing import List

import numpy as np
from fvcore.common.registry import Registry
from torch import nn

from detectron2.config import configurable
from detectron2.layers import Conv2d, ShapeSpec, get_norm

from .._impl.initializers import msra_fill, xavier_fill

__all__ = ["FastRCNNConvFCHead", "build_box_head", "ROI_BOX_HEAD_REGISTRY"]

ROI_BOX_HEAD_REGISTRY = Registry("ROI_BOX_HEAD")
ROI_BOX_HEAD_REGISTRY.__doc__ = "Classes built as `(cfg, input_shape: ShapeSpec)`, found by MODEL.ROI_BOX_HEAD.NAME."


@ROI_BOX_HEAD_REGISTRY.register()
class FastRCNNConvFCHead(nn.Sequential):
    """3x3 convolutions, then fully connected layers, each with a ReLU.

    Args:
        input_shape: channels, height and width of the pooled features.
        conv_dims: output channels of each convolution.
        fc_dims: outputs of each fully connected layer.
        conv_norm: norm of the convolutions, as `get_norm` takes it.

    Raises:
        AssertionError: when there is no layer at all.
    """

    @configurable
    def __init__(self, input_shape: ShapeSpec, *, conv_dims: List[int], fc_dims: List[int], conv_norm=""):
        super().__init__()
        assert len(conv_dims) + len(fc_dims) > 0, "a box head needs a layer: conv_dims and fc_dims are both empty"
        channels, height, width = input_shape.channels, input_shape.height, input_shape.width
        self._output_size = (channels, height, width)

        self.conv_norm_relus = []
        for number, dim in enumerate(conv_dims, start=1):
            conv = Conv2d(
                channels,
                dim,
                kernel_size=3,
                padding=1,
                bias=not conv_norm,
                norm=get_norm(conv_norm, dim),
                activation=nn.ReLU(),
            )
            self.add_module(f"conv{number}", conv)
            self.conv_norm_relus.append(conv)
            channels = dim
            self._output_size = (channels, height, width)

        self.fcs = []
        for number, dim in enumerate(fc_dims, start=1):
            if number == 1:
                self.add_module("flatten", nn.Flatten())
            layer = nn.Linear(int(np.prod(self._output_size)), dim)
            self.add_module(f"fc{number}", layer)
            self.add_module(f"fc_relu{number}", nn.ReLU())
            self.fcs.append(layer)
            self._output_size = dim

        for conv in self.conv_norm_relus:
            msra_fill(conv)
        for layer in self.fcs:
            xavier_fill(layer)

    @classmethod
    def from_config(cls, cfg, input_shape):
        node = cfg.MODEL.ROI_BOX_HEAD
        return {
            "input_shape": input_shape,
            "conv_dims": node.NUM_CONV * [node.CONV_DIM],
            "fc_dims": node.NUM_FC * [node.FC_DIM],
            "conv_norm": node.NORM,
        }

    def forward(self, x):
        """Maps float (R, C, H, W) to (R, fc_dims[-1]), or (R, conv_dims[-1], H, W)."""
        return super().forward(x)

    @property
    def output_shape(self):
        """ShapeSpec of the result; height and width are None after a linear layer."""
        if isinstance(self._output_size, int):
            return ShapeSpec(channels=self._output_size)
        return ShapeSpec(**dict(zip(("channels", "height", "width"), self._output_size)))


def build_box_head(cfg, input_shape):
    """Builds the head that MODEL.ROI_BOX_HEAD.NAME names.

    Args:
        cfg: a config node.
        input_shape: ShapeSpec of the pooled features.
    """
    return ROI_BOX_HEAD_REGISTRY.get(cfg.MODEL.ROI_BOX_HEAD.NAME)(cfg, input_shape)
