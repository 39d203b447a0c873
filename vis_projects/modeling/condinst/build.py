"""Makes the parts of a `CondInstNetwork` from ``MODEL.FCOS`` and ``MODEL.CONDINST``."""

from collections.abc import Callable
from typing import Any

from detectron2.config import CfgNode
from detectron2.modeling import Backbone
from torch import nn

from vis_projects.layers import mask_head_params
from vis_projects.modeling.condinst.mask_branch import MaskBranch
from vis_projects.modeling.condinst.mask_head import DynamicMaskHead
from vis_projects.modeling.fcos import FCOS, FCOSDecoder, FCOSHead, FCOSLosses
from vis_projects.modeling.fcos.head import init_conv


def condinst_parts(
    cfg: CfgNode, backbone: Backbone, head_class: Callable[..., FCOSHead] = FCOSHead, **head_options: Any
) -> dict[str, Any]:
    """Arguments of `CondInstNetwork` that the config decides.

    Args:
        cfg: with both sections.
        backbone: whose outputs are read.
        head_class: of the detector's head.
        head_options: of that class, beyond those of `FCOSHead`.
    """
    fcos, mask = cfg.MODEL.FCOS, cfg.MODEL.CONDINST
    shapes = backbone.output_shape()
    channels = {shapes[name].channels for name in fcos.IN_FEATURES}
    strides = tuple(shapes[name].stride for name in fcos.IN_FEATURES)
    if len(channels) != 1 or strides != tuple(fcos.STRIDES):
        raise ValueError(
            f"MODEL.FCOS.IN_FEATURES {tuple(fcos.IN_FEATURES)} have {sorted(channels)} channels and strides {strides}; "
            f"all levels need one number of channels and the strides {tuple(fcos.STRIDES)} of MODEL.FCOS.STRIDES"
        )
    width = channels.pop()
    out_channels = mask.MASK_BRANCH.OUT_CHANNELS
    controller = nn.Conv2d(width, mask_head_params(out_channels), 3, padding=1)
    init_conv(controller)
    num_classes = cfg.MODEL.VIS.NUM_CLASSES or fcos.NUM_CLASSES
    head = head_class(in_channels=width, num_classes=num_classes, num_levels=len(strides), num_convs=fcos.NUM_CONVS,
                      **head_options)
    sizes = tuple(fcos.SIZES_OF_INTEREST)
    mask_levels = mask.MASK_BRANCH.IN_FEATURES
    return {
        "proposal_generator": _fcos(cfg, head, strides, num_classes),
        "mask_branch": MaskBranch(
            in_channels=[shapes[name].channels for name in mask_levels], out_channels=out_channels,
            channels=mask.MASK_BRANCH.CHANNELS, num_convs=mask.MASK_BRANCH.NUM_CONVS, norm=mask.MASK_BRANCH.NORM,
        ),
        "controller": controller,
        "mask_head": DynamicMaskHead(
            feature_stride=shapes[mask_levels[0]].stride, out_stride=mask.MASK_OUT_STRIDE,
            sizes_of_interest=(*sizes, 2 * sizes[-1]),
        ),
        "in_features": fcos.IN_FEATURES,
        "mask_in_features": mask_levels,
        "max_proposals": mask.MAX_PROPOSALS,
    }


def _fcos(cfg: CfgNode, head: FCOSHead, strides: tuple[int, ...], num_classes: int) -> FCOS:
    node = cfg.MODEL.FCOS
    edges = (-1.0, *map(float, node.SIZES_OF_INTEREST), float("inf"))
    return FCOS(
        fcos_head=head,
        strides=strides,
        level_ranges=tuple(zip(edges, edges[1:])),
        decoder=FCOSDecoder(
            strides=strides, score_threshold=node.SCORE_THRESH_TEST,
            threshold_with_centerness=node.THRESH_WITH_CENTERNESS, pre_nms_top_k=node.PRE_NMS_TOPK_TEST,
            nms_threshold=node.NMS_THRESH_TEST, post_nms_top_k=node.POST_NMS_TOPK_TEST,
        ),
        losses=FCOSLosses(alpha=node.LOSS_ALPHA, gamma=node.LOSS_GAMMA),
        num_classes=num_classes,
        radius=node.POS_RADIUS,
        center_mode=node.CENTER_MODE,
    )
