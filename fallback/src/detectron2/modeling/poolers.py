"""Pooling of boxes from a feature pyramid, each from the level that fits its size."""

import math
from typing import List

import torch
from torch import nn
from torchvision.ops import RoIPool

from detectron2.layers import ROIAlign, cat, nonzero_tuple
from detectron2.structures import Boxes

__all__ = ["ROIPooler"]


def assign_boxes_to_levels(
    box_lists: List[Boxes], min_level: int, max_level: int, canonical_box_size: int, canonical_level: int
):
    """Picks a pyramid level for each box: eq. 1 of arXiv 1612.03144.

    Args:
        box_lists: boxes of each image, in pixels.
        min_level: smallest level (log2 of its stride).
        max_level: largest level.
        canonical_box_size: square root of the area, in pixels, that belongs to
            `canonical_level`; each doubling is one level more.
        canonical_level: a level.

    Returns:
        int64 (boxes of all images,), level - min_level.
    """
    sizes = torch.sqrt(cat([boxes.area() for boxes in box_lists]))
    # The small term keeps boxes without area away from log(0).
    levels = torch.floor(canonical_level + torch.log2(sizes / canonical_box_size + 1e-8))
    return levels.clamp(min=min_level, max=max_level).to(torch.int64) - min_level


def convert_boxes_to_pooler_format(box_lists: List[Boxes]):
    """Joins the boxes of a batch into the rows that pooling operators take.

    Args:
        box_lists: boxes of each image.

    Returns:
        float (boxes of all images, 5): index of the image, then XYXY.
    """
    rows = torch.cat([boxes.tensor for boxes in box_lists], dim=0)
    counts = torch.tensor([len(boxes) for boxes in box_lists], device=rows.device)
    image = torch.arange(len(box_lists), dtype=rows.dtype, device=rows.device)
    return torch.cat((image.repeat_interleave(counts)[:, None], rows), dim=1)


class ROIPooler(nn.Module):
    """Pools fixed-size features for boxes from one or several feature maps.

    Args:
        output_size: side of the result, or (height, width).
        scales: for each map, map pixels per image pixel: 1/stride, powers of two, each
            half of the one before.
        sampling_ratio: sample points per bin and axis; 0 adapts to the box.
        pooler_type: "ROIAlign" (with the half-pixel shift of the paper's first
            version), "ROIAlignV2" (aligned) or "ROIPool".
        canonical_box_size: as in `assign_boxes_to_levels`.
        canonical_level: as in `assign_boxes_to_levels`.

    Raises:
        ValueError: for another type.
        AssertionError: for scales of another form, or sizes that are not positive.
    """

    def __init__(
        self, output_size, scales, sampling_ratio, pooler_type, canonical_box_size=224, canonical_level=4
    ):
        super().__init__()
        if isinstance(output_size, int):
            output_size = (output_size, output_size)
        assert len(output_size) == 2 and all(isinstance(side, int) for side in output_size), (
            f"output_size={output_size}: give an int or two"
        )
        self.output_size = output_size
        make = _pooler_factory(pooler_type, output_size, sampling_ratio)
        self.level_poolers = nn.ModuleList(make(scale) for scale in scales)

        finest, coarsest = (-math.log2(scale) for scale in (scales[0], scales[-1]))
        assert finest.is_integer() and coarsest.is_integer(), f"scales={scales} must be powers of two"
        self.min_level, self.max_level = int(finest), int(coarsest)
        assert len(scales) == self.max_level - self.min_level + 1, (
            f"scales={scales} are no pyramid: each must be half of the one before"
        )
        assert self.min_level >= 0, f"scales={scales}: a map cannot be finer than the image"
        self.canonical_level = canonical_level
        assert canonical_box_size > 0, f"canonical_box_size={canonical_box_size} must be positive"
        self.canonical_box_size = canonical_box_size

    def forward(self, x: List[torch.Tensor], box_lists: List[Boxes]):
        """Pools.

        Args:
            x: maps float (N, C, H_l, W_l), one for each scale.
            box_lists: boxes of each of the N images, in image pixels.

        Returns:
            float (boxes of all images, C, height, width), in the order of the boxes.

        Raises:
            AssertionError: when the arguments are no lists or their lengths do not fit.
        """
        assert isinstance(x, list) and isinstance(box_lists, list), "ROIPooler takes two lists: maps and boxes"
        assert len(x) == len(self.level_poolers), f"ROIPooler has {len(self.level_poolers)} levels, got {len(x)} maps"
        assert len(box_lists) == x[0].shape[0], f"boxes of {len(box_lists)} images for a batch of {x[0].shape[0]}"
        if not box_lists:
            return x[0].new_zeros((0, x[0].shape[1], *self.output_size))
        rows = convert_boxes_to_pooler_format(box_lists)
        if len(self.level_poolers) == 1:
            return self.level_poolers[0](x[0], rows)

        levels = assign_boxes_to_levels(
            box_lists, self.min_level, self.max_level, self.canonical_box_size, self.canonical_level
        )
        pooled = x[0].new_zeros((len(rows), x[0].shape[1], *self.output_size))
        for level, pool in enumerate(self.level_poolers):
            here = nonzero_tuple(levels == level)[0]
            # Also without boxes here: the level then gets a gradient of zeros, not none.
            pooled.index_put_((here,), pool(x[level], rows[here]))
        return pooled


def _pooler_factory(pooler_type, output_size, sampling_ratio):
    """Returns the function that makes the pooler of one scale."""
    if pooler_type == "ROIPool":
        return lambda scale: RoIPool(output_size, spatial_scale=scale)
    if pooler_type not in ("ROIAlign", "ROIAlignV2"):
        raise ValueError(f"unknown pooler_type {pooler_type!r}; known are ROIAlign, ROIAlignV2, ROIPool")
    aligned = pooler_type == "ROIAlignV2"
    return lambda scale: ROIAlign(
        output_size, spatial_scale=scale, sampling_ratio=sampling_ratio, aligned=aligned
    )
