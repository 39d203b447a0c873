"""What there is to draw in one frame, taken from the two forms in which results come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from detectron2.structures import Instances

from vis_projects.layers import rle_decode


@dataclass
class DrawnObject:
    """One object of one frame.

    Attributes:
        track_id: -1 where it has none.
        category_id: contiguous class, None where unknown.
        score: None where unknown.
        mask: (H, W) bool, or None.
        box: (x0, y0, x1, y1) in pixels, or None.
    """

    track_id: int
    category_id: int | None
    score: float | None
    mask: np.ndarray | None
    box: tuple[float, float, float, float] | None


def from_instances(instances: Instances) -> list[DrawnObject]:
    """Objects of a frame with any of the fields `pred_ids`, `pred_classes`, `scores`, `pred_masks`, `pred_boxes`.

    Tensors may live on any device.
    """
    count = len(instances) if instances.get_fields() else 0
    ids = _numbers(instances, "pred_ids") or [-1] * count
    classes = _numbers(instances, "pred_classes") or [None] * count
    scores = _numbers(instances, "scores") or [None] * count
    masks = [None] * count
    if instances.has("pred_masks") and count:
        masks = instances.pred_masks.detach().bool().cpu().numpy()
    boxes = [None] * count
    if instances.has("pred_boxes"):
        boxes = instances.pred_boxes.tensor.tolist()
    return [DrawnObject(*row) for row in zip(ids, classes, scores, masks, boxes)]


def from_entries(entries: Sequence[tuple[int, int, float, Mapping]]) -> list[DrawnObject]:
    """Objects of `VideoResults.frame(t)`; boxes are those around the masks."""
    masks = rle_decode([rle for *_, rle in entries]).numpy()
    return [
        DrawnObject(track_id, category_id, score, mask, box_around(mask))
        for (track_id, category_id, score, _), mask in zip(entries, masks)
    ]


def box_around(mask: np.ndarray) -> tuple[float, float, float, float] | None:
    """(x0, y0, x1, y1) of the foreground, right and lower edge exclusive; None where there is none."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if columns.size == 0:
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _numbers(instances: Instances, field: str) -> list | None:
    return instances.get(field).tolist() if instances.has(field) else None
