"""From the names of the published MaskTrack R-CNN checkpoint, which are those of mmdetection 0.5, to those here."""

import re

import torch
from torch import Tensor

from vis_projects.modeling.weight_formats import COUNTER, WEIGHT_FORMATS, Weights, bottom_up_name

BOX = "roi_heads.box_predictor"
# start of a name -> start here
STARTS = {
    "rpn_head.rpn_conv.": "proposal_generator.rpn_head.conv.",
    "rpn_head.rpn_cls.": "proposal_generator.rpn_head.objectness_logits.",
    "rpn_head.rpn_reg.": "proposal_generator.rpn_head.anchor_deltas.",
    "bbox_head.fc_cls.": f"{BOX}.cls_score.",
    "bbox_head.fc_reg.": f"{BOX}.bbox_pred.",
    "mask_head.upsample.": "roi_heads.mask_head.deconv.",
    "mask_head.conv_logits.": "roi_heads.mask_head.predictor.",
    "track_head.fcs.": "roi_heads.track_head.fcs.",
}
# pattern of a number and of the rest, start here, how much higher the number is here
COUNTED = (
    (r"neck\.lateral_convs\.(\d+)\.conv\.(\w+)", "backbone.fpn_lateral", 2),
    (r"neck\.fpn_convs\.(\d+)\.conv\.(\w+)", "backbone.fpn_output", 2),
    (r"bbox_head\.shared_fcs\.(\d+)\.(\w+)", "roi_heads.box_head.fc", 1),
    (r"mask_head\.convs\.(\d+)\.conv\.(\w+)", "roi_heads.mask_head.mask_fcn", 1),
)
# rows that belong to the background, which is class 0 there; a layer without classes has as many or fewer
BACKGROUND_ROWS = {"bbox_head.fc_cls": 1, "bbox_head.fc_reg": 4, "mask_head.conv_logits": 1}


@WEIGHT_FORMATS.register()
def masktrack_rcnn(weights: Weights) -> Weights:
    """MaskTrack R-CNN as published, and of a Mask R-CNN of mmdetection before 2.0 what a MaskTrack R-CNN starts from.

    The background is the first class there and the last one here; boxes and masks of it, which nothing reads, are left
    out. Counters of batch norms are left out too.
    """
    return {_renamed(name): _without_background(name, value) for name, value in weights.items()
            if not name.endswith(COUNTER)}


def _renamed(name: str) -> str:
    for pattern, start, more in COUNTED:
        found = re.fullmatch(pattern, name)
        if found:
            return f"{start}{int(found[1]) + more}.{found[2]}"
    for theirs, ours in STARTS.items():
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return bottom_up_name(name)


def _without_background(name: str, value: Tensor) -> Tensor:
    layer = name.rpartition(".")[0]
    rows = BACKGROUND_ROWS.get(layer, 0)
    if rows == 0 or value.dim() == 0 or value.shape[0] <= rows:
        return value
    foreground = value[rows:]
    return torch.cat([foreground, value[:rows]]) if layer == "bbox_head.fc_cls" else foreground
