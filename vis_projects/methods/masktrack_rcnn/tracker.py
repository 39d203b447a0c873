"""MaskTrack R-CNN's tracker: eq. 3 against an external memory (sections 5.3, 5.4 of the paper)."""

from typing import Any

from detectron2.config import CfgNode
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.tracking import TRACKER_REGISTRY, CueTracker, match_logits


@TRACKER_REGISTRY.register()
class MaskTrackRCNNTracker(CueTracker):
    """Appearance is the dot product of embeddings (eq. 2).

    Detections need ``track_embeddings`` (n, D) beside the fields every tracker reads.
    """

    section = "MODEL.MASKTRACK"
    required_fields = (*CueTracker.required_fields, "track_embeddings")

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        return cls.arguments(cfg.MODEL.MASKTRACK)

    def appearance_logits(self, instances: Instances) -> Tensor:
        """See ``match_logits``."""
        return match_logits(instances.track_embeddings, self.memory.embeddings)
