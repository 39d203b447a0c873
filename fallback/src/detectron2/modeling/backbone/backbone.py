"""The interface that every backbone fulfils."""

from abc import ABCMeta, abstractmethod

from torch import nn

from detectron2.layers import ShapeSpec

__all__ = ["Backbone"]


class Backbone(nn.Module, metaclass=ABCMeta):
    """A network that turns an image batch into named feature maps.

    Subclasses implement `forward`; those that set `_out_features` (names),
    `_out_feature_channels` and `_out_feature_strides` (dicts by name, strides in
    input pixels) inherit a working `output_shape`.
    """

    def __init__(self):
        super().__init__()

    @abstractmethod
    def forward(self):
        """Maps float images (N, C, H, W) to a dict of float maps (N, C_i, H_i, W_i)."""

    @property
    def size_divisibility(self) -> int:
        """Multiple of pixels that input sides must have; 0 where any size works."""
        return 0

    @property
    def padding_constraints(self) -> dict:
        """Further demands on padding, as `ImageList.from_tensors` takes them."""
        return {}

    def output_shape(self):
        """Returns a dict: feature name -> ShapeSpec with channels and stride."""
        channels, strides = self._out_feature_channels, self._out_feature_strides
        shapes = {}
        for feature in self._out_features:
            shapes[feature] = ShapeSpec(channels=channels[feature], stride=strides[feature])
        return shapes
