"""Augmentations that change colours and leave the geometry alone."""

import numpy as np
from fvcore.transforms.transform import BlendTransform

from detectron2.data.transforms.augmentation import Augmentation

# Weights of red, green and blue in the luma of ITU-R BT.601.
_LUMA = [0.299, 0.587, 0.114]


class RandomContrast(Augmentation):
    """Blend with the mean value of the image: result = w * image + (1 - w) * mean.

    Args:
        intensity_min, intensity_max: bounds of w; below 1 less contrast, above 1 more.
    """

    def __init__(self, intensity_min, intensity_max):
        self._init(locals())

    def get_transform(self, image):
        return _blend(image.mean(), np.random.uniform(self.intensity_min, self.intensity_max))


class RandomBrightness(Augmentation):
    """Multiply by a random number: result = w * image.

    Args:
        intensity_min, intensity_max: bounds of w; below 1 darker, above 1 brighter.
    """

    def __init__(self, intensity_min, intensity_max):
        self._init(locals())

    def get_transform(self, image):
        return _blend(0, np.random.uniform(self.intensity_min, self.intensity_max))


class RandomSaturation(Augmentation):
    """Blend with the grey image: result = w * image + (1 - w) * grey. For three channels (AssertionError).

    Args:
        intensity_min, intensity_max: bounds of w; 0 is grey, above 1 more colourful.
    """

    def __init__(self, intensity_min, intensity_max):
        self._init(locals())

    def get_transform(self, image):
        _assert_rgb(self, image)
        weight = np.random.uniform(self.intensity_min, self.intensity_max)
        return _blend(image.dot(_LUMA)[:, :, np.newaxis], weight)


class RandomLighting(Augmentation):
    """Add a random colour along the principal axes of ImageNet's RGB values (AlexNet, section 4.1).

    Args:
        scale: standard deviation of the three normal draws.
    """

    def __init__(self, scale):
        self._init(locals())
        self.eigen_vecs = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
        self.eigen_vals = np.array([0.2175, 0.0188, 0.0045])

    def get_transform(self, image):
        _assert_rgb(self, image)
        color = self.eigen_vecs.dot(np.random.normal(scale=self.scale, size=3) * self.eigen_vals)
        return BlendTransform(src_image=color, src_weight=1.0, dst_weight=1.0)


def _blend(other, weight: float) -> BlendTransform:
    return BlendTransform(src_image=other, src_weight=1 - weight, dst_weight=weight)


def _assert_rgb(aug: Augmentation, image: np.ndarray) -> None:
    assert image.shape[-1] == 3, f"{type(aug).__name__} works on RGB images only, got the shape {image.shape}"
