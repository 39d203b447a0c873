"""Whole models, found by MODEL.META_ARCHITECTURE."""

from detectron2._impl.placeholders import placeholder_getattr

from .build import META_ARCH_REGISTRY, build_model
from .dense_detector import DenseDetector
from .rcnn import GeneralizedRCNN, ProposalNetwork
from .retinanet import RetinaNet

__getattr__ = placeholder_getattr(
    __name__, ("FCOS", "PanopticFPN", "SEM_SEG_HEADS_REGISTRY", "SemanticSegmentor", "build_sem_seg_head")
)
__all__ = [
    "DenseDetector",
    "GeneralizedRCNN",
    "META_ARCH_REGISTRY",
    "ProposalNetwork",
    "RetinaNet",
    "build_model",
]
