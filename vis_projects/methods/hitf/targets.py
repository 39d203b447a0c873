"""Ground truth of a pair of frames at the size of the mask logits.

Letters: K objects, h x w the map of mask logits at stride 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.modeling import positions_of

MASK_STRIDE = 4  # pixels between two places of the mask logits


@dataclass
class FrameTargets:
    """The K objects of a pair of frames as one of its frames shows them.

    Attributes:
        masks: float32 (K, h, w), 0 or 1; empty for an object that is absent here.
        classes: int64 (K,), the number of classes (the empty class) where absent.
        counted: bool (h, w), False for padding and for objects that no slot answers for.
    """

    masks: Tensor
    classes: Tensor
    counted: Tensor

    @property
    def present(self) -> Tensor:
        """bool (K,)."""
        return self.masks.flatten(1).any(dim=1)

    def owners(self) -> Tensor:
        """int64 (h, w): the object of each pixel, the smaller one where two overlap, and K in the background."""
        owners = torch.full_like(self.counted, len(self.classes), dtype=torch.int64)
        for index in self.masks.flatten(1).sum(dim=1).argsort(descending=True).tolist():
            owners[self.masks[index] > 0] = index
        return owners


def pair_targets(
    frames: Sequence[Instances], image_size: tuple[int, int], size: tuple[int, int], *, num_classes: int,
    max_objects: int,
) -> list[FrameTargets]:
    """The objects of frame t, as frames t and t - 1 show them.

    Objects without a pixel in frame t on the grid of the logits are absent. Of more than `max_objects` the largest are
    kept; pixels of the others do not count. Neither do those of objects that only frame t - 1 has.

    Args:
        frames: of t and, where wanted, t - 1, with `gt_masks`, `gt_classes`, `gt_ids`.
        image_size: (height, width) of the frames before padding.
        size: (h, w).
        num_classes: without the empty class.
        max_objects: number of slots.

    Returns:
        one entry a frame, with the same K objects in the same order.
    """
    grids = [_on_grid(frame, size) for frame in frames]
    areas = grids[0].flatten(1).sum(dim=1)
    order = areas.argsort(descending=True, stable=True)
    kept = order[: min(max_objects, int((areas > 0).sum()))].sort().values
    targets = []
    for frame, grid in zip(frames, grids):
        rows = kept if frame is frames[0] else positions_of(frames[0].gt_ids[kept], frame.gt_ids)
        found = rows >= 0
        masks = grid.new_zeros(len(kept), *size, dtype=torch.float32)
        masks[found] = grid[rows[found]].float()
        classes = torch.full_like(kept, num_classes)
        classes[found] = frame.gt_classes[rows[found]]
        classes[masks.flatten(1).sum(dim=1) == 0] = num_classes
        others = torch.ones(len(grid), dtype=torch.bool, device=grid.device)
        others[rows[found]] = False
        counted = inside(image_size, size).to(grid.device)
        counted = counted & ~(grid[others].any(dim=0) & ~(masks > 0).any(dim=0))
        targets.append(FrameTargets(masks, classes, counted))
    return targets


def inside(image_size: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """bool (h, w): places of the logits' grid that lie in the frame, not in its padding."""
    y, x = (torch.arange(side) * MASK_STRIDE for side in size)
    return (y[:, None] < image_size[0]) & (x[None, :] < image_size[1])


def _on_grid(frame: Instances, size: tuple[int, int]) -> Tensor:
    """bool (N, h, w): masks at pixels 0, 4, 8, ... of both axes, the places whose values the logits give exactly."""
    masks = frame.gt_masks.tensor[:, ::MASK_STRIDE, ::MASK_STRIDE]
    grid = masks.new_zeros(len(frame), *size)
    grid[:, : masks.shape[1], : masks.shape[2]] = masks
    return grid
