"""Shapes of labelling tools as masks, in pycocotools' RLE.

Letters: K points, H height, W width of the frame. Coordinates are pixels, x to the right and y down, with (0, 0) the
upper left corner of the upper left pixel, so that the centre of pixel (column, row) is (column + 0.5, row + 0.5).
Parts outside the frame are cut off. An RLE here is `{"size": [H, W], "counts": str}`.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from pycocotools import mask as coco_mask

from vis_projects.layers import rle_area, rle_decode, rle_encode, to_compressed

# a coordinate so many frame sizes away is a mistake; drawing its outline would take memory without bound
FAR_AWAY = 16


def text_rle(rle: Mapping) -> dict:
    """The same mask with `counts` as text, ready for json; any kind of RLE."""
    compressed = to_compressed(rle)
    return {"size": [int(side) for side in compressed["size"]], "counts": compressed["counts"].decode("ascii")}


def segmentation_rle(segmentation: Mapping | list, height: int, width: int) -> dict:
    """RLE of a well-formed json entry: list of polygons, or either kind of RLE.

    Raises:
        ValueError: a corner is far away from the frame.
    """
    if isinstance(segmentation, Mapping):
        return text_rle(segmentation)
    for polygon in segmentation:
        _check_coordinates(np.asarray(polygon, dtype=np.float64), height, width)
    return text_rle(coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width)))


def polygon_rle(points: np.ndarray, height: int, width: int) -> dict:
    """Filled polygon, by COCO's rule: as if by pixel centres, up to rounding of the outline to a fifth of a pixel.

    Args:
        points: (K, 2) x and y, K >= 3.

    Raises:
        ValueError: fewer than three points, a value that is not finite, or one far away from the frame.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError(f"has {len(points)} points, a polygon needs three")
    return segmentation_rle([points.ravel().tolist()], height, width)


def box_rle(x1: float, y1: float, x2: float, y2: float, height: int, width: int, rotation_deg: float = 0.0) -> dict:
    """Filled box.

    Args:
        x1, y1, x2, y2: left, top, right and lower edge before it is turned.
        height, width: of the frame.
        rotation_deg: clockwise as seen, around its centre.

    Raises:
        ValueError: no width or height, a value that is not finite, or one far away from the frame.
    """
    if x2 <= x1 or y2 <= y1:
        raise ValueError(f"has width {x2 - x1:g} and height {y2 - y1:g}")
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], dtype=np.float64)
    if rotation_deg:
        angle, centre = math.radians(rotation_deg), corners.mean(axis=0)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        corners = (corners - centre) @ turn.T + centre
    return polygon_rle(corners, height, width)


def ellipse_rle(centre: Sequence[float], radii: Sequence[float], height: int, width: int,
                rotation_deg: float = 0.0) -> dict:
    """Pixels whose centre lies in an ellipse.

    Args:
        centre: x, y.
        radii: along x and y before it is turned.
        height, width: of the frame.
        rotation_deg: clockwise as seen, around the centre.

    Raises:
        ValueError: a value that is not finite, far away from the frame, or a radius that is not positive.
    """
    _check_coordinates(np.array([*centre, *radii], dtype=np.float64), height, width)
    if min(radii) <= 0:
        raise ValueError(f"has radius {min(radii):g}")
    y, x = np.mgrid[:height, :width] + 0.5
    angle = math.radians(rotation_deg)
    along = (x - centre[0]) * math.cos(angle) + (y - centre[1]) * math.sin(angle)
    across = (y - centre[1]) * math.cos(angle) - (x - centre[0]) * math.sin(angle)
    return rle_encode(((along / radii[0]) ** 2 + (across / radii[1]) ** 2 <= 1)[None])[0]


def crop_rle(crop: np.ndarray, left: int, top: int, height: int, width: int) -> dict:
    """A mask that is given for a part of the frame only.

    Args:
        crop: (h, w) bool.
        left, top: column and row of its upper left pixel.
        height, width: of the frame.

    Raises:
        ValueError: the part reaches beyond the frame.
    """
    bottom, right = top + crop.shape[0], left + crop.shape[1]
    if left < 0 or top < 0 or bottom > height or right > width:
        raise ValueError(f"covers columns {left} to {right - 1} and rows {top} to {bottom - 1}, the frame has {width} "
                         f"columns and {height} rows")
    mask = np.zeros((1, height, width), dtype=bool)
    mask[0, top:bottom, left:right] = crop
    return rle_encode(mask)[0]


def unite_rles(rles: Sequence[Mapping]) -> dict:
    """Union of masks of one size, at least one."""
    return text_rle(coco_mask.merge([to_compressed(rle) for rle in rles])) if len(rles) > 1 else text_rle(rles[0])


def cut_overlaps(rles: Sequence[Mapping], ranks: Sequence[float]) -> tuple[list[dict], int]:
    """Takes from each mask the pixels that a mask of a higher rank covers; masks of one rank may overlap.

    Args:
        rles: masks of one frame.
        ranks: of each.

    Returns:
        the masks in the same order, some perhaps without a pixel, and the number of pixels that were taken away.
    """
    if len(set(ranks)) < 2 or int(rle_area(rles).sum()) == int(rle_area([unite_rles(rles)])[0]):
        return [text_rle(rle) for rle in rles], 0
    masks = rle_decode(rles).numpy()
    covered, before = np.zeros(masks.shape[1:], dtype=bool), int(masks.sum())
    for rank in sorted(set(ranks), reverse=True):
        group = [index for index, own in enumerate(ranks) if own == rank]
        whole = masks[group].any(axis=0)
        masks[group] &= ~covered
        covered |= whole
    return rle_encode(masks), before - int(masks.sum())


def _check_coordinates(values: np.ndarray, height: int, width: int) -> None:
    limit = FAR_AWAY * max(height, width)
    if not np.isfinite(values).all() or np.abs(values).max() > limit:
        worst = values.ravel()[np.argmax(np.where(np.isfinite(values.ravel()), np.abs(values.ravel()), np.inf))]
        raise ValueError(f"has the coordinate {worst:g}, the frame is {width} x {height} pixels")
