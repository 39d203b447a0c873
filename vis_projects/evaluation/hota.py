"""HOTA and its parts: how well objects are found, kept apart over time, and outlined.

Luiten et al., HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking, IJCV 2021.
Letters: A localisation thresholds, F frames, G objects, D predicted tracks of one video and class.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

ALPHAS = np.arange(0.05, 0.99, 0.05)  # 0.05, 0.1, ..., 0.95
EPSILON = np.finfo(np.float64).eps
SCORE_NAMES = ("HOTA", "DetA", "AssA", "LocA", "DetRe", "DetPr", "AssRe", "AssPr")


@dataclass
class HotaSums:
    """Sums over matched pairs, so that videos, and classes, add up.

    Attributes:
        tp, fn, fp: float64 (A,): matched pairs, objects left over, predictions left over, summed over frames.
        association, recall, precision: float64 (A,): sums of TPA / (TPA + FNA + FPA), TPA / (TPA + FNA) and
            TPA / (TPA + FPA) over the matched pairs.
        localisation: float64 (A,): sum of the IoU of the matched pairs.
    """

    tp: np.ndarray
    fn: np.ndarray
    fp: np.ndarray
    association: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    localisation: np.ndarray

    @classmethod
    def zero(cls) -> "HotaSums":
        """Sums of nothing."""
        return cls(*np.zeros((7, len(ALPHAS))))

    def __add__(self, other: "HotaSums") -> "HotaSums":
        return HotaSums(*(np.add(a, b) for a, b in zip(vars(self).values(), vars(other).values())))

    def curves(self) -> dict[str, np.ndarray]:
        """Each of `SCORE_NAMES` by alpha, float64 (A,).

        DetA = TP / (TP + FN + FP), AssA = mean association of the matched pairs, HOTA = sqrt(DetA * AssA). Without a
        matched pair AssA is 0 and LocA, a mean of nothing, is 1, as in the authors' program.
        """
        matched = np.maximum(self.tp, 1)
        curves = {
            "DetA": self.tp / np.maximum(self.tp + self.fn + self.fp, 1),
            "AssA": self.association / matched,
            "LocA": np.where(self.tp > 0, self.localisation / matched, 1.0),
            "DetRe": self.tp / np.maximum(self.tp + self.fn, 1),
            "DetPr": self.tp / np.maximum(self.tp + self.fp, 1),
            "AssRe": self.recall / matched,
            "AssPr": self.precision / matched,
        }
        return {"HOTA": np.sqrt(curves["DetA"] * curves["AssA"]), **curves}

    def scores(self) -> dict[str, float]:
        """The mean of each curve, as fractions."""
        return {name: float(np.mean(curve)) for name, curve in self.curves().items()}


def hota_sums(iou: np.ndarray, truth_present: np.ndarray, found_present: np.ndarray) -> HotaSums:
    """Sums of one video and class.

    The pairs of a frame are those of one assignment for all thresholds, of the largest sum of IoU times the overlap of
    the two tracks over the whole video; at each alpha those with IoU >= alpha are matched. The paper's text assigns
    for each alpha anew; its authors' program, which published scores come from, does it as it is done here. The two
    differ only where several predictions overlap one object in a frame.

    Args:
        iou: float64 (F, G, D), 0 where one of the two is absent.
        truth_present: bool (F, G). found_present: bool (F, D).
    """
    truth_frames, found_frames = truth_present.sum(axis=0), found_present.sum(axis=0)
    counts = np.zeros((len(ALPHAS), iou.shape[1], iou.shape[2]))
    localisation = np.zeros(len(ALPHAS))
    alignment = _alignment(iou, truth_frames, found_frames)
    for t in range(len(iou)):
        rows, columns = truth_present[t].nonzero()[0], found_present[t].nonzero()[0]
        if not len(rows) or not len(columns):
            continue
        overlap = iou[t, rows[:, None], columns]
        g, d = linear_sum_assignment(alignment[rows[:, None], columns] * overlap, maximize=True)
        similarity = overlap[g, d]
        reached = similarity >= ALPHAS[:, None] - EPSILON
        counts[:, rows[g], columns[d]] += reached
        localisation += reached @ similarity
    tp = counts.sum(axis=(1, 2))
    with_truth, with_found = truth_frames[:, None], found_frames[None, :]
    return HotaSums(
        tp=tp,
        fn=truth_frames.sum() - tp,
        fp=found_frames.sum() - tp,
        association=_weighted(counts, with_truth + with_found - counts),
        recall=_weighted(counts, with_truth + 0 * counts),
        precision=_weighted(counts, with_found + 0 * counts),
        localisation=localisation,
    )


def _alignment(iou: np.ndarray, truth_frames: np.ndarray, found_frames: np.ndarray) -> np.ndarray:
    """(G, D): share of their frames in which two tracks meet; a meeting with several counts for each in part."""
    either = iou.sum(axis=2, keepdims=True) + iou.sum(axis=1, keepdims=True) - iou
    meetings = np.divide(iou, either, out=np.zeros(iou.shape), where=either > EPSILON).sum(axis=0)
    together = truth_frames[:, None] + found_frames[None, :] - meetings
    return np.divide(meetings, together, out=np.zeros(meetings.shape), where=together > 0)


def _weighted(counts: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(A,): sum over pairs of count * count / frames: each of a pair's matches counts count / frames."""
    return (counts * counts / np.maximum(frames, 1)).sum(axis=(1, 2))
