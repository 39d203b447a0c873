"""Where AP is lost: for each kind of fault, what AP would be without it.

The faults are those of `error_kinds`; they depend on the IoU threshold, so each threshold has its own. One kind is
mended, nothing else changes, and AP is measured again:

- classification, segmentation, association: of the detections with this fault on a track that is not matched, that of
  the highest score becomes right, with its score; the others with this fault are taken away.
- duplicate, class and mask, background: the detections are taken away.
- missed: the tracks are taken away, so that recall is measured without them; a class of which nothing else is left
  counts as AP 1.

The gains do not add up to what is missing to 100: faults hide each other. With all of them mended AP is 100.
The idea of measuring errors by mending them is that of Bolya et al., TIDE, ECCV 2020, here for tracks.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from tabulate import tabulate

from vis_projects.evaluation.accumulation import accumulate
from vis_projects.evaluation.error_kinds import DETECTION_KINDS, MENDED_KINDS, RIGHT, ErrorKinds, error_kinds
from vis_projects.evaluation.matching import CellMatches
from vis_projects.evaluation.params import EvalParams
from vis_projects.evaluation.world import ONE_RANGE, World

ALL_KINDS = (*DETECTION_KINDS, "missed")
COLUMNS = ("AP", "AP50", "AP75")


@dataclass
class ErrorReport:
    """Losses by kind.

    Attributes:
        ap: AP, AP50 and AP75 as they are, fractions.
        gains: kind -> by how much each of the three rises when this kind is mended, fractions.
        counts: kind -> number of detections (of "missed": annotated tracks) with this fault at IoU 0.5.
    """

    ap: dict[str, float]
    gains: dict[str, dict[str, float]]
    counts: dict[str, int]

    def text(self) -> str:
        """The table in percent."""
        rows = [[kind, self.counts[kind], *(f"{100 * gain[c]:+.1f}" for c in COLUMNS)]
                for kind, gain in self.gains.items()]
        head = ("without errors of", "at IoU 0.5", *COLUMNS)
        table = tabulate(rows, head, disable_numparse=True, colalign=("left", *["right"] * 4))
        now = ", ".join(f"{name} {100 * self.ap[name]:.1f}" for name in COLUMNS)
        return f"Where AP is lost ({now}), in percent:\n{table}"


def error_report(world: World) -> ErrorReport:
    """Mends each kind at each of the ten thresholds.

    Args:
        world: with its facts.
    """
    thresholds = EvalParams().iou_thresholds
    found = error_kinds(world, thresholds)
    num_classes = len(world.truth.categories)
    before = np.array([mended_ap(kinds, num_classes) for kinds in found])
    gains = {}
    for kind in ALL_KINDS:
        after = np.array([mended_ap(kinds, num_classes, [kind]) for kinds in found])
        gains[kind] = _by_column(after - before, thresholds)
    counts = {kind: int((found[0].kinds == kind).sum()) for kind in DETECTION_KINDS}
    return ErrorReport(_by_column(before, thresholds), gains, {**counts, "missed": int(found[0].missed.sum())})


def mended_ap(found: ErrorKinds, num_classes: int, mended: Collection[str] = ()) -> float:
    """AP at the threshold of `found`, as a fraction, with some kinds of faults mended; 0 without ground truth.

    Args:
        found: faults at one threshold.
        num_classes: number of categories.
        mended: some of `ALL_KINDS`.
    """
    right = found.kinds == RIGHT
    ignored = (found.kinds == "") | np.isin(found.kinds, list(mended))
    categories = found.categories.copy()
    for n in _promoted(found, [kind for kind in MENDED_KINDS if kind in mended]):
        right[n], ignored[n] = True, False
        categories[n] = found.truth_categories[found.targets[n]]
    num_truth = np.bincount(found.truth_categories, minlength=num_classes)
    counted = num_truth > 0
    if "missed" in mended:
        num_truth = num_truth - np.bincount(found.truth_categories[found.missed], minlength=num_classes)
    precision = _precision(found, categories, right, ignored, num_truth)
    precision[:, counted & (num_truth == 0)] = 1.0
    return float(precision[:, counted].mean()) if counted.any() else 0.0


def _promoted(found: ErrorKinds, kinds: Collection[str]) -> list[int]:
    """Detections that become right: for each unmatched track that suffers from `kinds`, that of the highest score."""
    best: dict[int, int] = {}
    candidates = np.flatnonzero(np.isin(found.kinds, list(kinds)))
    for n in candidates[np.argsort(-found.scores[candidates], kind="stable")].tolist():
        if not found.matched[found.targets[n]]:
            best.setdefault(int(found.targets[n]), n)
    return list(best.values())


def _precision(
    found: ErrorKinds, categories: np.ndarray, right: np.ndarray, ignored: np.ndarray, num_truth: np.ndarray
) -> np.ndarray:
    """(R, K) precision at the recall points."""
    cells = []
    for k, count in enumerate(num_truth.tolist()):
        mine = np.flatnonzero(categories == k)
        # one cell for all videos, in the order in which theirs would follow each other
        mine = mine[np.lexsort((-found.scores[mine], found.videos[mine]))]
        shape = (1, 1, len(mine))
        cells.append([CellMatches(found.scores[mine], right[mine].reshape(shape), ignored[mine].reshape(shape),
                                  np.array([count]))])
    params = EvalParams(iou_thresholds=np.zeros(1), area_ranges=ONE_RANGE, max_detections=(len(found.scores) + 1,))
    precision, _, _ = accumulate(cells, params)
    return precision[0, :, :, 0, 0]


def _by_column(values: np.ndarray, thresholds: np.ndarray) -> dict[str, float]:
    at = {round(float(t), 2): float(value) for t, value in zip(thresholds, values)}
    return {"AP": float(np.mean(values)), "AP50": at[0.5], "AP75": at[0.75]}
