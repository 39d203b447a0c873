"""CrossVIS's tracker, as its code does it: cosine of embeddings plus box IoU against the last sights of each track."""

from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import Instances
from torch import Tensor
from torch.nn import functional as F

from vis_projects.tracking import TRACKER_REGISTRY, MemoryTracker, pairwise_box_iou, with_new_column

OTHER_CLASS = -1.0  # similarity of a detection and a track of different classes


@TRACKER_REGISTRY.register()
class CrossVISTracker(MemoryTracker):
    """Each detection goes to its most similar track, or starts a new one; losers of a conflict are dropped.

    Detections need ``track_embeddings`` (n, D). The memory keeps of each track its last ``memory_len`` = L sights, the
    latest first: (m, L, D + 5), embedding, box, and 1 where there has been such a sight.
    """

    section = "MODEL.CROSSVIS"
    required_fields = (*MemoryTracker.required_fields, "track_embeddings")

    @configurable
    def __init__(
        self, *, match_threshold: float = 0.4, class_gate: bool = True, use_iou: bool = True, memory_len: int = 1,
        **kwargs: Any,
    ) -> None:
        """
        Args:
            match_threshold: similarity from which on a detection may join a track.
            class_gate: detections and tracks of different classes never match.
            use_iou: add the box IoU to the cosine, which makes similarities reach from -1 to 2.
            memory_len: a track's similarity is the mean over so many of its last sights.
            kwargs: of `MemoryTracker`.
        """
        super().__init__(**kwargs)
        if memory_len < 1:
            raise ValueError(f"{self.section}.MEMORY_LEN is {memory_len}; a track is known by one sight at least")
        self.match_threshold = match_threshold
        self.class_gate = class_gate
        self.use_iou = use_iou
        self.memory_len = memory_len

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.CROSSVIS
        return {
            "match_threshold": node.MATCH_THRESH, "class_gate": node.CLASS_GATE, "use_iou": node.USE_IOU,
            "memory_len": node.MEMORY_LEN, "retain_frames": node.RETAIN_FRAMES,
        }

    def looks(self, instances: Instances) -> Tensor:
        """See ``MemoryTracker.looks``: a single sight each, (n, L, D + 5)."""
        sight = torch.cat([instances.track_embeddings.float(), instances.pred_boxes.tensor.float()], dim=1)
        sight = torch.cat([sight, sight.new_ones(len(sight), 1)], dim=1)[:, None]
        return torch.cat([sight, sight.new_zeros(len(sight), self.memory_len - 1, sight.shape[2])], dim=1)

    def renewed(self, slots: Tensor, looks: Tensor) -> Tensor:
        """See ``MemoryTracker.renewed``: the oldest sight makes room."""
        return torch.cat([looks[:, :1], self.memory.embeddings[slots, :-1]], dim=1)

    def scores(self, instances: Instances) -> Tensor:
        """(n, 1 + m): just below the threshold, so that a similarity equal to it matches, and the similarities."""
        new_column = float(np.nextafter(np.float32(self.match_threshold), np.float32(-np.inf)))
        table = with_new_column(self.similarities(instances), new_column)
        # also against an empty memory inf and nan of an embedding show
        return table + 0.0 * instances.track_embeddings.float().sum(dim=1, keepdim=True)

    def similarities(self, instances: Instances) -> Tensor:
        """float32 (n, m) of n detections and the m tracks so far."""
        embeddings, boxes = instances.track_embeddings.float(), instances.pred_boxes.tensor.float()
        if len(self.memory) == 0:
            return embeddings.new_zeros((len(instances), 0))
        past, past_boxes, known = self.memory.embeddings.flatten(0, 1).split([embeddings.shape[1], 4, 1], dim=1)
        table = F.normalize(embeddings, dim=1) @ F.normalize(past, dim=1).T
        if self.use_iou:
            table = table + pairwise_box_iou(boxes, past_boxes)
        known = known[:, 0].unflatten(0, (-1, self.memory_len))
        table = (table.unflatten(1, known.shape) * known).sum(dim=2) / known.sum(dim=1)
        if self.class_gate:
            same = instances.pred_classes[:, None] == self.memory.labels[None, :]
            table = torch.where(same, table, OTHER_CLASS)
        return table
