"""CrossVIS's tracker, as its code does it: cosine of embeddings plus box IoU against the last sight of each track."""

from typing import Any

import numpy as np
import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import Instances
from torch import Tensor
from torch.nn import functional as F

from vis_projects.tracking import (
    NEW_TRACK,
    TRACKER_REGISTRY,
    Tracker,
    TrackMemory,
    assign_best,
    pairwise_box_iou,
    with_new_column,
)

REQUIRED_FIELDS = ("pred_boxes", "scores", "pred_classes", "track_embeddings")
OTHER_CLASS = -1.0  # similarity of a detection and a track of different classes


@TRACKER_REGISTRY.register()
class CrossVISTracker(Tracker):
    """Each detection goes to its most similar track, or starts a new one; losers of a conflict are dropped.

    Tracks are never forgotten. Detections need ``track_embeddings`` (n, D).
    """

    @configurable
    def __init__(self, *, match_threshold: float = 0.4, class_gate: bool = True, use_iou: bool = True) -> None:
        """
        Args:
            match_threshold: similarity from which on a detection may join a track.
            class_gate: detections and tracks of different classes never match.
            use_iou: add the box IoU to the cosine, which makes similarities reach from -1 to 2.
        """
        self.match_threshold = match_threshold
        self.class_gate = class_gate
        self.use_iou = use_iou
        self.memory = TrackMemory()
        self._frame = -1

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.CROSSVIS
        return {"match_threshold": node.MATCH_THRESH, "class_gate": node.CLASS_GATE, "use_iou": node.USE_IOU}

    def update(self, instances: Instances) -> Instances:
        """See ``Tracker.update``.

        Raises:
            KeyError: a field of ``REQUIRED_FIELDS`` is missing.
            FloatingPointError: a similarity is inf or nan.
        """
        missing = [name for name in REQUIRED_FIELDS if not instances.has(name)]
        if missing:
            raise KeyError(f"CrossVISTracker needs the fields {missing} of the detections")
        self._frame += 1
        # a similarity equal to the threshold still matches
        new_column = float(np.nextafter(np.float32(self.match_threshold), np.float32(-np.inf)))
        table = with_new_column(self.similarities(instances), new_column)
        # also against an empty memory inf and nan of an embedding show
        table = table + 0.0 * instances.track_embeddings.float().sum(dim=1, keepdim=True)
        columns = torch.from_numpy(assign_best(table.cpu().numpy())).to(instances.scores.device)
        kept, columns = instances[columns >= 0], columns[columns >= 0]
        is_new = columns == NEW_TRACK
        rows = (kept.track_embeddings, kept.pred_boxes.tensor)
        ids = torch.full_like(columns, -1)
        ids[~is_new] = self.memory.refresh(columns[~is_new] - 1, *(x[~is_new] for x in rows), None, self._frame)
        ids[is_new] = self.memory.append(*(x[is_new] for x in rows), kept.pred_classes[is_new], self._frame)
        kept.pred_ids = ids
        return kept

    def similarities(self, instances: Instances) -> Tensor:
        """float32 (n, m) of n detections and the m tracks so far."""
        embeddings, boxes = instances.track_embeddings.float(), instances.pred_boxes.tensor.float()
        if len(self.memory) == 0:
            return embeddings.new_zeros((len(instances), 0))
        table = F.normalize(embeddings, dim=1) @ F.normalize(self.memory.embeddings, dim=1).T
        if self.use_iou:
            table = table + pairwise_box_iou(boxes, self.memory.boxes)
        if self.class_gate:
            same = instances.pred_classes[:, None] == self.memory.labels[None, :]
            table = torch.where(same, table, OTHER_CLASS)
        return table
