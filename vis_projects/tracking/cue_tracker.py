"""A tracker with an external memory and cues: eq. 3 of the MaskTrack R-CNN paper (its sections 5.3 and 5.4)."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.tracking.assignment import NEW_TRACK, assign_best
from vis_projects.tracking.base import Tracker
from vis_projects.tracking.costs import label_agreement, match_log_probs, matching_scores, pairwise_box_iou
from vis_projects.tracking.memory import TrackMemory

MEMORY_LABELS = ("first", "latest")


class CueTracker(Tracker):
    """Matches each detection to its best remembered track, or starts a new one.

    A subclass says which appearance logits there are (``appearance_logits``) and which field of a detection its memory
    keeps.

    Attributes:
        section: of the config, for errors.
        required_fields: what detections must have.
        memory_field: the field (n, ...) that the memory keeps of a detection.
        memory: what is known of the tracks so far.
    """

    section = "MODEL"
    required_fields: tuple[str, ...] = ("pred_boxes", "scores", "pred_classes")
    memory_field = "track_embeddings"

    @configurable
    def __init__(
        self,
        *,
        match_coeff: Sequence[float] = (1.0, 2.0, 10.0),
        new_iou: float = 0.0,
        new_label_delta: float = 1.0,
        memory_label: str = "first",
        retain_frames: int = 0,
        inclusive_box_iou: bool = False,
    ) -> None:
        """
        Args:
            match_coeff: (alpha, beta, gamma) of eq. 3.
            new_iou: IoU of the "new object" column.
            new_label_delta: class agreement of the "new object" column.
            memory_label: the class a track remembers is its "first" or its "latest".
            retain_frames: a track can be found again up to this many frames after it was last
                seen; 0: for ever, so the memory grows by one row per track.
            inclusive_box_iou: box sides are x1 - x0 + 1 in the IoU.
        """
        if len(match_coeff) != 3:
            raise ValueError(
                f"{self.section}.MATCH_COEFF is {tuple(match_coeff)}; give three numbers, the "
                "weights of score, IoU and class"
            )
        if memory_label not in MEMORY_LABELS:
            raise ValueError(f"{self.section}.MEMORY_LABEL is {memory_label!r}; choose from {MEMORY_LABELS}")
        if retain_frames < 0:
            raise ValueError(
                f"{self.section}.RETAIN_FRAMES is {retain_frames}; give a number of frames, or 0 "
                "to keep tracks for ever"
            )
        self.match_coeff = tuple(match_coeff)
        self.new_iou = new_iou
        self.new_label_delta = new_label_delta
        self.memory_label = memory_label
        self.retain_frames = retain_frames
        self.inclusive_box_iou = inclusive_box_iou
        self.memory = TrackMemory()
        self._frame = -1

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

    def recall(self) -> TrackMemory:
        """The memory that the next frame is matched against, without the tracks that are too old by then."""
        if self.retain_frames > 0:
            self.memory.forget_unseen_since(self._frame - self.retain_frames)
        return self.memory

    def update(self, instances: Instances) -> Instances:
        """See ``Tracker.update``. Rows that lose a conflict for a track are dropped.

        Raises:
            KeyError: a field of ``required_fields`` is missing.
            FloatingPointError: a matching score is inf or nan.
        """
        missing = [name for name in self.required_fields if not instances.has(name)]
        if missing:
            raise KeyError(f"{type(self).__name__} needs the fields {missing} of the detections")
        self.recall()
        self._frame += 1
        columns = torch.from_numpy(assign_best(self._scores(instances).cpu().numpy()))
        columns = columns.to(instances.scores.device)
        kept = instances[columns >= 0]
        kept.pred_ids = self._remember(kept, columns[columns >= 0])
        return kept

    def _scores(self, instances: Instances) -> Tensor:
        """v_i(n) of eq. 3, (n, 1 + m), against the memory before this frame."""
        memory, boxes = self.memory, instances.pred_boxes.tensor
        if len(memory) == 0:
            # Against an empty memory only "new object" is left; the sum still finds inf and nan.
            sums = instances.get(self.memory_field).float().flatten(1).sum(dim=1, keepdim=True)
            return sums * 0.0
        return matching_scores(
            match_log_probs(self.appearance_logits(instances)),
            instances.scores.float(),
            pairwise_box_iou(boxes.float(), memory.boxes, inclusive=self.inclusive_box_iou),
            label_agreement(instances.pred_classes, memory.labels),
            coefficients=self.match_coeff,
            new_iou=self.new_iou,
            new_agreement=self.new_label_delta,
        )

    def _remember(self, kept: Instances, columns: Tensor) -> Tensor:
        """Writes the rows into the memory and returns their ids, (n,) int64."""
        looks, boxes = kept.get(self.memory_field), kept.pred_boxes.tensor
        labels = kept.pred_classes
        ids = torch.full_like(columns, -1)
        is_new = columns == NEW_TRACK
        seen = ~is_new
        ids[seen] = self.memory.refresh(
            columns[seen] - 1,
            looks[seen],
            boxes[seen],
            labels[seen] if self.memory_label == "latest" else None,
            self._frame,
        )
        ids[is_new] = self.memory.append(looks[is_new], boxes[is_new], labels[is_new], self._frame)
        return ids
