"""The objects of a frame as training needs them: padded boxes and masks.

Letters: G objects of a frame, (H, W) the padded image.
"""

from dataclasses import dataclass

import torch
from detectron2.structures import Instances
from torch import Tensor
from torch.nn import functional as F


@dataclass
class FrameTargets:
    """The objects of one frame.

    Attributes:
        boxes: float32 (G, 4) xyxy as fractions of the padded image.
        classes: int64 (G,), from 0.
        ids: int64 (G,), of the video.
        masks: bool (G, H, W).
    """

    boxes: Tensor
    classes: Tensor
    ids: Tensor
    masks: Tensor

    def __len__(self) -> int:
        return len(self.ids)


def frame_targets(instances: Instances, padded_size: tuple[int, int]) -> FrameTargets:
    """Objects of a frame that have a box of positive size.

    Args:
        instances: at the size of the image, with `gt_boxes`, `gt_classes`, `gt_ids` and `gt_masks` (BitMasks).
        padded_size: (H, W).
    """
    height, width = padded_size
    boxes = instances.gt_boxes.tensor.float()
    # a box without area has no logarithm in the box coding
    solid = ((boxes[:, 2:] - boxes[:, :2]) > 0).all(dim=1)
    masks = instances.gt_masks.tensor[solid]
    masks = F.pad(masks, (0, width - masks.shape[2], 0, height - masks.shape[1]))
    boxes = boxes[solid] / boxes.new_tensor([width, height, width, height])
    return FrameTargets(boxes, instances.gt_classes[solid], instances.gt_ids[solid], masks)


def stack_targets(frames: list[FrameTargets]) -> tuple[FrameTargets, Tensor]:
    """The objects of several frames in one list, and int64 (len(frames),) the row at which each frame's begin."""
    counts = torch.tensor([0] + [len(frame) for frame in frames[:-1]], device=frames[0].ids.device)
    names = ("boxes", "classes", "ids", "masks")
    joined = FrameTargets(*(torch.cat([getattr(frame, name) for frame in frames]) for name in names))
    return joined, counts.cumsum(0)
