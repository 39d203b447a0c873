"""STMask: Spatial Feature Calibration and Temporal Fusion for Effective One-stage Video Instance Segmentation."""

from vis_projects.methods.stmask.backbone import build_stmask_resnet_fpn_backbone
from vis_projects.methods.stmask.config import add_stmask_config
from vis_projects.methods.stmask.head import PredictionHead
from vis_projects.methods.stmask.mapper import STMaskMapper
from vis_projects.methods.stmask.meta_arch import STMask
from vis_projects.methods.stmask.temporal import TemporalNet
from vis_projects.methods.stmask.tracker import STMaskTracker
from vis_projects.methods.stmask.weights import stmask

__all__ = [
    "PredictionHead", "STMask", "STMaskMapper", "STMaskTracker", "TemporalNet", "add_stmask_config",
    "build_stmask_resnet_fpn_backbone", "stmask",
]
