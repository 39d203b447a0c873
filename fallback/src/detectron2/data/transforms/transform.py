"""Deterministic geometric transforms on top of fvcore's: resizing and rotation.

Coordinates are (x, y) in pixels, absolute, with pixel centres at half integers.
"""

import numpy as np
import torch
import torch.nn.functional as F
from fvcore.transforms.transform import CropTransform, Transform, TransformList
from PIL import Image

from detectron2._impl.placeholders import placeholder_getattr

__all__ = ["ResizeTransform", "RotationTransform"]

__getattr__ = placeholder_getattr(__name__, ("ColorTransform", "ExtentTransform", "PILColorTransform"))

_TORCH_MODE = {Image.NEAREST: "nearest", Image.BILINEAR: "bilinear", Image.BICUBIC: "bicubic"}


class ResizeTransform(Transform):
    """Resize to a given size.

    Args:
        h, w: size of the input in pixels.
        new_h, new_w: size of the output in pixels.
        interp: PIL interpolation, bilinear when None.
    """

    def __init__(self, h, w, new_h, new_w, interp=None):
        super().__init__()
        interp = Image.BILINEAR if interp is None else interp
        self._set_attributes(locals())

    def apply_image(self, img, interp=None):
        """Resize an image, uint8 through PIL (antialiased) and floats through torch.

        Args:
            img: array (h, w), (h, w, C); for floats also (N, h, w, C) up to four dimensions.
            interp: PIL interpolation in place of the transform's own.

        Raises:
            AssertionError: the image does not have the size that the transform was made for.
        """
        assert img.shape[:2] == (
            self.h,
            self.w,
        ), f"transform made for images of (h, w) = {(self.h, self.w)} got one of shape {img.shape}"
        assert len(img.shape) <= 4, f"an image has two to four dimensions, not the shape {img.shape}"
        method = self.interp if interp is None else interp
        if img.dtype == np.uint8:
            return self._resize_bytes(img, method)
        return self._resize_floats(img, method)

    def _resize_bytes(self, img, method):
        grey = img.ndim > 2 and img.shape[2] == 1
        picture = Image.fromarray(img[:, :, 0] if grey else img)
        resized = np.asarray(picture.resize((self.new_w, self.new_h), method))
        return resized[:, :, np.newaxis] if grey else resized

    def _resize_floats(self, img, method):
        # torch does not take arrays that run backwards, as a flipped image does.
        backwards = any(step < 0 for step in img.strides)
        tensor = torch.from_numpy(np.ascontiguousarray(img) if backwards else img)
        h, w = img.shape[:2]
        channels_last = tensor.reshape(h, w, -1) if img.ndim < 4 else tensor.reshape(h, w, -1, img.shape[3])
        if img.ndim < 4:
            batch = channels_last.permute(2, 0, 1).unsqueeze(0)
        else:
            batch = channels_last.permute(2, 3, 0, 1)
        mode = _TORCH_MODE[method]
        resized = F.interpolate(
            batch, (self.new_h, self.new_w), mode=mode, align_corners=None if mode == "nearest" else False
        )
        back = resized.permute(2, 3, 0, 1).reshape((self.new_h, self.new_w) + tuple(img.shape[2:]))
        return back.numpy()

    def apply_coords(self, coords):
        """Scale points (N, 2); floats are changed in place."""
        coords[:, 0] = coords[:, 0] * (self.new_w * 1.0 / self.w)
        coords[:, 1] = coords[:, 1] * (self.new_h * 1.0 / self.h)
        return coords

    def apply_segmentation(self, segmentation):
        """Resize a label image by the nearest neighbour."""
        return self.apply_image(segmentation, interp=Image.NEAREST)

    def inverse(self):
        """Return the transform back to the input size."""
        return ResizeTransform(self.new_h, self.new_w, self.h, self.w, self.interp)


class RotationTransform(Transform):
    """Rotate about a point, counter-clockwise on the screen.

    Args:
        h, w: size of the input in pixels.
        angle: degrees.
        expand: enlarge the output so that it holds the whole rotated image; its centre is then the image's centre.
        center: (x, y) in pixels to rotate about, the centre of the image when None; of no effect with ``expand``.
        interp: cv2 interpolation, linear when None.
    """

    def __init__(self, h, w, angle, expand=True, center=None, interp=None):
        super().__init__()
        image_center = np.array((w / 2, h / 2))
        center = image_center if center is None else center
        # cv2.INTER_LINEAR, so that cv2 is not needed to make the transform.
        interp = 1 if interp is None else interp
        radians = np.deg2rad(angle)
        abs_cos, abs_sin = abs(np.cos(radians)), abs(np.sin(radians))
        bound_w, bound_h = w, h
        if expand:
            # Side lengths of the box around the rotated rectangle.
            bound_w, bound_h = np.rint([h * abs_sin + w * abs_cos, h * abs_cos + w * abs_sin]).astype(int)
        del radians
        self._set_attributes(locals())
        self.rm_coords = self.create_rotation_matrix()
        # cv2 counts pixels from the centre of the first, half a pixel off.
        self.rm_image = self.create_rotation_matrix(offset=-0.5)

    def create_rotation_matrix(self, offset=0):
        """Return the float64 matrix (2, 3) of the rotation for coordinates whose origin is moved by ``offset``."""
        radians = np.deg2rad(self.angle)
        cos, sin = np.cos(radians), np.sin(radians)
        # Single precision, as cv2 keeps the centre: images and coordinates then agree with those of cv2's matrices.
        x, y = np.asarray([self.center[0] + offset, self.center[1] + offset], dtype=np.float32).astype(float)
        matrix = np.array([[cos, sin, (1 - cos) * x - sin * y], [-sin, cos, sin * x + (1 - cos) * y]])
        if self.expand:
            middle = self.image_center + offset
            moved = matrix[:, :2] @ middle + matrix[:, 2]
            matrix[:, 2] += np.array([self.bound_w / 2, self.bound_h / 2]) + offset - moved
        return matrix

    def apply_image(self, img, interp=None):
        """Rotate an image (h, w) or (h, w, C); needs cv2. Uncovered pixels are 0.

        Raises:
            AssertionError: the image does not have the size that the transform was made for.
        """
        if len(img) == 0 or self.angle % 360 == 0:
            return img
        assert img.shape[:2] == (
            self.h,
            self.w,
        ), f"transform made for images of (h, w) = {(self.h, self.w)} got one of shape {img.shape}"
        import cv2

        method = self.interp if interp is None else interp
        return cv2.warpAffine(img, self.rm_image, (int(self.bound_w), int(self.bound_h)), flags=method)

    def apply_coords(self, coords):
        """Rotate points (N, 2)."""
        coords = np.asarray(coords, dtype=float)
        if len(coords) == 0 or self.angle % 360 == 0:
            return coords
        return coords @ self.rm_coords[:, :2].T + self.rm_coords[:, 2]

    def apply_segmentation(self, segmentation):
        """Rotate a label image by the nearest neighbour."""
        # 0 is cv2.INTER_NEAREST.
        return self.apply_image(segmentation, interp=0)

    def inverse(self):
        """Return the rotation back followed by a crop to the input size; NotImplementedError without ``expand``."""
        if not self.expand:
            raise NotImplementedError("a rotation that cut corners off has no inverse; use expand=True")
        back = RotationTransform(self.bound_h, self.bound_w, -self.angle, expand=True, interp=self.interp)
        left, top = (back.bound_w - self.w) // 2, (back.bound_h - self.h) // 2
        return TransformList([back, CropTransform(left, top, self.w, self.h)])
