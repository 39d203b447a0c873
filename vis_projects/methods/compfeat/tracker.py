"""CompFeat's tracker: the scores of its track head with the memory and the cues of MaskTrack R-CNN."""

from typing import Any

from detectron2.config import CfgNode
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.tracking import TRACKER_REGISTRY, CueTracker


@TRACKER_REGISTRY.register()
class CompFeatTracker(CueTracker):
    """Appearance is what the model's track head says of each pair.

    Detections need ``track_logits`` (n, 1 + m), made against ``recall()`` before this frame, and ``memory_looks``
    (n, ...), what the track head wants to see of a track in later frames, beside the fields every tracker reads.
    """

    section = "MODEL.COMPFEAT.TRACK"
    required_fields = (*CueTracker.required_fields, "track_logits", "memory_looks")
    memory_field = "memory_looks"

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        return cls.arguments(cfg.MODEL.COMPFEAT.TRACK)

    def appearance_logits(self, instances: Instances) -> Tensor:
        """``track_logits``.

        Raises:
            ValueError: they are of another number of tracks than the memory holds.
        """
        logits = instances.track_logits
        if logits.shape[1] != 1 + len(self.memory):
            raise ValueError(f"CompFeatTracker: track_logits have {logits.shape[1]} columns, the memory holds "
                             f"{len(self.memory)} tracks; score detections against recall() in each frame")
        return logits.float()
