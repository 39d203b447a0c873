"""ROI heads: networks that classify, refine and segment single boxes."""

from detectron2._impl.placeholders import placeholder_getattr

from .box_head import ROI_BOX_HEAD_REGISTRY, FastRCNNConvFCHead, build_box_head
from .fast_rcnn import FastRCNNOutputLayers
from .mask_head import ROI_MASK_HEAD_REGISTRY, BaseMaskRCNNHead, MaskRCNNConvUpsampleHead, build_mask_head
from .roi_heads import (
    ROI_HEADS_REGISTRY,
    Res5ROIHeads,
    ROIHeads,
    StandardROIHeads,
    build_roi_heads,
    select_foreground_proposals,
)

__getattr__ = placeholder_getattr(
    __name__,
    (
        "BaseKeypointRCNNHead",
        "CascadeROIHeads",
        "KRCNNConvDeconvUpsampleHead",
        "ROI_KEYPOINT_HEAD_REGISTRY",
        "RROIHeads",
        "build_keypoint_head",
    ),
)
__all__ = [
    "BaseMaskRCNNHead",
    "FastRCNNConvFCHead",
    "FastRCNNOutputLayers",
    "MaskRCNNConvUpsampleHead",
    "ROIHeads",
    "ROI_BOX_HEAD_REGISTRY",
    "ROI_HEADS_REGISTRY",
    "ROI_MASK_HEAD_REGISTRY",
    "Res5ROIHeads",
    "StandardROIHeads",
    "build_box_head",
    "build_mask_head",
    "build_roi_heads",
    "select_foreground_proposals",
]
