"""Reading images and converting between colour formats: those of PIL, "BGR" and "YUV-BT.601"."""

import numpy as np
import torch
from PIL import Image

from detectron2.utils.file_io import PathManager

# Analogue YUV of ITU-R BT.601 for values in 0..1, and its inverse.
_RGB_TO_YUV = np.array([[0.299, 0.587, 0.114], [-0.14713, -0.28886, 0.436], [0.615, -0.51499, -0.10001]])
_YUV_TO_RGB = np.array([[1.0, 0.0, 1.13983], [1.0, -0.39465, -0.58060], [1.0, 2.03211, 0.0]])

_EXIF_ORIENTATION_TAG = 0x0112
# What makes an image upright, by its EXIF orientation; 1 is upright.
_TURN_OF_ORIENTATION = {
    2: Image.FLIP_LEFT_RIGHT,
    3: Image.ROTATE_180,
    4: Image.FLIP_TOP_BOTTOM,
    5: Image.TRANSPOSE,
    6: Image.ROTATE_270,
    7: Image.TRANSVERSE,
    8: Image.ROTATE_90,
}


def read_image(file_name, format=None):
    """Read an image file and turn it upright as its EXIF orientation says.

    Args:
        file_name: path.
        format: a mode of PIL, "BGR" or "YUV-BT.601"; None leaves it as stored.

    Returns:
        uint8 array (H, W, C), also for "L"; YUV gives floats. Without a format a grey image is (H, W).
    """
    with PathManager.open(file_name, "rb") as file:
        return convert_PIL_to_numpy(_apply_exif_orientation(Image.open(file)), format)


def _apply_exif_orientation(image):
    """Return a PIL image turned upright; as it is when it has no usable EXIF data."""
    if not hasattr(image, "getexif"):
        return image
    try:
        orientation = image.getexif().get(_EXIF_ORIENTATION_TAG)
    except Exception:  # PIL raises many kinds on broken EXIF data, which says nothing about the pixels.
        return image
    turn = _TURN_OF_ORIENTATION.get(orientation)
    return image if turn is None else image.transpose(turn)


def convert_PIL_to_numpy(image, format):
    """Convert a PIL image to an array.

    Args:
        image: PIL image.
        format: as in ``read_image``.

    Returns:
        array (H, W, C), also for "L".
    """
    if format is not None:
        image = image.convert("RGB" if format in ("BGR", "YUV-BT.601") else format)
    pixels = np.asarray(image)
    if format == "L":
        return np.expand_dims(pixels, -1)
    if format == "BGR":
        return pixels[:, :, ::-1]
    if format == "YUV-BT.601":
        return np.dot(pixels / 255.0, _RGB_TO_YUV.T)
    return pixels


def convert_image_to_rgb(image, format):
    """Convert an array or tensor of any format back to RGB.

    Args:
        image: (H, W, C).
        format: what it is now, as in ``read_image``.

    Returns:
        array (H, W, 3) with values in 0..255, uint8 except for YUV (floats) and BGR (as given).
    """
    if isinstance(image, torch.Tensor):
        image = image.cpu().numpy()
    if format == "BGR":
        return image[:, :, [2, 1, 0]]
    if format == "YUV-BT.601":
        return np.dot(image, _YUV_TO_RGB.T) * 255.0
    pixels = image[:, :, 0] if format == "L" else image
    return np.asarray(Image.fromarray(pixels.astype(np.uint8), mode=format).convert("RGB"))
