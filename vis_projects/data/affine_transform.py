"""An affine map of image, masks and coordinates."""

import numpy as np
from detectron2.data.transforms import Transform
from PIL import Image


class AffineTransform(Transform):
    """x' = A x + b on continuous coordinates (pixel i covers [i, i + 1]); the frame keeps its size.

    Images are sampled bilinearly, masks by nearest neighbour; what comes from outside is `fill`, 0 in masks.
    """

    def __init__(self, matrix: np.ndarray, height: int, width: int, fill: tuple[int, ...] = (0, 0, 0)):
        """
        Args:
            matrix: (2, 3) float, [A | b], from old to new coordinates; A must be invertible.
            height, width: size of the frame in pixels.
            fill: value of each channel outside the old frame.
        """
        super().__init__()
        self.matrix = np.asarray(matrix, dtype=np.float64)
        self.height = height
        self.width = width
        self.fill = tuple(fill)

    def apply_image(self, img: np.ndarray) -> np.ndarray:
        """(H, W, C) or (H, W) uint8 -> the same shape."""
        fill = self.fill if img.ndim == 3 else self.fill[0]
        return self._sample(img, Image.Resampling.BILINEAR, fill)

    def apply_segmentation(self, segmentation: np.ndarray) -> np.ndarray:
        """(H, W) uint8 -> the same shape."""
        return self._sample(segmentation, Image.Resampling.NEAREST, 0)

    def apply_coords(self, coords: np.ndarray) -> np.ndarray:
        """(N, 2) x, y -> (N, 2)."""
        return np.asarray(coords, dtype=np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def inverse(self) -> "AffineTransform":
        """The map back; pixels that left the frame are lost."""
        back = np.linalg.inv(np.vstack([self.matrix, [0, 0, 1]]))[:2]
        return AffineTransform(back, self.height, self.width, self.fill)

    def _sample(self, image: np.ndarray, resample: Image.Resampling, fill: int | tuple[int, ...]) -> np.ndarray:
        back = self.inverse().matrix  # Pillow asks where each new pixel comes from
        source = Image.fromarray(np.ascontiguousarray(image))
        moved = source.transform((self.width, self.height), Image.Transform.AFFINE, tuple(back.ravel()), resample,
                                 fillcolor=fill)
        return np.asarray(moved)
