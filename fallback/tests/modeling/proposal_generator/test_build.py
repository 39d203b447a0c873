"""Tests of `detectron2.modeling.proposal_generator.build`."""

import pytest

from detectron2.modeling import build_backbone, build_proposal_generator
from detectron2.modeling.proposal_generator import RPN


def test_precomputed_proposals_need_no_generator(cfg):
    cfg.MODEL.PROPOSAL_GENERATOR.NAME = "PrecomputedProposals"
    assert build_proposal_generator(cfg, {}) is None


def test_unknown_names_are_refused(cfg):
    cfg.MODEL.PROPOSAL_GENERATOR.NAME = "NoSuchGenerator"
    with pytest.raises(KeyError):
        build_proposal_generator(cfg, {})


def test_rpn_follows_the_config(cfg):
    cfg.MODEL.RPN.LOSS_WEIGHT = 0.5
    cfg.MODEL.RPN.BBOX_REG_LOSS_WEIGHT = 3.0
    cfg.MODEL.RPN.CONV_DIMS = [8, -1]
    rpn = build_proposal_generator(cfg, build_backbone(cfg).output_shape())
    assert isinstance(rpn, RPN)
    assert rpn.loss_weight == {"loss_rpn_cls": 0.5, "loss_rpn_loc": 1.5}
    assert rpn.pre_nms_topk == {True: 12000, False: 6000} and rpn.post_nms_topk == {True: 50, False: 20}
    assert list(rpn.state_dict())[::2] == [f"rpn_head.{name}.weight" for name in (
        "conv.conv0", "conv.conv1", "objectness_logits", "anchor_deltas")]
