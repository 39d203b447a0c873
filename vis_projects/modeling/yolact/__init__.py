"""Yolact: box coding, prototypes, masks from coefficients, and NMS."""

from vis_projects.modeling.yolact.boxes import (
    center_form,
    corner_form,
    decode_boxes,
    encode_boxes,
    enlarge_boxes,
    paired_diou,
    size_factor,
    table_iou,
)
from vis_projects.modeling.yolact.init import xavier_init
from vis_projects.modeling.yolact.masks import assemble_masks, crop_masks, cropped_mask_loss
from vis_projects.modeling.yolact.nms import cross_class_fast_nms, per_class_fast_nms
from vis_projects.modeling.yolact.protonet import ProtoNet

__all__ = [
    "ProtoNet", "assemble_masks", "center_form", "corner_form", "cropped_mask_loss", "crop_masks",
    "cross_class_fast_nms", "decode_boxes", "encode_boxes", "enlarge_boxes", "paired_diou", "per_class_fast_nms",
    "size_factor", "table_iou", "xavier_init",
]
