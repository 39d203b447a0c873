"""The shapes of a CVAT track: parsed, filled in between key frames, drawn.

A file in which some shape has keyframe="0" lists every frame in which an object is seen, as CVAT exports it: frames
without a shape are frames without the object. Any other file holds key frames only and is filled in: between two key
frames boxes, ellipses and polygons with equally many points move linearly, masks stay as they were, and the last shape
stays to the end of the video. A shape with outside="1" says that the object is gone from this frame on.
"""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from vis_projects.data.convert.files import source_error
from vis_projects.data.convert.masks import box_rle, crop_rle, ellipse_rle, polygon_rle

DRAWN = ("polygon", "mask", "box", "ellipse")
WITHOUT_AREA = ("polyline", "points", "skeleton")
NUMBERS = {"box": ("xtl", "ytl", "xbr", "ybr"), "ellipse": ("cx", "cy", "rx", "ry"),
           "mask": ("left", "top", "width", "height")}
REMEDY = "export again from CVAT; if you write such files yourself, see the documentation of CVAT's xml"


@dataclass(frozen=True)
class CvatShape:
    """One shape.

    Attributes:
        kind: tag.
        frame: frame number.
        outside: whether the object is gone.
        values: polygon (K, 2) points; box and ellipse their four numbers and the rotation in degrees; mask left, top.
        crop: bool (h, w) of a mask.
        z_order: the higher covers the lower.
        place: for errors.
    """

    kind: str
    frame: int
    outside: bool
    values: np.ndarray
    crop: np.ndarray | None
    z_order: int
    place: str


def parse_shape(element: ElementTree.Element, path: str, track: str) -> CvatShape:
    """Reads an element of a track.

    Args:
        element: one of the kinds of `DRAWN`.
        path: of the file, for errors.
        track: id of its track, for errors.

    Raises:
        DatasetError: an attribute is missing or broken.
    """
    frame = _number(element, "frame", path, f"track {track}, <{element.tag}>", whole=True)
    place = f"track {track}, <{element.tag}> of frame {frame}"
    outside = element.get("outside", "0")
    if outside not in ("0", "1"):
        raise source_error(path, f"{place}, outside", f"is {outside!r}", "write 0 or 1")
    z_order = int(_number(element, "z_order", path, place, default="0", whole=True))
    crop = None
    if element.tag == "polygon":
        values = _points(element, path, place)
    else:
        values = [_number(element, key, path, place) for key in NUMBERS[element.tag]]
        if element.tag == "mask":
            crop = _crop(element, [int(value) for value in values], path, place)
            values = values[:2]
        else:
            values.append(_number(element, "rotation", path, place, default="0"))
    return CvatShape(element.tag, int(frame), outside == "1", np.array(values), crop, z_order, place)


def is_full_export(shapes: Iterable[ElementTree.Element]) -> bool:
    """Whether a file lists every frame and not key frames only."""
    return any(shape.get("keyframe") == "0" for shape in shapes)


def present_shapes(shapes: list[CvatShape], numbers: range, *, fill: bool, path: str) -> list[CvatShape]:
    """The shapes of the frames in which the object is seen.

    Args:
        shapes: of a track in the order of frames, each frame once.
        numbers: frame numbers of the video.
        fill: whether these are key frames only.
        path: of the file, for errors.

    Raises:
        DatasetError: two polygons in a row have different numbers of points, or two kinds of shapes follow each other.
    """
    if not fill:
        return [shape for shape in shapes if not shape.outside]
    result = []
    for shape, after in zip(shapes, [*shapes[1:], None]):
        if shape.outside:
            continue
        result.append(shape)
        between = [n for n in numbers if n > shape.frame and (after is None or n < after.frame)]
        result += [_moved(shape, after, number, path) for number in between]
    return result


def draw_shape(shape: CvatShape, size: tuple[int, int], path: str) -> dict:
    """RLE of a shape.

    Args:
        shape: what to draw.
        size: (height, width) of the frame.
        path: of the file, for errors.

    Raises:
        DatasetError: it cannot be drawn.
    """
    try:
        if shape.kind == "polygon":
            return polygon_rle(shape.values, *size)
        if shape.kind == "box":
            return box_rle(*shape.values[:4], *size, rotation_deg=shape.values[4])
        if shape.kind == "ellipse":
            return ellipse_rle(shape.values[:2], shape.values[2:4], *size, rotation_deg=shape.values[4])
        return crop_rle(shape.crop, int(shape.values[0]), int(shape.values[1]), *size)
    except ValueError as error:
        remedy = "correct the shape in CVAT, or the size of the video"
        raise source_error(path, shape.place, str(error), remedy) from error


def _moved(shape: CvatShape, after: CvatShape | None, number: int, path: str) -> CvatShape:
    """The shape in a frame between two key frames, or after the last."""
    if after is None or shape.kind == "mask":
        return replace(shape, frame=number)
    if shape.kind != after.kind or shape.values.shape != after.values.shape:
        if after.outside:
            return replace(shape, frame=number)  # nobody drew the shape of a frame in which the object is gone
        raise source_error(path, shape.place, f"the next key frame {after.frame} has another kind of shape or another "
                           f"number of points ({len(shape.values)} and {len(after.values)}), so that frame {number} "
                           "cannot be filled in", "export all frames with `CVAT for video 1.1`")
    step = after.values - shape.values
    if shape.kind in ("box", "ellipse"):
        step[4] = (step[4] + 180) % 360 - 180  # the short way round
    part = (number - shape.frame) / (after.frame - shape.frame)
    return replace(shape, frame=number, values=shape.values + part * step)


def _points(element: ElementTree.Element, path: str, place: str) -> list[list[float]]:
    text = element.get("points", "")
    try:
        points = [[float(value) for value in pair.split(",")] for pair in text.split(";")]
    except ValueError:
        points = []
    if not points or any(len(pair) != 2 for pair in points):
        raise source_error(path, f"{place}, points", f"is {text!r:.60}", "write x,y;x,y;... in pixels")
    return points


def _crop(element: ElementTree.Element, box: list[int], path: str, place: str) -> np.ndarray:
    """bool (h, w): the runs go row by row through the box, the first one is background."""
    text, (width, height) = element.get("rle", ""), box[2:]
    words = text.replace(",", " ").split()
    if not words or not all(word.isdigit() for word in words):
        raise source_error(path, f"{place}, rle", f"is {text!r:.60}", "write the lengths of the runs as whole numbers")
    runs = np.array([int(word) for word in words], dtype=np.int64)
    if min(width, height) < 1 or runs.sum() != width * height:
        raise source_error(path, f"{place}, rle", f"has runs of {runs.sum()} pixels in all, the box of {width} x "
                           f"{height} (width x height) has {width * height}", REMEDY)
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)


def _number(element: ElementTree.Element, key: str, path: str, place: str, *, default: str | None = None,
            whole: bool = False) -> float:
    text = element.get(key, default)
    try:
        value = int(text) if whole else float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise source_error(path, f"{place}, {key}", "is missing" if text is None else f"is {text!r:.60}",
                           "write a whole number" if whole else "write a number")
    return value
