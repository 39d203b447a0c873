"""One track of the ground truth or of the results, as the evaluator sees it."""

from dataclasses import dataclass

import numpy as np


@dataclass(slots=True)
class EvalTrack:
    """Shapes over T frames and what matching asks of them.

    Attributes:
        video_id, category_id: ids of the json.
        shapes: segm: T masks `{"size", "counts": bytes}` or None; bbox: float64 (T, 4) XYWH.
        areas: (T,) pixels of each frame, 0 where absent: int64 of masks, float64 of boxes.
        mean_area: pixels, mean over the frames with a non-zero area; of ground truth from the json where it has areas.
        score: of a detection.
        is_crowd: of ground truth; may be matched any number of times and never counts.
        annotation_id: of ground truth.
    """

    video_id: int | str
    category_id: int
    shapes: list | np.ndarray
    areas: np.ndarray
    mean_area: float
    score: float = 0.0
    is_crowd: bool = False
    annotation_id: int = -1


def mean_area(areas: list | np.ndarray) -> float:
    """Mean of the entries that are neither null nor 0; 0 without any."""
    counted = [area for area in areas if area]
    return float(np.mean(counted)) if counted else 0.0
