"""MaskTrack R-CNN: Mask R-CNN with a track head and an external memory (Video Instance Segmentation)."""

from vis_projects.methods.masktrack_rcnn.anchors import WholePixelAnchorGenerator
from vis_projects.methods.masktrack_rcnn.config import add_masktrack_config
from vis_projects.methods.masktrack_rcnn.heads import MaskTrackROIHeads
from vis_projects.methods.masktrack_rcnn.mapper import MaskTrackRCNNMapper
from vis_projects.methods.masktrack_rcnn.meta_arch import MaskTrackRCNN
from vis_projects.methods.masktrack_rcnn.tracker import MaskTrackRCNNTracker
from vis_projects.methods.masktrack_rcnn.weights import masktrack_rcnn

__all__ = [
    "MaskTrackRCNN",
    "MaskTrackRCNNMapper",
    "MaskTrackRCNNTracker",
    "MaskTrackROIHeads",
    "WholePixelAnchorGenerator",
    "add_masktrack_config",
    "masktrack_rcnn",
]
