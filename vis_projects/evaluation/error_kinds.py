"""What is wrong with each detection and each annotated track at one IoU threshold.

A detection that matches an annotated track at threshold t is right. Any other one (crowd annotations apart, which make
it count for nothing) has the first of these faults that fits. Track IoU, "own frames" and "lies on" are those of
`PairFacts`. A detection is *on* the track that it fits best in its own frames if that IoU is at least 0.1, tracks of
its own class going first.

- duplicate: a track of its class is matched by another detection, and this one reaches t with it too, or is on it while
  the other detection lies on the same track in more than half of the frames in which this one lies on it.
- classification: it reaches t with a track of another class.
- association: it is on a track of its class and would reach t if its identity were right, that is, without the frames
  in which it lies on another track, and with the frames in which other detections have what it lacks. Pieces of a track
  that was cut and tracks that changed objects are of this kind.
- segmentation: it is on a track of its class, which does not reach t with a right identity either: masks that are not
  good enough, or that are missing in frames in which no other detection has them.
- class and mask: it is on a track of another class. More than one thing is wrong.
- background: it is on no track.

An annotated track that no detection matches is *missed* unless a detection with a fault of classification, association
or segmentation is on it: then that fault is what it suffers from.

Letters: N detections and M annotated tracks of the whole data set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vis_projects.evaluation.matching import CellMatches, match_cell
from vis_projects.evaluation.pair_facts import PairFacts
from vis_projects.evaluation.params import EvalParams
from vis_projects.evaluation.world import ONE_RANGE, World, WorldCell

DETECTION_KINDS = ("classification", "segmentation", "association", "duplicate", "class and mask", "background")
MENDED_KINDS = ("classification", "segmentation", "association")
"""Faults that a detection can be rid of; those with another one are taken away."""
RIGHT = "right"
ON_IOU = 0.1


@dataclass
class ErrorKinds:
    """Outcome at one threshold, detections and tracks in ascending category, then video.

    Attributes:
        scores: float64 (N,).
        videos: int64 (N,), index of the video of each detection.
        categories: int64 (N,), index of its category.
        kinds: object (N,): `RIGHT`, one of `DETECTION_KINDS`, or "" for a detection that counts for nothing.
        targets: int64 (N,), the track that a right one has matched or a wrong one is on; -1 none.
        truth_categories: int64 (M,).
        matched: bool (M,), the track is matched.
        missed: bool (M,).
    """

    scores: np.ndarray
    videos: np.ndarray
    categories: np.ndarray
    kinds: np.ndarray
    targets: np.ndarray
    truth_categories: np.ndarray
    matched: np.ndarray
    missed: np.ndarray


def error_kinds(world: World, thresholds: Sequence[float]) -> list[ErrorKinds]:
    """Finds the fault of every detection, at each threshold.

    Args:
        world: with its facts.
        thresholds: track IoU from which on a detection is right.
    """
    params = EvalParams(iou_thresholds=np.array(thresholds), area_ranges=ONE_RANGE)
    cells = [(k, cell, match_cell(cell.detections, cell.truths, cell.ious, params))
             for k, category in enumerate(world.truth.categories) for cell in world.cells(category)]
    numbers: dict[object, dict[int, int]] = {}  # video -> column of a track among those of the video -> number of it
    truth_categories = []
    for k, cell, _ in cells:
        for track, column in zip(cell.truths, cell.columns.tolist()):
            if not track.is_crowd:
                numbers.setdefault(cell.video_id, {})[column] = len(truth_categories)
                truth_categories.append(k)
    return [_at_threshold(world, cells, numbers, truth_categories, t, threshold)
            for t, threshold in enumerate(params.iou_thresholds.tolist())]


def _at_threshold(
    world: World,
    cells: Sequence[tuple[int, WorldCell, CellMatches]],
    numbers: Mapping[object, Mapping[int, int]],
    truth_categories: Sequence[int],
    t: int,
    threshold: float,
) -> ErrorKinds:
    order = {video_id: k for k, video_id in enumerate(world.truth.videos)}
    holders: dict[object, dict[int, int]] = {}  # video -> column of a matched track -> row of its detection
    for _, cell, matches in cells:
        found = _holders(cell, matches.matched[0, t] & ~matches.ignored[0, t])
        holders.setdefault(cell.video_id, {}).update(found)
    rows = []
    for k, cell, matches in cells:
        video = numbers.get(cell.video_id, {})
        judge = _Judge(world.facts[cell.video_id].pairs, list(video), cell, holders[cell.video_id], threshold)
        for track, row, uncounted in zip(cell.detections, cell.rows.tolist(), matches.ignored[0, t].tolist()):
            kind, column = ("", -1) if uncounted else judge.fault(row)
            rows.append((track.score, order[cell.video_id], k, kind, video.get(column, -1)))
    scores, videos, categories, kinds, targets = zip(*rows) if rows else ((),) * 5
    found = ErrorKinds(
        np.array(scores, dtype=np.float64), np.array(videos, dtype=np.int64), np.array(categories, dtype=np.int64),
        np.array(kinds, dtype=object), np.array(targets, dtype=np.int64), np.array(truth_categories, dtype=np.int64),
        *np.zeros((2, len(truth_categories)), dtype=bool),
    )
    found.matched[found.targets[found.kinds == RIGHT]] = True
    found.missed[:] = ~found.matched
    found.missed[found.targets[np.isin(found.kinds, MENDED_KINDS)]] = False
    return found


def _holders(cell: WorldCell, matched: np.ndarray) -> dict[int, int]:
    """Column of each matched annotation that counts -> row of its detection, given which (D,) have matched one.

    Matching goes by score; a matched detection has the free annotation of highest IoU, the last among equals.
    """
    free = np.array([not track.is_crowd for track in cell.truths], dtype=bool)
    holders = {}
    for d in matched.nonzero()[0]:
        reachable = np.where(free, cell.ious[d], -1.0)
        g = len(reachable) - 1 - int(reachable[::-1].argmax())
        free[g] = False
        holders[int(cell.columns[g])] = int(cell.rows[d])
    return holders


class _Judge:
    """Names the fault of the detections of one video and category.

    Rows and columns are those of the video's `PairFacts`.
    """

    def __init__(
        self, pairs: PairFacts, counted: list[int], cell: WorldCell, holders: dict[int, int], threshold: float
    ) -> None:
        """
        Args:
            pairs: facts on the video.
            counted: columns of the annotations that are no crowd.
            cell: whose detections are judged.
            holders: column of a matched annotation -> row of the detection that has matched it.
            threshold: track IoU.
        """
        own = set(cell.columns.tolist())
        self.pairs = pairs
        self.same = [column for column in counted if column in own]
        self.other = [column for column in counted if column not in own]
        self.holders = holders
        self.has = {row: column for column, row in holders.items()}
        self.threshold = min(threshold, 1 - 1e-10)

    def fault(self, row: int) -> tuple[str, int]:
        """(kind, column of the annotation concerned or -1) of one detection."""
        if row in self.has:
            return RIGHT, self.has[row]
        on_same, fit_same = _best(self.pairs.own_iou[row], self.same)
        reached, iou = _best(self.pairs.track_iou[row], self.same)
        if iou >= self.threshold:
            return "duplicate", reached
        if fit_same >= ON_IOU and self._is_beside_holder(row, on_same):
            return "duplicate", on_same
        reached, iou = _best(self.pairs.track_iou[row], self.other)
        if iou >= self.threshold:
            return "classification", reached
        if fit_same >= ON_IOU:
            mended = self.pairs.mended_iou[row, on_same] >= self.threshold
            return ("association" if mended else "segmentation"), on_same
        on_other, fit_other = _best(self.pairs.own_iou[row], self.other)
        return ("class and mask", on_other) if fit_other >= ON_IOU else ("background", -1)

    def _is_beside_holder(self, row: int, column: int) -> bool:
        holder = self.holders.get(column)
        beside = 0 if holder is None else self.pairs.frames_beside[row, holder]
        return 2 * beside > self.pairs.frames_on[row, column]


def _best(values: np.ndarray, columns: list[int]) -> tuple[int, float]:
    """(column, value) of the largest among some columns; (-1, -1) of none."""
    if not columns:
        return -1, -1.0
    column = columns[int(values[columns].argmax())]
    return column, float(values[column])
