"""Frames and instances for the tests of drawing."""

import numpy as np
import torch
from detectron2.structures import Boxes, Instances

from vis_projects.layers import rle_encode
from vis_projects.structures import Track, VideoResults

SIZE = (40, 60)


def frame(value: int = 100, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Plain grey RGB frame."""
    return np.full((*size, 3), value, dtype=np.uint8)


def masks(*boxes: tuple[int, int, int, int], size: tuple[int, int] = SIZE) -> torch.Tensor:
    """bool (N, H, W): filled boxes (x0, y0, x1, y1)."""
    found = torch.zeros((len(boxes), *size), dtype=torch.bool)
    for mask, (x0, y0, x1, y1) in zip(found, boxes):
        mask[y0:y1, x0:x1] = True
    return found


def instances(*boxes: tuple[int, int, int, int], ids=None, size: tuple[int, int] = SIZE) -> Instances:
    """All fields of a frame; ids are 0, 1, ... unless given, classes 0."""
    count = len(boxes)
    return Instances(
        size,
        pred_boxes=Boxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)),
        scores=torch.full((count,), 0.75),
        pred_classes=torch.zeros(count, dtype=torch.int64),
        pred_masks=masks(*boxes, size=size),
        pred_ids=torch.tensor(range(count) if ids is None else ids, dtype=torch.int64),
    )


def results(*boxes: tuple[int, int, int, int], length: int = 4, score: float = 0.75) -> VideoResults:
    """One track for each box, standing still over all frames."""
    tracks = []
    for track_id, rle in enumerate(rle_encode(masks(*boxes))):
        tracks.append(Track(track_id, 0, score, {t: rle for t in range(length)}))
    return VideoResults(1, *SIZE, length, tracks)
