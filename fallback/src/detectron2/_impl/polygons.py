"""Polygons of one object: validation, area and rasterisation. ``detectron2.structures.masks`` shows them to users."""

import numpy as np
import pycocotools.mask as mask_util
import torch

# A side shorter than this (pixels) counts as this long when a box is stretched to the size of a mask.
_MIN_SIDE = 0.1


def polygons_to_bitmask(polygons: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """Rasterise the union of polygons (x0, y0, x1, y1, ...) into a height x width bool array."""
    if len(polygons) == 0:
        return np.zeros((height, width), dtype=bool)
    runs = mask_util.merge(mask_util.frPyObjects(polygons, height, width))
    return mask_util.decode(runs).astype(bool)


def polygon_area(x, y):
    """Return the area of the polygon with the corners (x[i], y[i])."""
    return 0.5 * np.abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))


def rasterize_polygons_within_box(polygons: list[np.ndarray], box: np.ndarray, mask_size: int) -> torch.Tensor:
    """Return what lies inside a box (x0, y0, x1, y1), stretched to a mask_size x mask_size bool tensor."""
    corner = np.asarray(box[:2])
    sides = np.asarray(box[2:]) - corner
    stretch = mask_size / np.maximum(sides, _MIN_SIDE)
    moved = []
    for polygon in polygons:
        points = np.array(polygon).reshape(-1, 2)
        moved.append(((points - corner) * stretch).reshape(-1))
    return torch.from_numpy(polygons_to_bitmask(moved, mask_size, mask_size))


def checked_polygons(polygons) -> list[np.ndarray]:
    """Return the polygons of one object as float64 arrays; ValueError as in ``PolygonMasks``."""
    if not isinstance(polygons, list):
        raise ValueError(f"expected a list of polygons for each object, got {type(polygons).__name__}")
    arrays = []
    for polygon in polygons:
        if isinstance(polygon, torch.Tensor):
            polygon = polygon.cpu().numpy()
        array = np.asarray(polygon, dtype="float64")
        if len(array) < 6 or len(array) % 2:
            raise ValueError(f"a polygon needs an even number of at least 6 coordinates, got {len(array)}")
        arrays.append(array)
    return arrays


def index_list(item) -> list[int]:
    """Turn an index of ``PolygonMasks`` (list, bool or integer vector) into a list of ints."""
    if isinstance(item, list):
        return item
    if isinstance(item, np.ndarray):
        item = torch.from_numpy(item)
    if not isinstance(item, torch.Tensor):
        raise TypeError(f"PolygonMasks cannot be indexed with {type(item).__name__}")
    if item.dtype == torch.bool:
        assert item.dim() == 1, f"a bool index must be a vector, got the shape {tuple(item.shape)}"
        item = item.nonzero()[:, 0]
    elif item.dtype not in (torch.int32, torch.int64):
        raise ValueError(f"PolygonMasks cannot be indexed with a tensor of {item.dtype}")
    return item.cpu().tolist()
