"""Single images as videos: every further frame of the clip is a random affine view of the image.

Used to train on images and videos together (CompFeat, HITF); ids carry over from view to view.
"""

from collections.abc import Mapping

import numpy as np

from vis_projects.data.affine_transform import AffineTransform

# a view shows an object only if this part of it and this many pixels are left
MIN_VISIBLE_FRACTION = 0.1
MIN_VISIBLE_PIXELS = 16


class RandomAffine:
    """Draws rotation, shear, scale and translation about the centre of the image."""

    def __init__(
        self,
        rotation_deg: float,
        translate_fraction: float,
        shear_deg: float,
        scale_range: tuple[float, float],
        fill: tuple[int, ...] = (0, 0, 0),
    ):
        """
        Args:
            rotation_deg: largest rotation in degrees, either way.
            translate_fraction: largest shift as a fraction of width and height, either way.
            shear_deg: largest shear angle in degrees along x, either way.
            scale_range: smallest and largest scale.
            fill: value of each channel outside the image.
        """
        self.rotation_deg = rotation_deg
        self.translate_fraction = translate_fraction
        self.shear_deg = shear_deg
        self.scale_range = tuple(scale_range)
        self.fill = tuple(fill)

    @classmethod
    def from_cfg(cls, cfg) -> "RandomAffine":
        """Reads `INPUT.VIDEO.PSEUDO.*`; outside the image is the mean pixel."""
        pseudo = cfg.INPUT.VIDEO.PSEUDO
        fill = tuple(int(round(value)) for value in cfg.MODEL.PIXEL_MEAN)
        return cls(pseudo.ROTATION_DEG, pseudo.TRANSLATE_FRACTION, pseudo.SHEAR_DEG, pseudo.SCALE_RANGE, fill)

    def draw(self, height: int, width: int, rng: np.random.Generator) -> AffineTransform:
        """One random view of an image of height x width pixels."""
        angle, shear = np.deg2rad([rng.uniform(-1, 1) * self.rotation_deg, rng.uniform(-1, 1) * self.shear_deg])
        scale = rng.uniform(*self.scale_range)
        shift = np.array([width, height]) * self.translate_fraction * rng.uniform(-1, 1, size=2)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = scale * rotation @ np.array([[1.0, np.tan(shear)], [0.0, 1.0]])
        center = np.array([width, height]) / 2
        return AffineTransform(np.column_stack([linear, center + shift - linear @ center]), height, width, self.fill)


def is_image_record(record: Mapping) -> bool:
    """Whether a dataset dict is a single image (`file_name`) and not a video (`file_names`)."""
    return "file_name" in record and "file_names" not in record


def image_as_video(record: Mapping) -> dict:
    """The one-frame video record of an image record.

    Objects are numbered by their place in the image where they carry no id.
    """
    video = {
        "file_names": [record["file_name"]],
        "height": record["height"],
        "width": record["width"],
        "length": 1,
        "video_id": record.get("image_id", record["file_name"]),
    }
    if "annotations" in record:
        numbered = ({"id": index, **annotation} for index, annotation in enumerate(record["annotations"]))
        video["annotations"] = [[annotation for annotation in numbered if annotation.get("segmentation")]]
    return video
