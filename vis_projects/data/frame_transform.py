"""The deterministic resize of a frame at test time, one for data sets and for streams."""

import numpy as np
import torch
from detectron2.data import transforms as T


class FrameTransform:
    """Resizes a frame so that its short side is `min_size`, its long side at most `max_size`, ratio kept.

    Without keeping the ratio every frame gets the height `min_size` and the width `max_size`.
    """

    def __init__(self, min_size: int, max_size: int, image_format: str = "BGR", keep_aspect_ratio: bool = True):
        """
        Args:
            min_size: short side in pixels, or the height; 0 keeps the size of the frame.
            max_size: upper bound of the long side in pixels, or the width.
            image_format: channel order of the frames that come in, kept in what goes out.
            keep_aspect_ratio: of the frame.
        """
        self.min_size = min_size
        self.max_size = max_size
        self.image_format = image_format
        self.keep_aspect_ratio = keep_aspect_ratio

    @classmethod
    def from_cfg(cls, cfg) -> "FrameTransform":
        """Reads `INPUT.MIN_SIZE_TEST`, `INPUT.MAX_SIZE_TEST`, `INPUT.FORMAT` and `INPUT.VIDEO.KEEP_ASPECT_RATIO`."""
        node = cfg.INPUT
        return cls(node.MIN_SIZE_TEST, node.MAX_SIZE_TEST, node.FORMAT, node.VIDEO.KEEP_ASPECT_RATIO)

    def __call__(self, image: np.ndarray) -> torch.Tensor:
        """(H, W, C) uint8 in `image_format` -> (C, H', W') uint8 tensor."""
        size = (self.min_size, self.max_size)
        image = frame_resize(*image.shape[:2], *size, keep_aspect_ratio=self.keep_aspect_ratio).apply_image(image)
        return image_to_tensor(image)


def frame_resize(
    height: int, width: int, min_size: int, max_size: int, *, keep_aspect_ratio: bool = True
) -> T.Transform:
    """The bilinear resize with the output size of Detectron2's `ResizeShortestEdge`, without any random draw.

    Without keeping the ratio the output is `min_size` high and `max_size` wide.
    """
    if min_size == 0:
        return T.NoOpTransform()
    if not keep_aspect_ratio:
        return T.ResizeTransform(height, width, min_size, max_size)
    new_height, new_width = T.ResizeShortestEdge.get_output_shape(height, width, min_size, max_size)
    return T.ResizeTransform(height, width, new_height, new_width)


def image_to_tensor(image: np.ndarray) -> torch.Tensor:
    """(H, W, C) array, also a flipped view -> contiguous (C, H, W) tensor."""
    return torch.as_tensor(np.ascontiguousarray(image.transpose(2, 0, 1)))
