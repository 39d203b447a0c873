"""Random brightness, contrast and saturation, drawn apart from being applied.

Detectron2's photometric augmentations keep pixels of the image they were drawn on, so one draw cannot serve a clip.
"""

from dataclasses import dataclass

import numpy as np

LUMA_RGB = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True)
class ColorChange:
    """One drawn change; factors of 1 leave the image as it is.

    Attributes:
        brightness: factor of all values.
        contrast: factor of the distance to the mean of the image.
        saturation: factor of the distance to the grey of each pixel.
        image_format: "BGR" or "RGB".
    """

    brightness: float
    contrast: float
    saturation: float
    image_format: str = "BGR"

    def apply(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 -> uint8 of the same shape; mean and grey are those of this image."""
        values = image.astype(np.float32) * self.brightness
        mean = values.mean()
        values = mean + (values - mean) * self.contrast
        weights = LUMA_RGB[::-1] if self.image_format == "BGR" else LUMA_RGB
        grey = (values @ weights)[..., None]
        values = grey + (values - grey) * self.saturation
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def draw_color_change(rng: np.random.Generator, strength: float, image_format: str) -> ColorChange:
    """Three factors, uniform in [1 - strength, 1 + strength]."""
    brightness, contrast, saturation = rng.uniform(1 - strength, 1 + strength, size=3)
    return ColorChange(float(brightness), float(contrast), float(saturation), image_format)
