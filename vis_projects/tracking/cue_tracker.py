"""A tracker with an external memory and cues: eq. 3 of the MaskTrack R-CNN paper (its sections 5.3 and 5.4)."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from detectron2.config import CfgNode, configurable
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.tracking.costs import (
    check_cues,
    label_agreement,
    match_log_probs,
    matching_scores,
    pairwise_box_iou,
)
from vis_projects.tracking.memory_tracker import MemoryTracker


class CueTracker(MemoryTracker):
    """Matches by appearance, detection score, box overlap and class.

    A subclass says which appearance logits there are (``appearance_logits``) and which field of a detection its memory
    keeps.

    Attributes:
        memory_field: the field (n, ...) that the memory keeps of a detection.
    """

    memory_field = "track_embeddings"

    @configurable
    def __init__(
        self,
        *,
        match_coeff: Sequence[float] = (1.0, 2.0, 10.0),
        new_iou: float = 0.0,
        new_label_delta: float = 1.0,
        inclusive_box_iou: bool = False,
        **kwargs: Any,
    ) -> None:
        """
        Args:
            match_coeff: (alpha, beta, gamma) of eq. 3.
            new_iou: IoU of the "new object" column.
            new_label_delta: class agreement of the "new object" column.
            inclusive_box_iou: box sides are x1 - x0 + 1 in the IoU.
            kwargs: of ``MemoryTracker``.
        """
        super().__init__(**kwargs)
        self.match_coeff = check_cues(self.section, match_coeff)
        self.new_iou = new_iou
        self.new_label_delta = new_label_delta
        self.inclusive_box_iou = inclusive_box_iou

    @staticmethod
    def arguments(node: CfgNode) -> dict[str, Any]:
        """The arguments of the constructor from a method's config node."""
        return {
            "match_coeff": node.MATCH_COEFF,
            "new_iou": node.NEW_IOU,
            "new_label_delta": node.NEW_LABEL_DELTA,
            "memory_label": node.MEMORY_LABEL,
            "retain_frames": node.RETAIN_FRAMES,
            "inclusive_box_iou": node.INCLUSIVE_BOX_IOU,
        }

    @abstractmethod
    def appearance_logits(self, instances: Instances) -> Tensor:
        """(n, 1 + m) logits of a frame's detections against "new object" and a memory that is not empty."""

    def looks(self, instances: Instances) -> Tensor:
        """The field ``memory_field``."""
        return instances.get(self.memory_field)

    def scores(self, instances: Instances) -> Tensor:
        """v_i(n) of eq. 3, (n, 1 + m), against the memory before this frame."""
        memory, boxes = self.memory, instances.pred_boxes.tensor
        if len(memory) == 0:
            # Against an empty memory only "new object" is left; the sum still finds inf and nan.
            return self.looks(instances).float().flatten(1).sum(dim=1, keepdim=True) * 0.0
        return matching_scores(
            match_log_probs(self.appearance_logits(instances)),
            instances.scores.float(),
            pairwise_box_iou(boxes.float(), memory.boxes, inclusive=self.inclusive_box_iou),
            label_agreement(instances.pred_classes, memory.labels),
            coefficients=self.match_coeff,
            new_iou=self.new_iou,
            new_agreement=self.new_label_delta,
        )
