"""Overlap of dense binary masks of one frame. Letters: A, B masks, H height, W width."""

import torch


def mask_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Intersection over union of all pairs of masks.

    Args:
        a: (A, H, W) bool. b: (B, H, W) bool, same device.

    Returns:
        float32 (A, B); 0 where both masks are empty. One matrix product: counts stay exact in float32 up to
        2^24 pixels.

    Raises:
        ValueError: if H or W differ.
    """
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(f"mask_iou needs masks of one size, got {tuple(a.shape)} and {tuple(b.shape)}")
    a, b = a.flatten(1).float(), b.flatten(1).float()
    inter = a @ b.T
    union = a.sum(1)[:, None] + b.sum(1)[None, :] - inter
    return inter / union.clamp(min=1)
