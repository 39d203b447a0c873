"""The track head of MaskTrack R-CNN behind CompFeat's interface of track heads."""

from collections.abc import Sequence

from detectron2.structures import Boxes
from torch import Tensor

from vis_projects.methods.compfeat.track_scores import TrackScores
from vis_projects.modeling.track_rcnn import TrackHead
from vis_projects.tracking import match_logits


class DotTrackHead(TrackHead):
    """Embeds RoIs and compares embeddings by dot products; boxes and maps play no part."""

    def describe(self, rois: Tensor) -> Tensor:
        """What is compared and remembered of RoIs: (R, C, h, w) to (R, D)."""
        return self(rois)

    def score(
        self,
        looks: Sequence[Tensor],
        boxes: Sequence[Boxes],
        references: Sequence[Tensor],
        reference_boxes: Sequence[Boxes],
        features: dict[str, Tensor],
    ) -> TrackScores:
        """See `CorrelationTrackHead.score`; `looks` and `references` are those of `describe`."""
        return TrackScores([match_logits(now, then) for now, then in zip(looks, references, strict=True)])
