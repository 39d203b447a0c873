"""IoUTracker+: eq. 3 without appearance (Yang et al., Video Instance Segmentation, section 6.1)."""

from collections.abc import Sequence
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.tracking.assignment import NEW_TRACK, assign_best
from vis_projects.tracking.base import Tracker
from vis_projects.tracking.costs import label_agreement, matching_scores, pairwise_box_iou, with_new_column
from vis_projects.tracking.memory import TrackMemory
from vis_projects.tracking.registry import TRACKER_REGISTRY

MEMORY_LABELS = ("first", "latest")


@TRACKER_REGISTRY.register()
class IoUTrackerPlus(Tracker):
    """Matches each detection to the remembered track of the best score among those it overlaps.

    The score is v_i(n) = alpha log s_i + beta IoU(b_i, b_n) + gamma delta(c_i, c_n). A track that the
    detection overlaps by less than ``min_iou`` cannot be taken, however good its score; a detection
    that may take none starts a new track. Of several that take the same track the best score keeps
    it and the others are dropped.
    """

    @configurable
    def __init__(
        self,
        *,
        match_coeff: Sequence[float] = (1.0, 2.0, 10.0),
        min_iou: float = 0.3,
        memory_label: str = "first",
        retain_frames: int = 0,
    ) -> None:
        """
        Args:
            match_coeff: (alpha, beta, gamma).
            min_iou: least overlap with a track that may be taken, above 0.
            memory_label: the class a track remembers is its "first" or its "latest".
            retain_frames: a track can be found again up to this many frames after it was last seen;
                0: for ever, so the memory grows by one row per track.
        """
        if len(match_coeff) != 3:
            raise ValueError(
                f"MODEL.IOU_TRACKER.MATCH_COEFF is {tuple(match_coeff)}; give three numbers, the weights of score, "
                "IoU and class"
            )
        if not 0 < min_iou <= 1:
            raise ValueError(f"MODEL.IOU_TRACKER.MIN_IOU is {min_iou}; give an overlap above 0 and up to 1")
        if memory_label not in MEMORY_LABELS:
            raise ValueError(f"MODEL.IOU_TRACKER.MEMORY_LABEL is {memory_label!r}; choose from {MEMORY_LABELS}")
        if retain_frames < 0:
            raise ValueError(
                f"MODEL.IOU_TRACKER.RETAIN_FRAMES is {retain_frames}; give a number of frames, or 0 to keep tracks "
                "for ever"
            )
        self.match_coeff = tuple(match_coeff)
        self.min_iou = min_iou
        self.memory_label = memory_label
        self.retain_frames = retain_frames
        self.memory = TrackMemory()
        self._frame = -1

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.IOU_TRACKER
        return {
            "match_coeff": node.MATCH_COEFF,
            "min_iou": node.MIN_IOU,
            "memory_label": node.MEMORY_LABEL,
            "retain_frames": node.RETAIN_FRAMES,
        }

    def update(self, instances: Instances) -> Instances:
        """See ``Tracker.update``. Rows that lose a conflict for a track are dropped.

        Raises:
            FloatingPointError: a score or a box is inf or nan.
        """
        self._frame += 1
        if self.retain_frames > 0:
            self.memory.forget_unseen_since(self._frame - self.retain_frames - 1)
        columns = torch.from_numpy(assign_best(self._scores(instances).cpu().numpy()))
        columns = columns.to(instances.scores.device)
        kept = instances[columns >= 0]
        kept.pred_ids = self.remember(kept, columns[columns >= 0])
        return kept

    def overlaps(self, instances: Instances) -> Tensor:
        """IoU of n detections with the m tracks of the memory, (n, m) float in [0, 1]; here that of boxes."""
        return pairwise_box_iou(instances.pred_boxes.tensor.float(), self.memory.boxes)

    def remember(self, kept: Instances, columns: Tensor) -> Tensor:
        """Writes the rows into the memory.

        Args:
            kept: n detections.
            columns: (n,) int64, ``NEW_TRACK`` or 1 + the slot of the memory.

        Returns:
            (n,) int64: the ids of the rows.
        """
        boxes, labels = kept.pred_boxes.tensor, kept.pred_classes
        embeddings = boxes.new_zeros(len(kept), 0)
        ids = torch.full_like(columns, -1)
        is_new = columns == NEW_TRACK
        seen = ~is_new
        ids[seen] = self.memory.refresh(
            columns[seen] - 1,
            embeddings[seen],
            boxes[seen],
            labels[seen] if self.memory_label == "latest" else None,
            self._frame,
        )
        ids[is_new] = self.memory.append(embeddings[is_new], boxes[is_new], labels[is_new], self._frame)
        return ids

    def _scores(self, instances: Instances) -> Tensor:
        """(n, 1 + m): v_i(n) of the tracks that may be taken; below them "new object"; below that the rest."""
        scores, boxes = instances.scores.float(), instances.pred_boxes.tensor.float()
        # 0, or nan for a row with inf or nan in it, which assign_best finds
        finite = ((scores + boxes.sum(dim=1)) * 0.0)[:, None]
        if len(self.memory) == 0:
            return finite
        ious = self.overlaps(instances)
        values = matching_scores(
            scores.new_zeros(len(scores), 1 + len(self.memory)),
            scores,
            ious,
            label_agreement(instances.pred_classes, self.memory.labels),
            coefficients=self.match_coeff,
        )[:, 1:]
        # Finite stand-ins for minus infinity: assign_best takes inf for a fault of the weights.
        bottom = float(values.nan_to_num().min()) if values.numel() else 0.0
        return with_new_column(values.masked_fill(ious < self.min_iou, bottom - 2.0), bottom - 1.0) + finite
