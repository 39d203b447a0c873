"""The backbone of STMask: a ResNet with deformable blocks at an interval, under Yolact's FPN."""

from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY

from vis_projects.modeling.bilinear_fpn import BilinearFPN
from vis_projects.modeling.deform_resnet import deform_resnet


@BACKBONE_REGISTRY.register()
def build_stmask_resnet_fpn_backbone(cfg: CfgNode, input_shape: ShapeSpec) -> BilinearFPN:
    """P3 to P7 of ``MODEL.FPN.OUT_CHANNELS``; ``MODEL.FPN.IN_FEATURES`` are res3, res4 and res5."""
    node = cfg.MODEL.STMASK
    bottom_up = deform_resnet(cfg, input_shape, node.DCN_INTERVAL, node.DCN_STAGES)
    return BilinearFPN(bottom_up, cfg.MODEL.FPN.IN_FEATURES, cfg.MODEL.FPN.OUT_CHANNELS, norm=cfg.MODEL.FPN.NORM)
