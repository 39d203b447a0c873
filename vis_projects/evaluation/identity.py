"""IDF1: how many frames of objects and of predictions belong together if each object may have one prediction only.

Ristani et al., Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking, 2016.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment


def identity_counts(
    iou: np.ndarray, truth_present: np.ndarray, found_present: np.ndarray, threshold: float = 0.5
) -> tuple[int, int, int]:
    """(IDTP, IDFN, IDFP) of one video and class.

    Objects and predictions are paired one to one over the whole video so that IDTP, the number of frames in which the
    two of a pair overlap by at least `threshold`, is largest: IDFN + IDFP is then smallest.

    Args:
        iou: float64 (F, G, D), 0 where one of the two is absent.
        truth_present: bool (F, G). found_present: bool (F, D).
        threshold: IoU, above 0.
    """
    together = (iou >= threshold).sum(axis=0)
    matched = int(together[linear_sum_assignment(together, maximize=True)].sum())
    return matched, int(truth_present.sum()) - matched, int(found_present.sum()) - matched


def identity_scores(idtp: int, idfn: int, idfp: int) -> dict[str, float]:
    """IDF1, IDP and IDR as fractions, 0 for nothing by nothing."""
    return {
        "IDF1": 2 * idtp / max(2 * idtp + idfn + idfp, 1),
        "IDP": idtp / max(idtp + idfp, 1),
        "IDR": idtp / max(idtp + idfn, 1),
    }
