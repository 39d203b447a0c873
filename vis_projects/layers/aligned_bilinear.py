"""Bilinear upsampling by a whole factor, as CondInst and CrossVIS do it to mask features and mask logits."""

import torch
from torch.nn import functional as F


def aligned_bilinear(maps: torch.Tensor, factor: int) -> torch.Tensor:
    """Upsamples maps by a whole factor so that place i of the input comes to place `factor * i + factor // 2`.

    Between the places of the input it is linear; what lies before the first or behind the last one repeats it. A plain
    resize puts the places elsewhere, which masks trained with one of them notice.

    Args:
        maps: (N, C, H, W) floating, H and W at least 1; N or C may be 0.
        factor: 1 or more.

    Returns:
        (N, C, factor * H, factor * W), dtype of the input; for a factor of 1 the input itself.

    Raises:
        ValueError: `maps` has no four axes, no pixel, or `factor` is below 1.
    """
    if maps.dim() != 4 or 0 in maps.shape[2:]:
        raise ValueError(f"aligned_bilinear needs maps (N, C, H, W) with at least one pixel, got {tuple(maps.shape)}")
    if factor < 1:
        raise ValueError(f"aligned_bilinear: factor must be 1 or more, got {factor}")
    if factor == 1:
        return maps
    height, width = (factor * size for size in maps.shape[2:])
    if maps.numel() == 0:
        return maps.new_empty(*maps.shape[:2], height, width) + maps.sum()  # empty, and part of the graph
    # with one more row and column repeated, the input's places are exactly `factor` apart in a map of factor * size + 1
    maps = F.pad(maps, (0, 1, 0, 1), mode="replicate")
    maps = F.interpolate(maps, size=(height + 1, width + 1), mode="bilinear", align_corners=True)
    shift = factor // 2
    return F.pad(maps, (shift, 0, shift, 0), mode="replicate")[:, :, :height, :width]
