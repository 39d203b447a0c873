"""CompFeat: Comprehensive Feature Aggregation for Video Instance Segmentation."""

from vis_projects.methods.compfeat.config import add_compfeat_config
from vis_projects.methods.compfeat.correlation_track_head import CorrelationTrackHead
from vis_projects.methods.compfeat.frame_attention import FrameAttention
from vis_projects.methods.compfeat.heads import CompFeatROIHeads
from vis_projects.methods.compfeat.mapper import CompFeatMapper
from vis_projects.methods.compfeat.meta_arch import CompFeat
from vis_projects.methods.compfeat.object_attention import ObjectAttention
from vis_projects.methods.compfeat.split_fpn import build_split_resnet_fpn_backbone
from vis_projects.methods.compfeat.tracker import CompFeatTracker

__all__ = [
    "CompFeat", "CompFeatMapper", "CompFeatROIHeads", "CompFeatTracker", "CorrelationTrackHead", "FrameAttention",
    "ObjectAttention", "add_compfeat_config", "build_split_resnet_fpn_backbone",
]
