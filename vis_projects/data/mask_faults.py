"""Whether one mask of a YouTube-VIS json is well formed: polygons, compressed and uncompressed RLE.

pycocotools reads beyond the end of an RLE whose runs do not cover the frame, so that is checked here first.
"""

import math
from collections.abc import Mapping

from vis_projects.layers.rle_reference import read_runs

RLE_REMEDY = "encode the mask of the whole frame again (column by column, first run background)"
Problem = tuple[str, str, str]


def mask_problem(mask: object, video: Mapping) -> Problem | None:
    """(sub-field, message, remedy) where a mask entry is broken, None where it is fine or absent.

    Args:
        mask: entry of `segmentations`; null, [] and {} mean absent.
        video: record with `height` and `width`.
    """
    if not mask and (mask is None or isinstance(mask, (list, Mapping))):
        return None
    if isinstance(mask, Mapping):
        return _rle_problem(mask, video)
    if isinstance(mask, list):
        return _polygon_problem(mask)
    return "", f"is a {type(mask).__name__}", "write polygons, an RLE, or null where the object is absent"


def _polygon_problem(polygons: list) -> Problem | None:
    remedy = "write a list of polygons, each [x0, y0, x1, y1, x2, y2, ...] with three points or more"
    for polygon in polygons:
        if not isinstance(polygon, list):
            return "", f"holds a {type(polygon).__name__} where a polygon should be", remedy
        if len(polygon) < 6 or len(polygon) % 2:
            return "", f"has a polygon of {len(polygon)} numbers", remedy
        if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in polygon):
            return "", "has a polygon with a value that is not a finite number", remedy
    return None


def _rle_problem(rle: Mapping, video: Mapping) -> Problem | None:
    height, width, size, counts = video.get("height"), video.get("width"), rle.get("size"), rle.get("counts")
    if size != [height, width] or [type(side) for side in size] != [int, int]:
        swapped = " (swapped: the order is height, width)" if size == [width, height] else ""
        return (".size", f"is {size!r}, the video is {[height, width]}{swapped}",
                "encode the mask at the size of the frames, or correct height and width of the video")
    if isinstance(counts, list):
        if not set(map(type, counts)) <= {int}:
            return ".counts", "has a run that is not an integer >= 0", RLE_REMEDY
        lowest, covered = min(counts, default=0), sum(counts)
    elif isinstance(counts, (str, bytes)):
        try:
            runs = read_runs(counts)
        except ValueError:
            return ".counts", f"{counts!r:.40} is not compressed RLE text", RLE_REMEDY
        lowest, covered = int(runs.min(initial=0)), int(runs.sum())
    else:
        return ".counts", f"is a {type(counts).__name__}", "write compressed text or a list of run lengths"
    if lowest < 0:
        return ".counts", "has a run that is not an integer >= 0", RLE_REMEDY
    if covered != height * width:
        return ".counts", f"has runs of {covered} pixels in all, the frame has {height * width}", RLE_REMEDY
    return None
