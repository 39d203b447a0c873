"""IoUTracker+: eq. 3 without appearance (Yang et al., Video Instance Segmentation, section 6.1)."""

from collections.abc import Sequence
from typing import Any

from detectron2.config import CfgNode, configurable
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.tracking.costs import check_cues, label_agreement, matching_scores, pairwise_box_iou, with_new_column
from vis_projects.tracking.memory_tracker import MemoryTracker
from vis_projects.tracking.registry import TRACKER_REGISTRY


@TRACKER_REGISTRY.register()
class IoUTrackerPlus(MemoryTracker):
    """Matches each detection to the remembered track of the best score among those it overlaps.

    The score is v_i(n) = alpha log s_i + beta IoU(b_i, b_n) + gamma delta(c_i, c_n). A track that the
    detection overlaps by less than ``min_iou`` cannot be taken, however good its score; a detection
    that may take none starts a new track.
    """

    section = "MODEL.IOU_TRACKER"

    @configurable
    def __init__(
        self, *, match_coeff: Sequence[float] = (1.0, 2.0, 10.0), min_iou: float = 0.3, **kwargs: Any
    ) -> None:
        """
        Args:
            match_coeff: (alpha, beta, gamma) of eq. 3.
            min_iou: least overlap with a track that may be taken, above 0.
            kwargs: of ``MemoryTracker``.
        """
        super().__init__(**kwargs)
        self.match_coeff = check_cues(self.section, match_coeff, min_iou)
        self.min_iou = min_iou

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.IOU_TRACKER
        return {
            "match_coeff": node.MATCH_COEFF,
            "min_iou": node.MIN_IOU,
            "memory_label": node.MEMORY_LABEL,
            "retain_frames": node.RETAIN_FRAMES,
        }

    def overlaps(self, instances: Instances) -> Tensor:
        """IoU of n detections with the m tracks of the memory, (n, m) float in [0, 1]; here that of boxes."""
        return pairwise_box_iou(instances.pred_boxes.tensor.float(), self.memory.boxes)

    def looks(self, instances: Instances) -> Tensor:
        """Nothing, (n, 0)."""
        return instances.pred_boxes.tensor.new_zeros(len(instances), 0)

    def scores(self, instances: Instances) -> Tensor:
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
