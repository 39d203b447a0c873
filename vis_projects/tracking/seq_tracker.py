"""SeqTracker: the best track of the whole video first (Yang et al., Video Instance Segmentation, section 6.1)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import Instances

from vis_projects.tracking.costs import check_cues
from vis_projects.tracking.offline import OfflineTracker
from vis_projects.tracking.registry import TRACKER_REGISTRY
from vis_projects.tracking.track_search import TrackSearch


@TRACKER_REGISTRY.register()
class SeqTracker(OfflineTracker):
    """Finds the track of the largest score, takes its detections away, and repeats.

    All possible tracks compete, scored as IoUTracker+ scores: the sum of alpha log s over the detections and of
    beta IoU + gamma delta over each two that follow each other. The search ends with the first best track that is
    shorter than ``min_length``; what is left has no id.

    Cost: with N detections, E links of at least ``min_iou`` and K tracks, O(N^2) for the links and O(N + E) for each
    of the K + 1 searches, K <= N / min_length: at most O(N^3 / min_length), see ``TrackSearch``.
    """

    @configurable
    def __init__(
        self,
        *,
        match_coeff: Sequence[float] = (1.0, 2.0, 10.0),
        min_iou: float = 0.3,
        max_gap_frames: int = -1,
        min_length: int = 8,
    ) -> None:
        """
        Args:
            match_coeff: (alpha, beta, gamma).
            min_iou: least IoU of two detections that follow each other, above 0.
            max_gap_frames: most frames between them; -1: any number, as for the memory of IoUTracker+.
            min_length: detections of the shortest track.
        """
        check_cues("MODEL.SEQ_TRACKER", match_coeff, min_iou)
        if max_gap_frames < -1:
            raise ValueError(f"MODEL.SEQ_TRACKER.MAX_GAP_FRAMES is {max_gap_frames}; give frames, or -1 for any number")
        if min_length < 1:
            raise ValueError(f"MODEL.SEQ_TRACKER.MIN_LENGTH is {min_length}; a track has at least 1 detection")
        self.match_coeff = tuple(match_coeff)
        self.min_iou = min_iou
        self.max_gap_frames = max_gap_frames
        self.min_length = min_length

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.SEQ_TRACKER
        return {
            "match_coeff": node.MATCH_COEFF,
            "min_iou": node.MIN_IOU,
            "max_gap_frames": node.MAX_GAP_FRAMES,
            "min_length": node.MIN_LENGTH,
        }

    def track(self, frames: Sequence[Instances]) -> list[Instances]:
        """See ``OfflineTracker.track``; ids count up from 0, best track first.

        Raises:
            FloatingPointError: a score or a box is inf or nan.
        """
        search = TrackSearch(
            frames, coefficients=self.match_coeff, min_iou=self.min_iou, max_gap_frames=self.max_gap_frames
        )
        ids = np.full(len(search.free), -1, np.int64)
        count = 0
        while True:
            _, track = search.best_track()
            if len(track) < self.min_length:
                break
            ids[track] = count
            count += 1
            search.take(track)
        tracked = []
        for frame, own in zip(frames, torch.from_numpy(ids).split([len(frame) for frame in frames]), strict=True):
            own = own.to(frame.scores.device)
            kept = frame[own >= 0]
            kept.pred_ids = own[own >= 0]
            tracked.append(kept)
        return tracked
