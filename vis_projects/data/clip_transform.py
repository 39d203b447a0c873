"""Augmentation of a training clip: drawn once, applied alike to every frame and annotation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from detectron2.data import transforms as T

from vis_projects.data.color_jitter import ColorChange, draw_color_change
from vis_projects.data.frame_transform import frame_resize

COLOR_STRENGTH = 0.2
CROP_TYPES = ("relative", "relative_range", "absolute", "absolute_range")


@dataclass(frozen=True)
class ClipTransform:
    """What was drawn for one clip.

    Attributes:
        geometry: transform of image, boxes and masks, the same for every frame.
        colors: one change per frame of the clip, or none.
        crops: whether objects may be cut off, so that boxes follow from the masks.
    """

    geometry: T.TransformList
    colors: tuple[ColorChange, ...] = ()
    crops: bool = False

    def apply_image(self, image: np.ndarray, position: int) -> np.ndarray:
        """(H, W, C) uint8 frame at this position of the clip -> the augmented frame."""
        image = self.geometry.apply_image(image)
        return self.colors[position].apply(image) if self.colors else image


class ClipAugmentation:
    """Crop, resize, flip and colour change of a clip, in this order."""

    def __init__(
        self,
        min_sizes: tuple[int, ...],
        max_size: int,
        *,
        min_size_sampling: str = "choice",
        flip: str = "horizontal",
        crop: tuple[str, tuple[float, float]] | None = None,
        color_jitter: bool = False,
        per_frame_jitter: bool = False,
        image_format: str = "BGR",
        keep_aspect_ratio: bool = True,
    ):
        """
        Args:
            min_sizes: short sides in pixels to choose from, or the two ends of a range; (0,) keeps the size.
            max_size: upper bound of the long side in pixels.
            min_size_sampling: "choice" or "range".
            flip: "horizontal", "vertical" (each with probability 1/2) or "none".
            crop: (type, size) as Detectron2's `INPUT.CROP`, or None.
            color_jitter: whether brightness, contrast and saturation change by up to 20 %.
            per_frame_jitter: whether each frame gets a colour change of its own.
            image_format: channel order of the frames.
            keep_aspect_ratio: of the frame; otherwise short side and upper bound are height and width.

        Raises:
            ValueError: for an unknown sampling, flip or crop type, naming its config key.
        """
        for key, value, known in (
            ("INPUT.MIN_SIZE_TRAIN_SAMPLING", min_size_sampling, ("choice", "range")),
            ("INPUT.RANDOM_FLIP", flip, ("horizontal", "vertical", "none")),
            ("INPUT.CROP.TYPE", crop[0] if crop else CROP_TYPES[0], CROP_TYPES),
        ):
            if value not in known:
                raise ValueError(f"{key} is {value!r}, known are {known}")
        if min_size_sampling == "range" and len(min_sizes) != 2:
            raise ValueError(f"INPUT.MIN_SIZE_TRAIN is {min_sizes}; sampling by range needs its two ends")
        self.min_sizes = tuple(min_sizes)
        self.max_size = max_size
        self.min_size_sampling = min_size_sampling
        self.flip = flip
        self.crop = crop
        self.color_jitter = color_jitter
        self.per_frame_jitter = per_frame_jitter
        self.image_format = image_format
        self.keep_aspect_ratio = keep_aspect_ratio

    @classmethod
    def from_cfg(cls, cfg) -> "ClipAugmentation":
        """Reads `*_TRAIN`, `RANDOM_FLIP`, `CROP`, `FORMAT`, `VIDEO.*JITTER`, `VIDEO.KEEP_ASPECT_RATIO` of `INPUT`."""
        arguments: dict[str, Any] = {
            "min_size_sampling": cfg.INPUT.MIN_SIZE_TRAIN_SAMPLING,
            "flip": cfg.INPUT.RANDOM_FLIP,
            "crop": (cfg.INPUT.CROP.TYPE, tuple(cfg.INPUT.CROP.SIZE)) if cfg.INPUT.CROP.ENABLED else None,
            "color_jitter": cfg.INPUT.VIDEO.COLOR_JITTER,
            "per_frame_jitter": cfg.INPUT.VIDEO.PER_FRAME_JITTER,
            "image_format": cfg.INPUT.FORMAT,
            "keep_aspect_ratio": cfg.INPUT.VIDEO.KEEP_ASPECT_RATIO,
        }
        sizes = cfg.INPUT.MIN_SIZE_TRAIN
        return cls((sizes,) if isinstance(sizes, int) else tuple(sizes), cfg.INPUT.MAX_SIZE_TRAIN, **arguments)

    def draw(self, height: int, width: int, num_frames: int, rng: np.random.Generator) -> ClipTransform:
        """Draws the transform of a clip of `num_frames` frames of height x width pixels."""
        steps: list[T.Transform] = []
        if self.crop is not None:
            crop_height, crop_width = self._crop_size(height, width, rng)
            top, left = int(rng.integers(height - crop_height + 1)), int(rng.integers(width - crop_width + 1))
            steps.append(T.CropTransform(left, top, crop_width, crop_height))
            height, width = crop_height, crop_width
        size = (self._min_size(rng), self.max_size)
        steps.append(frame_resize(height, width, *size, keep_aspect_ratio=self.keep_aspect_ratio))
        if isinstance(steps[-1], T.ResizeTransform):
            height, width = steps[-1].new_h, steps[-1].new_w
        if self.flip != "none" and rng.random() < 0.5:
            steps.append(T.HFlipTransform(width) if self.flip == "horizontal" else T.VFlipTransform(height))
        colors: list[ColorChange] = []
        if self.color_jitter:
            draws = num_frames if self.per_frame_jitter else 1
            colors = [draw_color_change(rng, COLOR_STRENGTH, self.image_format) for _ in range(draws)]
            colors *= num_frames // draws
        return ClipTransform(T.TransformList(steps), tuple(colors), crops=self.crop is not None)

    def _min_size(self, rng: np.random.Generator) -> int:
        if self.min_size_sampling == "range":
            return int(rng.integers(self.min_sizes[0], self.min_sizes[1] + 1))
        return int(self.min_sizes[rng.integers(len(self.min_sizes))])

    def _crop_size(self, height: int, width: int, rng: np.random.Generator) -> tuple[int, int]:
        """(height, width) of the crop; the four types are those of `INPUT.CROP.TYPE`."""
        kind, (a, b) = self.crop
        if kind == "absolute":
            return min(int(a), height), min(int(b), width)
        if kind == "absolute_range":
            low_h, high_h = (min(int(bound), height) for bound in (a, b))
            low_w, high_w = (min(int(bound), width) for bound in (a, b))
            return int(rng.integers(low_h, high_h + 1)), int(rng.integers(low_w, high_w + 1))
        if kind == "relative_range":
            a, b = a + rng.random() * (1 - a), b + rng.random() * (1 - b)
        return max(int(height * a + 0.5), 1), max(int(width * b + 0.5), 1)
