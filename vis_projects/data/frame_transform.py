"""The deterministic resize of a frame at test time, one for data sets and for streams."""

import numpy as np
import torch
from detectron2.data import transforms as T


class FrameTransform:
    """Resizes a frame so that its short side is `min_size`, its long side at most `max_size`, ratio kept."""

    def __init__(self, min_size: int, max_size: int, image_format: str = "BGR"):
        """
        Args:
            min_size: short side in pixels; 0 keeps the size of the frame.
            max_size: upper bound of the long side in pixels.
            image_format: channel order of the frames that come in, kept in what goes out.
        """
        self.min_size = min_size
        self.max_size = max_size
        self.image_format = image_format

    @classmethod
    def from_cfg(cls, cfg) -> "FrameTransform":
        """Reads `INPUT.MIN_SIZE_TEST`, `INPUT.MAX_SIZE_TEST` and `INPUT.FORMAT`."""
        return cls(cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST, cfg.INPUT.FORMAT)

    def __call__(self, image: np.ndarray) -> torch.Tensor:
        """(H, W, C) uint8 in `image_format` -> (C, H', W') uint8 tensor."""
        image = resize_shortest_edge(*image.shape[:2], self.min_size, self.max_size).apply_image(image)
        return image_to_tensor(image)


def resize_shortest_edge(height: int, width: int, min_size: int, max_size: int) -> T.Transform:
    """The bilinear resize with the output size of Detectron2's `ResizeShortestEdge`, without any random draw."""
    if min_size == 0:
        return T.NoOpTransform()
    new_height, new_width = T.ResizeShortestEdge.get_output_shape(height, width, min_size, max_size)
    return T.ResizeTransform(height, width, new_height, new_width)


def image_to_tensor(image: np.ndarray) -> torch.Tensor:
    """(H, W, C) array, also a flipped view -> contiguous (C, H, W) tensor."""
    return torch.as_tensor(np.ascontiguousarray(image.transpose(2, 0, 1)))
