"""What does not fit together in a well-formed track: masks, boxes and areas of one object.

T frames. Boxes are [x, y, width, height] in pixels. Nothing here keeps a data set from being trained on, except areas
that are no numbers, which the evaluator cannot read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vis_projects.data.convert.masks import segmentation_rle
from vis_projects.data.faults import FATAL, WARNING, Fault, is_number, short
from vis_projects.layers import rle_area, rle_boxes, to_compressed

BOX_TOLERANCE_PX = 2.0  # the corners of a pixel or its centre, rounding: conventions differ by so much
OUTSIDE_TOLERANCE_PX = 1.0
AREA_TOLERANCE = 0.01  # part of the area, beside one pixel


@dataclass
class TrackMasks:
    """What the masks of a track say.

    Attributes:
        rles: mask of each frame, None where absent or where it cannot be drawn.
        areas: pixels of each, 0 where there is none.
        boxes: (T, 4) tight boxes XYXY, zeros where there is none.
        far: frames whose polygon is too far from the frame to be drawn.
    """

    rles: list[Mapping | None]
    areas: list[int]
    boxes: np.ndarray
    far: set[int]


def measure_masks(masks: Sequence, video: Mapping) -> TrackMasks:
    """Draws the polygons of well-formed masks and measures all of them.

    Args:
        masks: `segmentations` without broken entries.
        video: record with `height` and `width`.
    """
    rles: list[Mapping | None] = [mask if isinstance(mask, Mapping) and mask else None for mask in masks]
    far = set()
    for t, mask in enumerate(masks):
        if isinstance(mask, list) and mask:
            try:
                rles[t] = mask_rle(mask, video)
            except ValueError:
                far.add(t)
    present = [t for t, rle in enumerate(rles) if rle is not None]
    areas, boxes = np.zeros(len(rles), dtype=np.int64), np.zeros((len(rles), 4), dtype=np.int64)
    areas[present] = rle_area([rles[t] for t in present]).numpy()
    boxes[present] = rle_boxes([rles[t] for t in present]).numpy()
    return TrackMasks(rles, areas.tolist(), boxes, far)


def mask_rle(mask: Mapping | list, video: Mapping) -> dict:
    """A well-formed mask of any kind as pycocotools computes on it.

    Raises:
        ValueError: a corner of a polygon is too far from the frame to be drawn.
    """
    return to_compressed(segmentation_rle(mask, video["height"], video["width"]))


def track_faults(annotation: Mapping, video: Mapping) -> Iterator[Fault]:
    """Faults of one track; of each kind, the first frame stands for the others."""
    masks, boxes, areas = annotation["segmentations"], annotation.get("bboxes"), annotation.get("areas")
    for key in ("height", "width"):
        if key in annotation and annotation[key] != video[key]:
            yield _odd(annotation, key, f"is {short(annotation[key])}, the video says {video[key]}",
                       f"write the {key} of the video", "annotation size")
    if not any(masks):
        boxed = " although there are boxes" if any(boxes or ()) else ""
        yield _odd(annotation, "segmentations", f"the object is absent in every frame{boxed}",
                   "add masks" if boxed else "drop the annotation", "empty track")
        if not boxed:
            return
    measured = measure_masks(masks, video)
    seen: dict[str, list[tuple[str, str, str, str]]] = {}
    for t in range(len(masks)):
        found = _frame_problem(t, masks[t], boxes, areas, measured, video)
        if found:
            seen.setdefault(found[0], []).append(found[1:])
    for kind, frames in seen.items():
        field, message, remedy, level = frames[0]
        more = f" (as in {len(frames) - 1} more frames of the track)" if len(frames) > 1 else ""
        yield _odd(annotation, field, f"{message}{more}", remedy, kind, level)


def outside_by(polygons: Sequence[Sequence[float]], video: Mapping) -> float:
    """How far the corners of polygons lie outside the frame, in pixels; 0 where all are inside."""
    numbers = np.concatenate([np.asarray(polygon, dtype=np.float64) for polygon in polygons])
    x, y = numbers[0::2], numbers[1::2]
    return max(0.0, -x.min(), -y.min(), x.max() - video["width"], y.max() - video["height"])


def box_inside(box: Sequence[float], video: Mapping) -> bool:
    """Whether a box XYWH lies in the frame, given the tolerance."""
    x, y, width, height = box
    return (min(x, y) >= -OUTSIDE_TOLERANCE_PX and x + width <= video["width"] + OUTSIDE_TOLERANCE_PX
            and y + height <= video["height"] + OUTSIDE_TOLERANCE_PX)


def box_differs(box: Sequence[float], tight: Sequence[int]) -> bool:
    """Whether a box XYWH is not the one around a mask, XYXY, given the tolerance."""
    sides = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    return max(abs(a - b) for a, b in zip(sides, tight)) > BOX_TOLERANCE_PX


def area_differs(area: float, mask: object, pixels: int, tight: Sequence[int]) -> bool:
    """Whether an area is not that of a mask of so many pixels, given the tolerance."""
    tolerance = 1 + AREA_TOLERANCE * pixels
    if isinstance(mask, list):  # exact area of the polygon against pixels: half of its outline
        tolerance += tight[2] - tight[0] + tight[3] - tight[1]
    return abs(area - pixels) > tolerance


def is_area(value: object) -> bool:
    """Whether an entry of `areas` is one that the evaluator reads."""
    return value is None or (is_number(value) and value >= 0)


def _frame_problem(
    t: int, mask: object, boxes: Sequence | None, areas: Sequence | None, measured: TrackMasks, video: Mapping
) -> tuple[str, str, str, str, str] | None:
    """(kind, field, message, remedy, level) of the gravest problem of a frame."""
    box, pixels, tight = boxes[t] if boxes is not None else None, measured.areas[t], measured.boxes[t].tolist()
    if areas is not None and not is_area(areas[t]):
        return ("area", f"areas[{t}]", f"is {short(areas[t])}", "write the pixels of the mask, null where it is absent",
                FATAL)
    if boxes is not None and bool(mask) != bool(box):
        there, missing = ("segmentations", "bboxes") if mask else ("bboxes", "segmentations")
        return ("mask or box missing", f"{missing}[{t}]", f"is null although {there}[{t}] is there",
                "write both, or null for both; the frame counts as one without the object", WARNING)
    if isinstance(mask, list) and mask and (t in measured.far or outside_by(mask, video) > OUTSIDE_TOLERANCE_PX):
        return ("mask outside", f"segmentations[{t}]",
                f"has corners up to {outside_by(mask, video):.0f} pixels beyond the frame of {_size(video)}",
                "cut the polygon at the edge of the frame", WARNING)
    if mask and not pixels:
        return ("empty mask", f"segmentations[{t}]", "the mask has no pixel", "write null where the object is absent",
                WARNING)
    if box and not box_inside(box, video):
        return ("box outside", f"bboxes[{t}]", f"{box} reaches beyond the frame of {_size(video)}",
                "write [x, y, width, height] inside the frame", WARNING)
    if box and box_differs(box, tight):
        x1, y1, x2, y2 = tight
        return ("box and mask differ", f"bboxes[{t}]",
                f"{box} is not the box around the mask, {[x1, y1, x2 - x1, y2 - y1]}",
                "write [x, y, width, height] around the mask", WARNING)
    area = areas[t] if areas is not None else pixels
    if area_differs(area or 0, mask, pixels, tight):
        return ("area and mask differ", f"areas[{t}]", f"is {short(area)}, the mask has {pixels} pixels",
                "write the pixels of the mask, null where it is absent", WARNING)
    return None


def _size(video: Mapping) -> str:
    return f"{video['width']} x {video['height']} pixels"


def _odd(annotation: Mapping, field: str, message: str, remedy: str, kind: str, level: str = WARNING) -> Fault:
    return Fault(annotation["video_id"], field, message, remedy, annotation["id"], kind, level)
