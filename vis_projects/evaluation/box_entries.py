"""Boxes of a json entry, for evaluation with `iou_type="bbox"`."""

from collections.abc import Mapping, Sequence

import numpy as np
from pycocotools import mask as coco_mask

from vis_projects.evaluation.errors import EvaluationInputError, shorten
from vis_projects.evaluation.mask_entries import read_masks


def read_boxes(entry: Mapping, place: str, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of one track, from `bboxes`, or around the masks where the entry has none.

    Args:
        entry: json entry with `bboxes` (T XYWH lists or null) or `segmentations`.
        place: what the entry is called in messages.
        size: (height, width) of the video.

    Returns:
        float64 (T, 4) XYWH in pixels, zeros where absent, and their areas, float64 (T,).

    Raises:
        EvaluationInputError: a box is no list of four finite numbers with w, h >= 0.
    """
    boxes = entry.get("bboxes")
    if boxes is None:
        masks, _ = read_masks(entry.get("segmentations"), f"{place}.segmentations", size)
        rows = [coco_mask.toBbox(mask) if mask is not None else (0.0,) * 4 for mask in masks]
    elif not isinstance(boxes, Sequence) or isinstance(boxes, str):
        raise EvaluationInputError(f"{place}.bboxes is {shorten(boxes)}; give a list with a box or null per frame")
    else:
        rows = [_read_box(box, f"{place}.bboxes[{t}]") if box else (0.0,) * 4 for t, box in enumerate(boxes)]
    boxes = np.asarray(rows, dtype=np.float64).reshape(len(rows), 4)
    return boxes, boxes[:, 2] * boxes[:, 3]


def _read_box(box: object, place: str) -> list[float]:
    if isinstance(box, Sequence) and len(box) == 4 and all(type(v) in (int, float) for v in box):
        if np.isfinite(box).all() and box[2] >= 0 and box[3] >= 0:
            return [float(v) for v in box]
    raise EvaluationInputError(f"{place} is {shorten(box)}; give [x, y, width, height] in pixels, or null")
