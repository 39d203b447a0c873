"""Anchors: the fixed boxes that a dense head refines, on a grid over each feature map."""

import collections.abc
import math
from typing import List

import torch
from fvcore.common.registry import Registry
from torch import nn

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.config import configurable
from detectron2.layers import ShapeSpec, move_device_like
from detectron2.structures import Boxes

__getattr__ = placeholder_getattr(__name__, ("RotatedAnchorGenerator",))

ANCHOR_GENERATOR_REGISTRY = Registry("ANCHOR_GENERATOR")
ANCHOR_GENERATOR_REGISTRY.__doc__ = (
    "Classes built as `(cfg, input_shape: list[ShapeSpec])`, found by MODEL.ANCHOR_GENERATOR.NAME."
)


class BufferList(nn.Module):
    """Tensors that follow the module's device but are in no state dict.

    Args:
        buffers: iterable of tensors.
    """

    def __init__(self, buffers):
        super().__init__()
        for index, tensor in enumerate(buffers):
            self.register_buffer(str(index), tensor, persistent=False)

    def __len__(self):
        return len(self._buffers)

    def __iter__(self):
        return iter(self._buffers.values())


@ANCHOR_GENERATOR_REGISTRY.register()
class DefaultAnchorGenerator(nn.Module):
    """Anchors of given areas and aspect ratios, centred on a grid (arXiv 1506.01497).

    Args:
        sizes: for each feature map, the anchors' sizes (square roots of the areas, in
            input pixels); one list of numbers, or a list of one list, serves all maps.
        aspect_ratios: height / width, in the same form.
        strides: stride of each map in input pixels.
        offset: place of the first centre as a fraction of the stride, in [0, 1).

    Attributes:
        box_dim: 4.
        strides, num_features, offset: as given.
        cell_anchors: for each map, float32 (A, 4) XYXY around the origin.

    Raises:
        AssertionError: for an offset outside [0, 1), an empty list, or as many lists as
            neither 1 nor the number of maps.
    """

    box_dim: int = 4

    @configurable
    def __init__(self, *, sizes, aspect_ratios, strides, offset=0.5):
        super().__init__()
        assert 0.0 <= offset < 1.0, f"offset={offset} of the anchor grid: give a value in [0, 1)"
        self.strides = strides
        self.num_features = len(strides)
        self.offset = offset
        self.cell_anchors = self._calculate_anchors(
            _for_each_map(sizes, self.num_features, "sizes"),
            _for_each_map(aspect_ratios, self.num_features, "aspect_ratios"),
        )

    @classmethod
    def from_config(cls, cfg, input_shape: List[ShapeSpec]):
        node = cfg.MODEL.ANCHOR_GENERATOR
        return {
            "sizes": node.SIZES,
            "aspect_ratios": node.ASPECT_RATIOS,
            "strides": [shape.stride for shape in input_shape],
            "offset": node.OFFSET,
        }

    @property
    def num_cell_anchors(self):
        """Same as `num_anchors`."""
        return self.num_anchors

    @property
    def num_anchors(self):
        """List of int: anchors at each grid point, one number for each map."""
        return [len(anchors) for anchors in self.cell_anchors]

    def generate_cell_anchors(self, sizes=(32, 64, 128, 256, 512), aspect_ratios=(0.5, 1, 2)):
        """Computes the anchors around the origin; sizes vary slowest.

        Args:
            sizes: square roots of the areas, in pixels.
            aspect_ratios: height / width.

        Returns:
            float32 (len(sizes) * len(aspect_ratios), 4), XYXY in pixels.
        """
        rows = []
        for size in sizes:
            for ratio in aspect_ratios:
                # width * height = size**2 and height / width = ratio.
                width = math.sqrt(size**2.0 / ratio)
                height = ratio * width
                rows.append((-width / 2.0, -height / 2.0, width / 2.0, height / 2.0))
        return torch.tensor(rows)

    def forward(self, features: List[torch.Tensor]):
        """Lays the anchors over the maps.

        Args:
            features: maps (N, C, H, W), as many as there are strides; only their sizes
                and device are used.

        Returns:
            List of Boxes, one for each map, with H*W*A rows: row by row over the grid,
            the anchors of one point together.
        """
        sizes = [feature.shape[-2:] for feature in features]
        return [Boxes(grid) for grid in self._grid_anchors(sizes)]

    def _calculate_anchors(self, sizes, aspect_ratios):
        cells = [self.generate_cell_anchors(s, a).float() for s, a in zip(sizes, aspect_ratios)]
        return BufferList(cells)

    def _grid_anchors(self, grid_sizes: List[List[int]]):
        """For each (height, width), the float (H*W*A, 4) anchors of that grid."""
        grids = []
        for (height, width), stride, cell in zip(grid_sizes, self.strides, self.cell_anchors):
            start = self.offset * stride
            ys = torch.arange(start, height * stride, step=stride, dtype=torch.float32)
            xs = torch.arange(start, width * stride, step=stride, dtype=torch.float32)
            centres = torch.cartesian_prod(ys, xs).view(-1, 2).flip(1)
            shifts = move_device_like(centres.repeat(1, 2), cell)
            grids.append((shifts[:, None] + cell[None]).reshape(-1, self.box_dim))
        return grids


def _for_each_map(values, num_features, name):
    """Brings a list of numbers, or of lists, to one list for each of the maps."""
    assert isinstance(values, collections.abc.Sequence), (
        f"{name} of the anchor generator must be a list, not {type(values).__name__}"
    )
    assert len(values), f"{name} of the anchor generator is empty"
    if not isinstance(values[0], collections.abc.Sequence):
        values = [values]
    if len(values) == 1:
        return list(values) * num_features
    assert len(values) == num_features, (
        f"{name} of the anchor generator has {len(values)} lists for {num_features} feature maps"
    )
    return values


def build_anchor_generator(cfg, input_shape):
    """Builds the generator that MODEL.ANCHOR_GENERATOR.NAME names.

    Args:
        cfg: a config node.
        input_shape: list of ShapeSpec, one for each feature map.
    """
    return ANCHOR_GENERATOR_REGISTRY.get(cfg.MODEL.ANCHOR_GENERATOR.NAME)(cfg, input_shape)
