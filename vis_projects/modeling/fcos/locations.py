"""Where the cells of a feature map lie in the image."""

from collections.abc import Sequence

import torch
from torch import Tensor


def level_locations(size: Sequence[int], stride: int, device: torch.device | str = "cpu") -> Tensor:
    """Image positions of the cells of one level, row by row.

    Args:
        size: (H, W) of the map.
        stride: of the map in pixels.

    Returns:
        float32 (H * W, 2) of (x, y) in pixels: cell (row i, column j) lies at (stride * j + stride // 2,
        stride * i + stride // 2).
    """
    height, width = size
    rows = torch.arange(height, dtype=torch.float32, device=device) * stride + stride // 2
    columns = torch.arange(width, dtype=torch.float32, device=device) * stride + stride // 2
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack((x.flatten(), y.flatten()), dim=1)
