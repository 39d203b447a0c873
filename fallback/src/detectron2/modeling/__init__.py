"""Models: backbones, proposal generators, ROI heads and the detectors built of them."""

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.layers import ShapeSpec

from .anchor_generator import ANCHOR_GENERATOR_REGISTRY, build_anchor_generator
from .backbone import (
    BACKBONE_REGISTRY,
    FPN,
    Backbone,
    ResNet,
    ResNetBlockBase,
    build_backbone,
    build_resnet_backbone,
    make_stage,
)
from .meta_arch import META_ARCH_REGISTRY, GeneralizedRCNN, ProposalNetwork, RetinaNet, build_model
from .postprocessing import detector_postprocess
from .proposal_generator import PROPOSAL_GENERATOR_REGISTRY, RPN_HEAD_REGISTRY, build_proposal_generator, build_rpn_head
from .roi_heads import (
    ROI_BOX_HEAD_REGISTRY,
    ROI_HEADS_REGISTRY,
    ROI_MASK_HEAD_REGISTRY,
    BaseMaskRCNNHead,
    FastRCNNOutputLayers,
    ROIHeads,
    StandardROIHeads,
    build_box_head,
    build_mask_head,
    build_roi_heads,
)

__getattr__ = placeholder_getattr(
    __name__,
    (
        "BaseKeypointRCNNHead",
        "DatasetMapperTTA",
        "FCOS",
        "GeneralizedRCNNWithTTA",
        "MMDetBackbone",
        "MMDetDetector",
        "MViT",
        "PanopticFPN",
        "ROI_KEYPOINT_HEAD_REGISTRY",
        "SEM_SEG_HEADS_REGISTRY",
        "SemanticSegmentor",
        "SimpleFeaturePyramid",
        "SwinTransformer",
        "ViT",
        "build_keypoint_head",
        "build_sem_seg_head",
        "get_vit_lr_decay_rate",
    ),
)
__all__ = [
    "ANCHOR_GENERATOR_REGISTRY",
    "BACKBONE_REGISTRY",
    "Backbone",
    "BaseMaskRCNNHead",
    "FPN",
    "FastRCNNOutputLayers",
    "GeneralizedRCNN",
    "META_ARCH_REGISTRY",
    "PROPOSAL_GENERATOR_REGISTRY",
    "ProposalNetwork",
    "ROIHeads",
    "ROI_BOX_HEAD_REGISTRY",
    "ROI_HEADS_REGISTRY",
    "ROI_MASK_HEAD_REGISTRY",
    "RPN_HEAD_REGISTRY",
    "ResNet",
    "ResNetBlockBase",
    "RetinaNet",
    "ShapeSpec",
    "StandardROIHeads",
    "build_anchor_generator",
    "build_backbone",
    "build_box_head",
    "build_mask_head",
    "build_model",
    "build_proposal_generator",
    "build_resnet_backbone",
    "build_roi_heads",
    "build_rpn_head",
    "detector_postprocess",
    "make_stage",
]
