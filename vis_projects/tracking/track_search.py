"""The best-scored track in a video's detections, by dynamic programming over frames.

Letters: N detections in all frames, E links, T frames. A track is a sequence of detections in
ascending frames in which each one is linked to the next. Its score is the sum of the scores of its
detections and of its links.
"""

from collections.abc import Sequence

import numpy as np
import torch
from detectron2.structures import Instances

from vis_projects.tracking.costs import label_agreement, pairwise_box_iou


class TrackSearch:
    """Detections that are still free, their links, and the best track in them.

    Exact: the best track that ends in a detection is that detection alone, or it behind the best track that ends in
    one of the detections it is linked to. One search costs O(N + E), which is at most O(N^2), where a count of all
    tracks would grow as a power of T. The links are found once, in O(N^2) comparisons of boxes (O(N n) for a bounded
    gap, n detections in its frames).

    Attributes:
        free: (N,) bool, detections that have not been taken.
        frame_of: (N,) int64 frame of each detection, ascending.
    """

    def __init__(
        self,
        frames: Sequence[Instances],
        *,
        coefficients: Sequence[float] = (1.0, 2.0, 10.0),
        min_iou: float = 0.3,
        max_gap_frames: int = -1,
    ) -> None:
        """
        Args:
            frames: detections of each frame, see ``OfflineTracker``; numbered from 0 over all frames.
            coefficients: (alpha, beta, gamma): a detection scores alpha log s, a link beta IoU + gamma delta.
            min_iou: least IoU of a link.
            max_gap_frames: most frames that a link skips; -1: any number.
        """
        counts = [len(frame) for frame in frames]
        self.frame_of = np.repeat(np.arange(len(frames)), counts)
        self.free = np.full(len(self.frame_of), True)
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        boxes = _joined([frame.pred_boxes.tensor.detach().cpu().double() for frame in frames], (0, 4))
        labels = _joined([frame.pred_classes.cpu() for frame in frames], (0,))
        scores = _joined([frame.scores.detach().cpu().double() for frame in frames], (0,)).numpy()
        if not (np.isfinite(scores).all() and bool(boxes.isfinite().all())):
            raise FloatingPointError("SeqTracker: a box or a score is inf or nan; check the checkpoint")
        alpha, beta, gamma = coefficients
        # A score of exactly 0 has no logarithm; the smallest normal float32 stands in for it.
        self._values = alpha * np.log(np.maximum(scores, np.finfo(np.float32).tiny))
        self._links = [
            self._links_into(t, boxes, labels, (beta, gamma), min_iou, max_gap_frames) for t in range(len(frames))
        ]

    def _links_into(
        self, t: int, boxes: torch.Tensor, labels: torch.Tensor, weights: tuple[float, float], min_iou: float, gap: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Targets (e,) ascending, sources (e,) and scores (e,) of the links that end in frame t."""
        first = self._starts[0 if gap < 0 else max(0, t - 1 - gap)]
        here = slice(int(self._starts[t]), int(self._starts[t + 1]))
        before = slice(int(first), here.start)
        ious = pairwise_box_iou(boxes[here], boxes[before]).numpy()
        agreement = label_agreement(labels[here], labels[before]).numpy()
        targets, sources = np.nonzero(ious >= min_iou)
        beta, gamma = weights
        scores = beta * ious[targets, sources] + gamma * agreement[targets, sources]
        return targets + here.start, sources + before.start, scores

    def best_track(self) -> tuple[float, np.ndarray]:
        """The free track of the largest score.

        Returns:
            its score, and its detections (k,) int64 ascending; -inf and none when nothing is free.
        """
        best = np.where(self.free, self._values, -np.inf)
        previous = np.full(len(best), -1, np.int64)
        for targets, sources, scores in self._links:
            _extend(best, previous, targets, sources, scores)
        if not self.free.any():
            return -np.inf, np.zeros(0, np.int64)
        track = [int(best.argmax())]
        while previous[track[-1]] >= 0:
            track.append(int(previous[track[-1]]))
        return float(best[track[0]]), np.array(track[::-1], dtype=np.int64)

    def take(self, track: np.ndarray) -> None:
        """Removes the detections (k,) of a track."""
        self.free[track] = False


def _extend(
    best: np.ndarray, previous: np.ndarray, targets: np.ndarray, sources: np.ndarray, scores: np.ndarray
) -> None:
    """Puts the detections of one frame behind the best of their sources where that is better than to start."""
    if len(targets) == 0:
        return
    reached = best[sources] + scores
    ends, starts = np.unique(targets, return_index=True)
    most = np.maximum.reduceat(reached, starts)
    # the first link among equals: the earliest detection
    is_most = np.flatnonzero(reached == np.repeat(most, np.diff([*starts, len(targets)])))
    chosen = is_most[np.searchsorted(is_most, starts)]
    better = most > 0
    previous[ends[better]] = sources[chosen[better]]
    best[ends[better]] += most[better]


def _joined(parts: list[torch.Tensor], empty: tuple[int, ...]) -> torch.Tensor:
    return torch.cat(parts) if parts else torch.zeros(empty)
