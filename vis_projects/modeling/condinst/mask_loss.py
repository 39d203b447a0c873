"""Dice loss of masks, and the targets it compares with."""

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-5


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """1 - 2 sum(p g) / (sum p^2 + sum g^2 + 1e-5) of each mask (CondInst section 3.4).

    Args:
        logits: (P, H, W) before the sigmoid.
        targets: (P, H, W) 0 or 1.

    Returns:
        float32 (P,); 1 where both are empty.

    Raises:
        ValueError: the shapes differ.
    """
    if logits.shape != targets.shape:
        raise ValueError(f"dice_loss needs masks of one size, got {tuple(logits.shape)} and {tuple(targets.shape)}")
    probability, targets = logits.float().sigmoid().flatten(1), targets.float().flatten(1)
    common = (probability * targets).sum(dim=1)
    total = (probability**2).sum(dim=1) + (targets**2).sum(dim=1) + EPSILON
    return 1 - 2 * common / total


def masks_at_stride(masks: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Masks padded to the size of the batch and read at the middle of every cell.

    Args:
        masks: (N, h, w) bool at the size of their image.
        size: (H, W) of the padded images, at least (h, w).
        stride: s of the logits in pixels; divides H and W.

    Returns:
        float32 (N, H / s, W / s), pixels s // 2, s // 2 + s, ... of both axes.
    """
    height, width = masks.shape[1:]
    padded = F.pad(masks.to(torch.uint8), (0, size[1] - width, 0, size[0] - height))
    return padded[:, stride // 2 :: stride, stride // 2 :: stride].float()
