"""Mask R-CNN with a track branch: what MaskTrack R-CNN and the methods that stand on it share."""

from vis_projects.modeling.track_rcnn.losses import reference_pids, track_accuracy, track_loss, with_reference_pids
from vis_projects.modeling.track_rcnn.model import TrackRCNN
from vis_projects.modeling.track_rcnn.roi_heads import TrackROIHeads
from vis_projects.modeling.track_rcnn.track_head import TrackHead

__all__ = [
    "TrackHead", "TrackRCNN", "TrackROIHeads", "reference_pids", "track_accuracy", "track_loss",
    "with_reference_pids",
]
