"""Backbones: networks that turn images into named feature maps."""

from detectron2._impl.placeholders import placeholder_getattr

from .backbone import Backbone
from .build import BACKBONE_REGISTRY, build_backbone
from .fpn import FPN
from .resnet import BasicStem, BottleneckBlock, ResNet, ResNetBlockBase, build_resnet_backbone, make_stage

__getattr__ = placeholder_getattr(
    __name__, ("MViT", "RegNet", "SimpleFeaturePyramid", "SwinTransformer", "ViT", "get_vit_lr_decay_rate")
)
__all__ = [
    "BACKBONE_REGISTRY",
    "Backbone",
    "BasicStem",
    "BottleneckBlock",
    "FPN",
    "ResNet",
    "ResNetBlockBase",
    "build_backbone",
    "build_resnet_backbone",
    "make_stage",
]
