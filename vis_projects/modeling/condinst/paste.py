"""From logits at the output stride to masks of the size that the user asked for."""

import torch
from detectron2.layers import interpolate
from torch import Tensor

from vis_projects.layers import aligned_bilinear

THRESHOLD = 0.5
CHUNK_PIXELS = 1 << 26  # float values that are in memory at once


def paste_dynamic_masks(
    logits: Tensor, stride: int, image_size: tuple[int, int], output_size: tuple[int, int]
) -> Tensor:
    """Binary masks at the output size.

    The probabilities are brought to the padded input size with `aligned_bilinear`, cut to the image and resized; one
    chunk of instances at a time.

    Args:
        logits: (P, H, W) of `DynamicMaskHead`.
        stride: of the logits in pixels of the input.
        image_size: (h, w) of the input without its padding.
        output_size: (h', w').

    Returns:
        bool (P, h', w').
    """
    masks = torch.zeros((len(logits), *output_size), dtype=torch.bool, device=logits.device)
    pixels = max(logits.shape[1] * logits.shape[2] * stride**2, output_size[0] * output_size[1], 1)
    for rows in torch.arange(len(logits), device=logits.device).split(max(1, CHUNK_PIXELS // pixels)):
        probability = aligned_bilinear(logits[rows].float().sigmoid()[:, None], stride)
        probability = probability[:, :, : image_size[0], : image_size[1]]
        resized = interpolate(probability, size=output_size, mode="bilinear", align_corners=False)
        masks[rows] = resized[:, 0] > THRESHOLD
    return masks
