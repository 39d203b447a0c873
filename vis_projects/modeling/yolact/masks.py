"""Masks of Yolact: linear combinations of prototypes, cut with boxes.

Letters: N images, P instances, K prototypes, (Hp, Wp) their size, (H, W) that of the padded image. Boxes are xyxy
(P, 4) as fractions of the padded image.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

BORDER = 1.0  # cells that a box is wider than what it says, on each side


def assemble_masks(prototypes: Tensor, coefficients: Tensor, boxes: Tensor) -> Tensor:
    """Soft masks: sigmoid(prototypes . tanh(coefficients)), zero outside of the box and one cell around it.

    Args:
        prototypes: (Hp, Wp, K).
        coefficients: (P, K), before tanh.
        boxes: (P, 4).

    Returns:
        float32 (P, Hp, Wp).
    """
    # sums over K products decide on which side of 1/2 a place is: not in half precision
    with torch.autocast(device_type=prototypes.device.type, enabled=False):
        logits = torch.tanh(coefficients.float()) @ prototypes.float().flatten(0, 1).T
    return crop_masks(logits.sigmoid().unflatten(1, prototypes.shape[:2]), boxes)


def crop_masks(masks: Tensor, boxes: Tensor) -> Tensor:
    """Zeroes places (P, H, W) whose index is not within [x0 - 1, x1 + 1) and [y0 - 1, y1 + 1) cells of their box."""
    inside_y = _inside(boxes[:, 1], boxes[:, 3], masks.shape[1])
    inside_x = _inside(boxes[:, 0], boxes[:, 2], masks.shape[2])
    return masks * (inside_y[:, :, None] & inside_x[:, None, :])


def _inside(low: Tensor, high: Tensor, size: int) -> Tensor:
    """bool (P, size): places between two edges, given in any order."""
    low, high = torch.min(low, high) * size - BORDER, torch.max(low, high) * size + BORDER
    places = torch.arange(size, device=low.device, dtype=low.dtype)
    return (places >= low.clamp(min=0)[:, None]) & (places < high.clamp(max=size)[:, None])


def cropped_mask_loss(
    prototypes: Tensor, image_index: Tensor, coefficients: Tensor, boxes: Tensor, masks: Tensor, mask_index: Tensor
) -> Tensor:
    """Binary cross-entropy of each instance's mask, relative to the area of its box.

    The soft mask is cut with the box, brought to the size of the image and compared with the whole true mask; so true
    pixels outside of the box cost 100 each, without gradient.

    Args:
        prototypes: (N, Hp, Wp, K).
        image_index: int64 (P,), image of each instance.
        coefficients: (P, K), before tanh.
        boxes: (P, 4), what the masks are cut with and whose area in pixels divides, each side at least 1.
        masks: bool (G, H, W), the objects of all images.
        mask_index: int64 (P,), object of each instance.

    Returns:
        (P,).
    """
    size = tuple(masks.shape[1:])
    losses = coefficients.new_zeros(len(coefficients)).float() + 0.0 * coefficients.float().sum()
    for image in image_index.unique().tolist():
        rows = (image_index == image).nonzero()[:, 0]
        soft = assemble_masks(prototypes[image], coefficients[rows], boxes[rows])
        soft = F.interpolate(soft[None], size=size, mode="bilinear", align_corners=False)[0].clamp(0, 1)
        with torch.autocast(device_type=soft.device.type, enabled=False):
            cross = F.binary_cross_entropy(soft, masks[mask_index[rows]].to(soft), reduction="none").sum(dim=(1, 2))
        losses = losses.index_add(0, rows, cross)
    sides = (boxes[:, 2:] - boxes[:, :2]).abs() * boxes.new_tensor([size[1], size[0]])
    return losses / sides.clamp(min=1).prod(dim=1)
