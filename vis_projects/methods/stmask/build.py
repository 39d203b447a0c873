"""Makes the parts of STMask from ``MODEL.STMASK``."""

from typing import Any

from detectron2.config import CfgNode
from detectron2.modeling import Backbone

from vis_projects.methods.stmask.anchors import anchor_shapes
from vis_projects.methods.stmask.criterion import Criterion
from vis_projects.methods.stmask.head import PredictionHead
from vis_projects.methods.stmask.matching import AnchorMatcher
from vis_projects.methods.stmask.selection import DetectionSelector
from vis_projects.methods.stmask.temporal import TemporalNet
from vis_projects.modeling.yolact import ProtoNet


def stmask_parts(cfg: CfgNode, backbone: Backbone) -> dict[str, Any]:
    """Arguments of `STMask` that the config decides, without those of `OnlineVISModel`.

    Raises:
        ValueError: levels of different width, or a level that the backbone lacks.
    """
    node = cfg.MODEL.STMASK
    shapes = backbone.output_shape()
    for key, level in (("PROTO.SRC", node.PROTO.SRC), ("TF.LEVEL", node.TF.LEVEL)):
        if level not in shapes:
            raise ValueError(f"MODEL.STMASK.{key} is {level!r}; the backbone gives {sorted(shapes)}")
    widths = {shape.channels for shape in shapes.values()}
    if len(widths) != 1:
        raise ValueError(f"the levels of the backbone have {sorted(widths)} channels; the head needs one number")
    width = widths.pop()
    variances = tuple(node.ANCHOR.BOX_VARIANCES)
    kernels = tuple(tuple(kernel) for kernel in node.FCA.KERNELS)
    return {
        "proto_net": ProtoNet(width, node.PROTO.DIM, node.PROTO.CHANNELS),
        "head": PredictionHead(
            in_channels=width, num_classes=cfg.MODEL.VIS.NUM_CLASSES or node.NUM_CLASSES,
            num_prototypes=node.PROTO.DIM, embed_dim=node.HEAD.EMBED_DIM, kernels=kernels,
            shapes=anchor_shapes(kernels, node.ANCHOR.MODE, node.ANCHOR.RATIOS, node.ANCHOR.SCALES_PER_KERNEL),
            tower_convs=node.HEAD.TOWER_CONVS, centerness=node.HEAD.CENTERNESS,
            centerness_order=node.HEAD.CENTERNESS_ORDER, fcb_type=node.FCB.TYPE, fcb_branches=node.FCB.BRANCHES,
            variances=variances,
        ),
        "temporal_net": _temporal_net(cfg, width, variances) if node.TF.ENABLED else None,
        "criterion": _criterion(node, variances),
        "selector": _selector(node.TEST),
        "levels": tuple(shapes),
        "proto_level": node.PROTO.SRC,
        "temporal_level": node.TF.LEVEL,
        "box_variances": variances,
    }


def _temporal_net(cfg: CfgNode, width: int, variances: tuple[float, ...]) -> TemporalNet:
    node = cfg.MODEL.STMASK.TF
    return TemporalNet(
        in_channels=width, num_prototypes=cfg.MODEL.STMASK.PROTO.DIM, patch=node.PATCH, dilation=node.DILATION,
        roi_size=node.ROI, box_expand=node.BOX_EXPAND, conv_dims=tuple(node.CONV_DIMS), variances=variances,
    )


def _criterion(node: CfgNode, variances: tuple[float, ...]) -> Criterion:
    loss, matcher = node.LOSS, node.MATCHER
    return Criterion(
        matcher=AnchorMatcher(
            positive=matcher.POS, negative=matcher.NEG, multi_gt_neutral=matcher.MULTI_GT_NEUTRAL,
            class_aware=matcher.CLASS_AWARE,
        ),
        weights={"loss_cls": loss.CLS, "loss_box": loss.BOX, "loss_mask": loss.MASK, "loss_center": loss.CENTER,
                 "loss_track": loss.TRACK, "loss_box_shift": loss.BOX_SHIFT, "loss_mask_shift": loss.MASK_SHIFT},
        box_type=loss.BOX_TYPE, mask_crop=loss.MASK_CROP, detach_center_target=loss.DETACH_CENTER_TARGET,
        ohem_ratio=loss.OHEM_RATIO, ohem_weight_order=loss.OHEM_WEIGHT_ORDER,
        shift_mask_loss=node.TF.SHIFT_MASK_LOSS, box_variances=variances,
    )


def _selector(test: CfgNode) -> DetectionSelector:
    return DetectionSelector(
        score_threshold=test.SCORE_THRESH, kind=test.NMS, iou_threshold=test.NMS_IOU, topk=test.TOPK,
        max_dets=test.MAX_DETS, max_dets_cross_class=test.MAX_DETS_CROSS_CLASS,
    )
