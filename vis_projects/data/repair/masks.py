"""Repairs of single masks whose meaning is clear although their form is not."""

import ast
from collections.abc import Mapping, Sequence

from vis_projects.data.faults import box_problem, is_number
from vis_projects.data.mask_faults import mask_problem
from vis_projects.data.repair.ids import as_int
from vis_projects.data.track_faults import box_differs
from vis_projects.layers import rle_boxes


def repair_mask(mask: object, video: Mapping, box: object = None) -> object:
    """The mask in a form that can be read where that is clear; otherwise as it is.

    Args:
        mask: entry of `segmentations`.
        video: record with `height` and `width`.
        box: entry of `bboxes`; it decides whether height and width of an RLE are swapped.
    """
    if mask_problem(mask, video) is None:
        return mask
    if not mask:
        return None  # "", 0 and false
    candidate = _repair_rle(mask, video) if isinstance(mask, Mapping) else _repair_polygons(mask)
    if mask_problem(candidate, video) is None:
        return candidate
    return _turned(candidate, video, box) or mask


def _repair_rle(mask: Mapping, video: Mapping) -> Mapping:
    """Integers for sizes and runs, text for what str(bytes) wrote."""
    size, counts = mask.get("size"), mask.get("counts")
    if isinstance(size, Sequence) and not isinstance(size, str) and None not in map(as_int, size):
        size = [as_int(side) for side in size]
    if isinstance(counts, list) and None not in map(as_int, counts):
        counts = [as_int(run) for run in counts]
    elif isinstance(counts, str) and counts[:2] in ("b'", 'b"'):
        try:
            counts = ast.literal_eval(counts).decode("ascii")
        except (ValueError, SyntaxError, AttributeError):
            return mask
    return {**mask, "size": size, "counts": counts}


def _turned(mask: object, video: Mapping, box: object) -> Mapping | None:
    """An RLE that says [width, height] but is one of [height, width], as its box shows; None otherwise."""
    turned = [video["height"], video["width"]]
    if not isinstance(mask, Mapping) or mask.get("size") != turned[::-1] or not box or box_problem(box):
        return None
    candidate = {**mask, "size": turned}
    if mask_problem(candidate, video) or box_differs(box, rle_boxes([candidate])[0].tolist()):
        return None
    return candidate


def _repair_polygons(mask: object) -> object:
    """Flat polygons, out of one flat polygon or polygons of [x, y] points; without parts that have no area."""
    if not isinstance(mask, list):
        return mask
    if all(map(is_number, mask)):
        return [mask]
    if all(map(_is_point, mask)):
        return [[value for point in mask for value in point]]
    parts = [[value for point in part for value in point]
             if isinstance(part, list) and part and all(map(_is_point, part)) else part for part in mask]
    with_area = [part for part in parts if not (isinstance(part, list) and len(part) in (0, 2, 4))]
    return with_area or parts


def _is_point(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))
