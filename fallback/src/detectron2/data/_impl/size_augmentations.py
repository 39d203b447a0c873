"""Augmentations that choose the size of the image."""

import sys

import numpy as np
from fvcore.transforms.transform import NoOpTransform, Transform
from PIL import Image

from detectron2.data.transforms.augmentation import Augmentation
from detectron2.data.transforms.transform import ResizeTransform


class Resize(Augmentation):
    """Resize to a fixed size.

    Args:
        shape: (h, w) in pixels, or an int for a square.
        interp: PIL interpolation.
    """

    def __init__(self, shape, interp=Image.BILINEAR):
        shape = (shape, shape) if isinstance(shape, int) else tuple(shape)
        self._init(locals())

    def get_transform(self, image):
        return ResizeTransform(image.shape[0], image.shape[1], self.shape[0], self.shape[1], self.interp)


class ResizeShortestEdge(Augmentation):
    """Resize the shorter side to a random length and keep the aspect ratio; the longer side stays within a bound.

    Args:
        short_edge_length: pixels: (low, high), both possible, for style "range"; the values for "choice"; or one int.
            A drawn 0 leaves the image as it is.
        max_size: bound of the longer side in pixels; the image becomes smaller if need be.
        sample_style: "range" or "choice" (AssertionError, as for a range that is not a pair).
        interp: PIL interpolation.
    """

    def __init__(self, short_edge_length, max_size=sys.maxsize, sample_style="range", interp=Image.BILINEAR):
        assert sample_style in ("range", "choice"), f"sample_style is 'range' or 'choice', not {sample_style!r}"
        is_range = sample_style == "range"
        if isinstance(short_edge_length, int):
            short_edge_length = (short_edge_length, short_edge_length)
        if is_range:
            assert len(short_edge_length) == 2, f"a range has two ends, short_edge_length is {short_edge_length}"
        self._init(locals())

    def get_transform(self, image):
        h, w = image.shape[:2]
        if self.is_range:
            low, high = self.short_edge_length
            size = np.random.randint(low, high + 1)
        else:
            size = np.random.choice(self.short_edge_length)
        if size == 0:
            return NoOpTransform()
        return ResizeTransform(h, w, *self.get_output_shape(h, w, size, self.max_size), self.interp)

    @staticmethod
    def get_output_shape(oldh: int, oldw: int, short_edge_length: int, max_size: int) -> tuple[int, int]:
        """Return (h, w) in pixels of an image after resizing; halves are rounded up."""
        size = short_edge_length * 1.0
        scale = size / min(oldh, oldw)
        newh, neww = (size, scale * oldw) if oldh < oldw else (scale * oldh, size)
        longer = max(newh, neww)
        if longer > max_size:
            shrink = max_size * 1.0 / longer
            newh, neww = newh * shrink, neww * shrink
        return int(newh + 0.5), int(neww + 0.5)


class ResizeScale(Augmentation):
    """Resize, with the aspect ratio kept, to fit into a target size that is multiplied by a random scale.

    Args:
        min_scale, max_scale: bounds of the scale.
        target_height, target_width: target in pixels at scale 1.
        interp: PIL interpolation.
    """

    def __init__(
        self, min_scale: float, max_scale: float, target_height: int, target_width: int, interp: int = Image.BILINEAR
    ):
        self._init(locals())

    def _get_resize(self, image: np.ndarray, scale: float) -> Transform:
        h, w = image.shape[:2]
        box = np.multiply((self.target_height, self.target_width), scale)
        ratio = np.minimum(box[0] / h, box[1] / w)
        newh, neww = np.round(np.multiply((h, w), ratio)).astype(int)
        return ResizeTransform(h, w, int(newh), int(neww), self.interp)

    def get_transform(self, image: np.ndarray) -> Transform:
        return self._get_resize(image, np.random.uniform(self.min_scale, self.max_scale))
