"""Augmentations that cut out a part of the image."""

import numpy as np
from fvcore.transforms.transform import CropTransform, PadTransform, Transform, TransformList

from detectron2.data.transforms.augmentation import Augmentation

_CROP_TYPES = ("relative", "relative_range", "absolute", "absolute_range")


class RandomCrop(Augmentation):
    """Cut out a rectangle at a random place.

    Args:
        crop_type: what ``crop_size`` means (AssertionError for others):
            "relative": (h, w) as fractions of the image;
            "relative_range": lower bounds of these fractions, the sizes are uniform between them and 1;
            "absolute": (h, w) in pixels, at most the image;
            "absolute_range": (low, high) in pixels for both sides, both ends possible, at most the image.
        crop_size: two numbers.
    """

    def __init__(self, crop_type: str, crop_size):
        assert crop_type in _CROP_TYPES, f"crop_type {crop_type!r} is none of {_CROP_TYPES}"
        self._init(locals())

    def get_transform(self, image):
        h, w = image.shape[:2]
        croph, cropw = self.get_crop_size((h, w))
        assert h >= croph and w >= cropw, f"{self!r} asks for {croph} x {cropw} of an image of {h} x {w}"
        top = np.random.randint(h - croph + 1)
        left = np.random.randint(w - cropw + 1)
        return CropTransform(left, top, cropw, croph)

    def get_crop_size(self, image_size):
        """Draw the size of a crop.

        Args:
            image_size: (h, w) in pixels.

        Returns:
            (h, w) in pixels.
        """
        h, w = image_size
        if self.crop_type == "absolute":
            return min(self.crop_size[0], h), min(self.crop_size[1], w)
        if self.crop_type == "absolute_range":
            low, high = self.crop_size
            assert low <= high, f"absolute_range needs low <= high, crop_size is {self.crop_size}"
            # The height is drawn first.
            return tuple(np.random.randint(min(side, low), min(side, high) + 1) for side in (h, w))
        if self.crop_type == "relative":
            fh, fw = self.crop_size
        else:
            least = np.asarray(self.crop_size, dtype=np.float32)
            fh, fw = least + np.random.rand(2) * (1 - least)
        return int(h * fh + 0.5), int(w * fw + 0.5)


class RandomCrop_CategoryAreaConstraint(Augmentation):
    """A ``RandomCrop`` in which no class takes more than a given part of the labelled area; ten tries, the last counts.

    Args:
        crop_type, crop_size: as in ``RandomCrop``.
        single_category_max_area: largest part of one class, 1 for any.
        ignored_category: label that is not counted.
    """

    def __init__(self, crop_type: str, crop_size, single_category_max_area: float = 1.0, ignored_category: int = None):
        self.crop_aug = RandomCrop(crop_type, crop_size)
        self._init(locals())

    def get_transform(self, image, sem_seg):
        if self.single_category_max_area >= 1.0:
            return self.crop_aug.get_transform(image)
        h, w = sem_seg.shape
        for _ in range(10):
            croph, cropw = self.crop_aug.get_crop_size((h, w))
            top = np.random.randint(h - croph + 1)
            left = np.random.randint(w - cropw + 1)
            if self._is_mixed(sem_seg[top : top + croph, left : left + cropw]):
                break
        return CropTransform(left, top, cropw, croph)

    def _is_mixed(self, labels: np.ndarray) -> bool:
        classes, areas = np.unique(labels, return_counts=True)
        if self.ignored_category is not None:
            areas = areas[classes != self.ignored_category]
        return len(areas) > 1 and np.max(areas) < np.sum(areas) * self.single_category_max_area


class FixedSizeCrop(Augmentation):
    """Cut out a rectangle of fixed size at a random place and fill up at the right and bottom where the image ends.

    Args:
        crop_size: (h, w) in pixels.
        pad: whether to fill up.
        pad_value: value for the image.
        seg_pad_value: value for the label image.
    """

    def __init__(self, crop_size: tuple[int], pad: bool = True, pad_value: float = 128.0, seg_pad_value: int = 255):
        self._init(locals())

    def _get_crop(self, image: np.ndarray) -> Transform:
        h, w = image.shape[:2]
        croph, cropw = self.crop_size
        # One draw for both directions: the crop lies on a diagonal.
        place = np.random.uniform(0.0, 1.0)
        room = np.maximum(np.subtract((h, w), (croph, cropw)), 0)
        top, left = np.round(np.multiply(room, place)).astype(int)
        return CropTransform(left, top, cropw, croph, w, h)

    def _get_pad(self, image: np.ndarray) -> Transform:
        h, w = image.shape[:2]
        croph, cropw = self.crop_size
        below, right = max(croph - h, 0), max(cropw - w, 0)
        return PadTransform(0, 0, right, below, min(w, cropw), min(h, croph), self.pad_value, self.seg_pad_value)

    def get_transform(self, image: np.ndarray) -> TransformList:
        chosen = [self._get_crop(image)]
        if self.pad:
            chosen.append(self._get_pad(image))
        return TransformList(chosen)
