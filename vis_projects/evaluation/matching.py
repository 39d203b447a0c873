"""Greedy assignment of detections to ground truth within one video and category.

Letters: A area ranges, T IoU thresholds, D detections (best score first), G ground-truth tracks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vis_projects.evaluation.eval_track import EvalTrack
from vis_projects.evaluation.params import EvalParams


@dataclass
class CellMatches:
    """What happened to the detections of one video and category.

    Attributes:
        scores: float64 (D,), descending.
        matched: bool (A, T, D), the detection has found a ground-truth track.
        ignored: bool (A, T, D), the detection counts neither as right nor as wrong.
        num_truth: int (A,), ground-truth tracks that count.
    """

    scores: np.ndarray
    matched: np.ndarray
    ignored: np.ndarray
    num_truth: np.ndarray


def match_cell(
    detections: Sequence[EvalTrack],
    truths: Sequence[EvalTrack],
    ious: np.ndarray,
    params: EvalParams,
    *,
    official_quirks: bool = False,
) -> CellMatches:
    """Matches for every area range and threshold.

    Args:
        detections: best score first.
        truths: in the order of the file.
        ious: float64 (D, G).
        params: ranges and thresholds.
        official_quirks: a match with annotation id 0 counts as none, as the official evaluator stores it.
    """
    shape = (len(params.area_ranges), len(params.iou_thresholds), len(detections))
    matched, ignored = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    num_truth = np.zeros(len(params.area_ranges), dtype=np.int64)
    d_areas = np.array([track.mean_area for track in detections])
    crowd = [track.is_crowd for track in truths]
    uncounted = [official_quirks and track.annotation_id == 0 for track in truths]
    for a, (_, low, high) in enumerate(params.area_ranges):
        skip = [track.is_crowd or not low <= track.mean_area <= high for track in truths]
        order = sorted(range(len(truths)), key=skip.__getitem__)  # those that count first
        num_truth[a] = len(truths) - sum(skip)
        for t, threshold in enumerate(params.iou_thresholds.tolist()):
            for d, g in _assign(ious, order, skip, crowd, threshold):
                matched[a, t, d] = not uncounted[g]
                ignored[a, t, d] = skip[g]
        outside = (d_areas < low) | (d_areas > high)
        ignored[a] |= ~matched[a] & outside
    return CellMatches(np.array([track.score for track in detections]), matched, ignored, num_truth)


def _assign(
    ious: np.ndarray, order: Sequence[int], skip: Sequence[bool], crowd: Sequence[bool], threshold: float
) -> list[tuple[int, int]]:
    """(detection, ground truth) pairs of one range and threshold.

    Each detection takes the ground truth of highest IoU, the last among equals, that is free; one that counts is
    preferred to any that does not.
    """
    pairs, taken = [], set()
    lowest = min(threshold, 1 - 1e-10)
    reachable = (ious >= lowest).any(axis=1) if ious.size else np.zeros(len(ious), dtype=bool)
    for d in np.flatnonzero(reachable):
        best, found = lowest, -1
        row = ious[d]
        for g in order:
            if g in taken and not crowd[g]:
                continue
            if found >= 0 and not skip[found] and skip[g]:
                break
            if row[g] >= best:
                best, found = row[g], g
        if found >= 0:
            taken.add(found)
            pairs.append((int(d), found))
    return pairs
