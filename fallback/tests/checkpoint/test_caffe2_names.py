"""Names and background class of the first Detectron's weights."""

import numpy as np
import pytest
import torch
from detectron2.checkpoint.c2_model_loading import align_and_update_state_dicts, convert_c2_detectron_names

NAMES = {
    "conv1_w": "stem.conv1.weight",
    "res_conv1_bn_s": "stem.conv1.norm.weight",
    "conv1_gn_s": "stem.conv1.norm.weight",
    "res2_0_branch1_bn_s": "res2.0.shortcut.norm.weight",
    "res2_0_branch2a_w": "res2.0.conv1.weight",
    "res2_0_branch2b_bn_rm": "res2.0.conv2.norm.running_mean",
    "res4_22_branch2c_bn_riv": "res4.22.conv3.norm.running_var",
    "fc6_w": "box_head.fc1.weight",
    "fc7_b": "box_head.fc2.bias",
    "conv_rpn_w": "proposal_generator.rpn_head.conv.weight",
    "rpn_cls_logits_fpn2_w": "proposal_generator.rpn_head.objectness_logits.weight",
    "rpn_bbox_pred_b": "proposal_generator.rpn_head.anchor_deltas.bias",
    "fpn_inner_res5_2_sum_w": "fpn_lateral5.weight",
    "fpn_inner_res4_22_sum_lateral_b": "fpn_lateral4.bias",
    "fpn_res3_3_sum_gn_b": "fpn_output3.norm.bias",
    "_[mask]_fcn1_w": "mask_head.mask_fcn1.weight",
    "_mask_fcn2_gn_s": "mask_head.mask_fcn2.norm.weight",
    "conv5_mask_b": "mask_head.deconv.bias",
    "head_conv1_w": "box_head.conv1.weight",
    "kps_score_lowres_w": "roi_heads.keypoint_head.score_lowres.weight",
    "pred_b": "linear.bias",
    "fc1000_w": "fc1000.weight",
}


@pytest.mark.parametrize("blob", NAMES)
def test_name(blob):
    renamed, origins = convert_c2_detectron_names({blob: torch.zeros(8)})
    assert list(renamed) == [NAMES[blob]] and origins == {NAMES[blob]: blob}


def test_background_class_moves_or_leaves():
    renamed, _ = convert_c2_detectron_names(
        {
            "cls_score_w": torch.arange(6.0).reshape(3, 2),
            "bbox_pred_b": torch.arange(8.0),
            "mask_fcn_logits_b": torch.arange(3.0),
        }
    )
    assert renamed["cls_score.weight"].tolist() == [[2, 3], [4, 5], [0, 1]]  # background first -> last
    assert renamed["bbox_pred.bias"].tolist() == [4, 5, 6, 7]
    assert renamed["mask_head.predictor.bias"].tolist() == [1, 2]


def test_longest_suffix_wins_and_the_rest_passes_through():
    model = {"x.b.weight": torch.zeros(2), "x.b.bias": torch.zeros(2), "weight": torch.zeros(1)}
    checkpoint = {"b.weight": torch.ones(2), "weight": torch.ones(1), "other": torch.ones(3)}
    aligned = align_and_update_state_dicts(model, checkpoint, c2_conversion=False)
    assert {key: tuple(value.shape) for key, value in aligned.items()} == {
        "x.b.weight": (2,), "weight": (1,), "other": (3,)
    }
    assert np.array_equal(aligned["x.b.weight"], np.ones(2))
