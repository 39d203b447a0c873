"""The augmentations by their public path; sizes, crops and colours live in modules of their own.

All draw from ``np.random``, so that its seed decides.
"""

import numpy as np
from fvcore.transforms.transform import HFlipTransform, NoOpTransform, VFlipTransform

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.data._impl.color_augmentations import RandomBrightness, RandomContrast, RandomLighting, RandomSaturation
from detectron2.data._impl.crop_augmentations import FixedSizeCrop, RandomCrop, RandomCrop_CategoryAreaConstraint
from detectron2.data._impl.size_augmentations import Resize, ResizeScale, ResizeShortestEdge

from .augmentation import Augmentation, _transform_to_aug
from .transform import RotationTransform

__all__ = [
    "FixedSizeCrop",
    "RandomApply",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomCrop_CategoryAreaConstraint",
    "RandomFlip",
    "RandomLighting",
    "RandomRotation",
    "RandomSaturation",
    "Resize",
    "ResizeScale",
    "ResizeShortestEdge",
]

__getattr__ = placeholder_getattr(__name__, ("MinIoURandomCrop", "RandomExtent", "RandomResize"))


class RandomApply(Augmentation):
    """Apply another augmentation with a given chance.

    Args:
        tfm_or_aug: augmentation or transform.
        prob: chance in [0, 1] (AssertionError).
    """

    def __init__(self, tfm_or_aug, prob=0.5):
        assert 0.0 <= prob <= 1.0, f"prob must lie between 0 and 1, not {prob}"
        self.aug = _transform_to_aug(tfm_or_aug)
        self.prob = prob

    def get_transform(self, *args):
        return self.aug.get_transform(*args) if self._wins() else NoOpTransform()

    def __call__(self, aug_input):
        # Goes to the inner augmentation as a whole: that one knows what it needs of the input.
        return self.aug(aug_input) if self._wins() else NoOpTransform()

    def _wins(self) -> bool:
        return self._rand_range() < self.prob


class RandomFlip(Augmentation):
    """Flip in one direction with a given chance.

    Args:
        prob: chance of a flip.
        horizontal, vertical: exactly one must be set (ValueError).
    """

    def __init__(self, prob=0.5, *, horizontal=True, vertical=False):
        if bool(horizontal) == bool(vertical):
            raise ValueError(
                f"set one of horizontal={horizontal} and vertical={vertical}; for both directions use two RandomFlip"
            )
        self._init(locals())

    def get_transform(self, image):
        h, w = image.shape[:2]
        if self._rand_range() >= self.prob:
            return NoOpTransform()
        return HFlipTransform(w) if self.horizontal else VFlipTransform(h)


class RandomRotation(Augmentation):
    """Rotate by a random angle about a random point.

    Args:
        angle: degrees: [low, high] for style "range", the values to choose from for "choice"; a number stands alone.
        expand: enlarge the output to hold the whole image.
        center: points as fractions (x, y) of the image: [[xmin, ymin], [xmax, ymax]] or a list of choices; None is
            the middle.
        sample_style: "range" or "choice" (AssertionError).
        interp: cv2 interpolation, linear when None.
    """

    def __init__(self, angle, expand=True, center=None, sample_style="range", interp=None):
        assert sample_style in ("range", "choice"), f"sample_style is 'range' or 'choice', not {sample_style!r}"
        is_range = sample_style == "range"
        if isinstance(angle, (float, int)):
            angle = (angle, angle)
        if center is not None and isinstance(center[0], (float, int)):
            center = (center, center)
        self._init(locals())

    def get_transform(self, image):
        h, w = image.shape[:2]
        center = None
        if self.is_range:
            angle = np.random.uniform(self.angle[0], self.angle[1])
            if self.center is not None:
                (xmin, ymin), (xmax, ymax) = self.center
                center = (np.random.uniform(xmin, xmax), np.random.uniform(ymin, ymax))
        else:
            angle = np.random.choice(self.angle)
            if self.center is not None:
                center = np.random.choice(self.center)
        if center is not None:
            center = (w * center[0], h * center[1])
        if angle % 360 == 0:
            return NoOpTransform()
        return RotationTransform(h, w, angle, expand=self.expand, center=center, interp=self.interp)
