"""Frames or images -> one normalised batch of the size that a backbone asks for."""

from collections.abc import Sequence
from typing import Any

from detectron2.structures import ImageList
from torch import Tensor, nn


def padding_of(backbone: nn.Module) -> dict[str, Any]:
    """What a `Backbone` asks of padded sizes, as keyword arguments of `image_batch` and `Clip.from_batch`."""
    return {"size_divisibility": backbone.size_divisibility, "padding_constraints": backbone.padding_constraints}


def image_batch(
    images: Sequence[Tensor],
    pixel_mean: Tensor,
    pixel_std: Tensor,
    size_divisibility: int = 0,
    padding_constraints: dict[str, int] | None = None,
) -> ImageList:
    """Moves images to the device of the means, normalises them and pads them with zeros to one size.

    Args:
        images: one or more (C, H_i, W_i) tensors of any number type, values 0 ... 255.
        pixel_mean, pixel_std: float (C, 1, 1), in the channel order of the images.
        size_divisibility, padding_constraints: see `padding_of`; ``square_size`` of the constraints sets both sides.
    """
    device = pixel_mean.device
    normalized = [(image.to(device, non_blocking=True).float() - pixel_mean) / pixel_std for image in images]
    return ImageList.from_tensors(normalized, size_divisibility, padding_constraints=padding_constraints)
