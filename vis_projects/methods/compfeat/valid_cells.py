"""Which cells of a feature map lie in the image and which in its padding."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ValidCells:
    """Sizes of a batch of padded images.

    Attributes:
        image_sizes: N x (height, width) before padding.
        padded_size: (height, width) of all of them.
    """

    image_sizes: Sequence[tuple[int, int]]
    padded_size: tuple[int, int]

    def of(self, features: Tensor) -> Tensor:
        """(N, 1, h, w) bool for maps (N, C, h, w): cells that hold at least a part of a pixel of their image."""
        height, width = features.shape[2:]
        sizes = torch.tensor([tuple(size) for size in self.image_sizes], device=features.device, dtype=torch.float64)
        rows = torch.arange(height, device=features.device) * (self.padded_size[0] / height)
        columns = torch.arange(width, device=features.device) * (self.padded_size[1] / width)
        return ((rows < sizes[:, :1])[:, :, None] & (columns < sizes[:, 1:])[:, None, :])[:, None]

    def rows(self, rows: Tensor) -> "ValidCells":
        """Of some images of the batch."""
        return ValidCells([self.image_sizes[k] for k in rows.tolist()], self.padded_size)
