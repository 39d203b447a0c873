"""Non-maximum suppression within groups of boxes."""

import torch
from torchvision.ops import boxes as box_ops
from torchvision.ops import nms

from detectron2._impl.placeholders import placeholder_getattr

__all__ = ["batched_nms", "nms"]

__getattr__ = placeholder_getattr(__name__, ("batched_nms_rotated", "nms_rotated"))


def batched_nms(boxes: torch.Tensor, scores: torch.Tensor, idxs: torch.Tensor, iou_threshold: float):
    """Suppress boxes that overlap a better one of the same group.

    Args:
        boxes: N x 4, XYXY_ABS. AssertionError for another number of columns.
        scores: N.
        idxs: N group numbers, such as classes or pyramid levels.
        iou_threshold: boxes with a larger IoU are suppressed.

    Returns:
        int64 indices of the boxes that stay, by falling score.
    """
    assert boxes.shape[-1] == 4, f"boxes need 4 columns, got {tuple(boxes.shape)}"
    # In half precision the offsets that keep groups apart would not be exact.
    return box_ops.batched_nms(boxes.float(), scores, idxs, iou_threshold)
