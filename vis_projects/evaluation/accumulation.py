"""Precision and recall over all videos of a category.

Letters: T IoU thresholds, R recall points, K categories, A area ranges, M detection cuts, N detections.
"""

from collections.abc import Sequence

import numpy as np

from vis_projects.evaluation.matching import CellMatches
from vis_projects.evaluation.params import EvalParams

EPSILON = np.spacing(1.0)  # 2^-52, keeps 0 / 0 at 0


def accumulate(
    categories: Sequence[Sequence[CellMatches]], params: EvalParams
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Curves of every category.

    Args:
        categories: K lists with the cells of a category, in ascending video id.

    Returns:
        precision (T, R, K, A, M), recall (T, K, A, M) and scores (T, R, K, A, M), the score at each recall point;
        float64, -1 where a category has no ground truth in the range.
    """
    shape = (len(params.iou_thresholds), len(params.recall_points), len(categories))
    cuts = (len(params.area_ranges), len(params.max_detections))
    precision, scores = -np.ones(shape + cuts), -np.ones(shape + cuts)
    recall = -np.ones((shape[0], shape[2]) + cuts)
    for k, cells in enumerate(categories):
        num_truth = sum((cell.num_truth for cell in cells), np.zeros(cuts[0], dtype=np.int64))
        for m, cut in enumerate(params.max_detections):
            if not cells:
                continue
            found = np.concatenate([cell.scores[:cut] for cell in cells])
            order = np.argsort(-found, kind="stable")
            matched = np.concatenate([cell.matched[:, :, :cut] for cell in cells], axis=2)[:, :, order]
            ignored = np.concatenate([cell.ignored[:, :, :cut] for cell in cells], axis=2)[:, :, order]
            for a in np.flatnonzero(num_truth):
                recall[:, k, a, m], precision[:, :, k, a, m], scores[:, :, k, a, m] = _curves(
                    found[order], matched[a], ignored[a], int(num_truth[a]), params.recall_points
                )
    return precision, recall, scores


def _curves(
    found: np.ndarray, matched: np.ndarray, ignored: np.ndarray, num_truth: int, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Final recall (T,), precision (T, R) and score (T, R) of N detections in descending score."""
    right = np.cumsum(matched & ~ignored, axis=1, dtype=np.float64)
    wrong = np.cumsum(~matched & ~ignored, axis=1, dtype=np.float64)
    precision, scores = np.zeros((len(matched), len(points))), np.zeros((len(matched), len(points)))
    if len(found) == 0:
        return np.zeros(len(matched)), precision, scores
    recalls = right / num_truth
    envelope = right / (wrong + right + EPSILON)
    envelope = np.maximum.accumulate(envelope[:, ::-1], axis=1)[:, ::-1]
    for t in range(len(matched)):
        reached = np.searchsorted(recalls[t], points, side="left")
        within = reached < len(found)
        precision[t, within] = envelope[t, reached[within]]
        scores[t, within] = found[reached[within]]
    return recalls[:, -1], precision, scores
