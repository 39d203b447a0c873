"""FPN with two levels above P5 that are made from P5, as FCOS and CondInst have it, on ResNet and DLA-34."""

from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY, Backbone
from detectron2.modeling.backbone import FPN, build_resnet_backbone
from detectron2.modeling.backbone.fpn import LastLevelP6P7

from vis_projects.modeling.dla import build_dla_backbone


@BACKBONE_REGISTRY.register()
def build_fcos_resnet_fpn_backbone(cfg: CfgNode, input_shape: ShapeSpec) -> FPN:
    """ResNet with FPN. `MODEL.FPN.IN_FEATURES` are res3, res4 and res5: there is no P2."""
    return fpn_with_top(cfg, build_resnet_backbone(cfg, input_shape))


@BACKBONE_REGISTRY.register()
def build_fcos_dla_fpn_backbone(cfg: CfgNode, input_shape: ShapeSpec) -> FPN:
    """DLA-34 with FPN. `MODEL.FPN.IN_FEATURES` are level3, level4 and level5."""
    return fpn_with_top(cfg, build_dla_backbone(cfg, input_shape))


def fpn_with_top(cfg: CfgNode, bottom_up: Backbone) -> FPN:
    """FPN; P6 is a strided convolution of P5, P7 one of ReLU(P6).

    P6 and P7 are left out where `MODEL.FCOS.IN_FEATURES` does not name them.
    """
    width = cfg.MODEL.FPN.OUT_CHANNELS
    wanted = {"p6", "p7"} & set(cfg.MODEL.FCOS.IN_FEATURES)
    return FPN(
        bottom_up=bottom_up,
        in_features=cfg.MODEL.FPN.IN_FEATURES,
        out_channels=width,
        norm=cfg.MODEL.FPN.NORM,
        top_block=LastLevelP6P7(width, width, in_feature="p5") if wanted else None,
        fuse_type=cfg.MODEL.FPN.FUSE_TYPE,
    )
