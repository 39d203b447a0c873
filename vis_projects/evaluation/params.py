"""What the official evaluator fixes: IoU thresholds, recall points, area ranges, detections per video and category."""

from dataclasses import dataclass, field

import numpy as np

AREA_RANGES = (
    ("all", 0.0, 1e10),
    ("small", 0.0, 128.0**2),
    ("medium", 128.0**2, 256.0**2),
    ("large", 256.0**2, 1e10),
)


@dataclass(frozen=True)
class EvalParams:
    """Parameters of an evaluation; the defaults are those of YouTube-VIS.

    Attributes:
        iou_thresholds: float64 (T,). Index 8 is the double 0.8999999999999999, as linspace gives it.
        recall_points: float64 (R,).
        area_ranges: A times (name, lowest, highest) in pixels of the mean area of a track, inclusive at both ends.
        max_detections: M cuts, ascending; the last one is the cut per video and category before matching.
    """

    iou_thresholds: np.ndarray = field(default_factory=lambda: np.linspace(0.5, 0.95, 10))
    recall_points: np.ndarray = field(default_factory=lambda: np.linspace(0.0, 1.0, 101))
    area_ranges: tuple[tuple[str, float, float], ...] = AREA_RANGES
    max_detections: tuple[int, ...] = (1, 10, 100)
