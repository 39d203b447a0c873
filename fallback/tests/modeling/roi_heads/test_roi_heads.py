"""Tests of `detectron2.modeling.roi_heads.roi_heads`."""

import pytest
import torch

from detectron2.layers import ShapeSpec
from detectron2.modeling import ROI_HEADS_REGISTRY, ROIHeads, StandardROIHeads, build_roi_heads
from detectron2.modeling.matcher import Matcher
from detectron2.modeling.roi_heads import Res5ROIHeads, select_foreground_proposals
from detectron2.structures import Boxes, ImageList, Instances

SHAPES = {f"p{i}": ShapeSpec(channels=32, stride=2**i) for i in range(2, 7)}


def candidates(*boxes):
    return Instances((64, 96), proposal_boxes=Boxes(torch.tensor(boxes).reshape(-1, 4)),
                     objectness_logits=torch.zeros(len(boxes)))


def base(**change):
    arguments = {"num_classes": 3, "batch_size_per_image": 4, "positive_fraction": 0.5,
                 "proposal_matcher": Matcher([0.5], [0, 1])}
    return ROIHeads(**{**arguments, **change})


@pytest.fixture
def features():
    torch.manual_seed(0)
    return {name: torch.rand(1, 32, 64 // s.stride, 96 // s.stride) for name, s in SHAPES.items()}


IMAGES = ImageList(torch.zeros(1, 3, 64, 96), [(64, 96)])


def test_images_without_truth_give_background(make_truth, storage):
    (drawn,) = base().label_and_sample_proposals([candidates([0.0, 0, 9, 9])], [make_truth([], [])])
    assert drawn.gt_classes.tolist() == [3] and not drawn.has("gt_boxes")
    logged = {name: value for name, (value, _) in storage.latest().items()}
    assert logged == {"roi_head/num_fg_samples": 0.0, "roi_head/num_bg_samples": 1.0}


def test_truth_joins_the_proposals_and_lends_its_fields(make_truth, storage):
    truth = make_truth([(4, 8, 40, 50)], [2])
    truth.gt_ids = torch.tensor([77])
    truth.note = torch.tensor([5])
    (drawn,) = base().label_and_sample_proposals([candidates([60.0, 0, 90, 30])], [truth])
    assert drawn.gt_classes.tolist() == [2, 3] and drawn.gt_ids.tolist() == [77, 77]
    assert drawn.proposal_boxes.tensor[0].tolist() == [4, 8, 40, 50] and not drawn.has("note")
    (alone,) = base(proposal_append_gt=False).label_and_sample_proposals([candidates([60.0, 0, 90, 30])], [truth])
    assert len(alone) == 1


def test_foreground_has_a_quota(make_truth, storage):
    box = [4.0, 8, 40, 50]
    (drawn,) = base().label_and_sample_proposals([candidates(box, box, box, [0.0, 0, 3, 3])],
                                                 [make_truth([(4, 8, 40, 50)], [0])])
    assert drawn.gt_classes.tolist() == [0, 0, 3]


def test_only_foreground_is_selected():
    first, second = candidates([0.0, 0, 1, 1], [0.0, 0, 2, 2], [0.0, 0, 3, 3]), candidates()
    first.gt_classes, second.gt_classes = torch.tensor([3, 1, -1]), torch.zeros(0, dtype=torch.int64)
    kept, masks = select_foreground_proposals([first, second], 3)
    assert [len(k) for k in kept] == [1, 0] and masks[0].tolist() == [False, True, False]
    with pytest.raises(AssertionError):
        select_foreground_proposals([candidates([0.0, 0, 1, 1])], 3)


def test_standard_heads_in_training(cfg, make_truth, features, storage):
    heads = build_roi_heads(cfg, SHAPES)
    assert [name for name, _ in heads.named_children()] == [
        "box_pooler", "box_head", "box_predictor", "mask_pooler", "mask_head"]
    with pytest.raises(AssertionError):
        heads(IMAGES, features, [candidates()])
    drawn, losses = heads(IMAGES, features, [candidates()], [make_truth([(4, 8, 40, 50)], [1])])
    assert list(losses) == ["loss_cls", "loss_box_reg", "loss_mask"] and len(drawn[0]) == 1
    _, losses = heads(IMAGES, features, [candidates([0.0, 0, 9, 9])], [make_truth([], [])])
    assert losses["loss_mask"].item() == 0 and losses["loss_box_reg"].item() == 0


def test_standard_heads_in_testing(cfg, features):
    heads = build_roi_heads(cfg, SHAPES).eval()
    found, losses = heads(IMAGES, features, [candidates([4.0, 8, 40, 50])])
    assert losses == {} and set(found[0].get_fields()) == {"pred_boxes", "scores", "pred_classes", "pred_masks"}
    assert len(found[0]) == 3 and found[0].pred_masks.shape == (3, 1, 28, 28)
    nothing, _ = heads(IMAGES, features, [candidates()])
    assert len(nothing[0]) == 0 and nothing[0].pred_masks.shape == (0, 1, 28, 28)


def test_masks_of_given_boxes(cfg, features):
    heads = build_roi_heads(cfg, SHAPES).eval()
    given = Instances((64, 96), pred_boxes=Boxes(torch.tensor([[4.0, 8, 40, 50]])), pred_classes=torch.tensor([2]))
    (found,) = heads.forward_with_given_boxes(features, [given])
    assert found.pred_masks.shape == (1, 1, 28, 28)
    with pytest.raises(AssertionError):
        heads.train().forward_with_given_boxes(features, [given])


def test_training_on_predicted_boxes(cfg, make_truth, features, storage):
    cfg.MODEL.ROI_BOX_HEAD.TRAIN_ON_PRED_BOXES = True
    heads = build_roi_heads(cfg, SHAPES)
    torch.nn.init.constant_(heads.box_predictor.bbox_pred.bias, 1.0)
    drawn, _ = heads(IMAGES, features, [candidates()], [make_truth([(4, 8, 40, 50)], [1])])
    assert drawn[0].proposal_boxes.tensor[0].tolist() != [4, 8, 40, 50]
    assert not drawn[0].proposal_boxes.tensor.requires_grad


def test_without_masks(cfg, features):
    cfg.MODEL.MASK_ON = False
    heads = build_roi_heads(cfg, SHAPES).eval()
    assert not heads.mask_on and not hasattr(heads, "mask_head")
    assert not heads(IMAGES, features, [candidates([4.0, 8, 40, 50])])[0][0].has("pred_masks")


def test_branches_are_extension_points(cfg):
    class Wider(StandardROIHeads):
        @classmethod
        def _init_box_head(cls, cfg, input_shape):
            branch = super()._init_box_head(cfg, input_shape)
            branch["box_predictor"] = torch.nn.Identity()
            return branch

    heads = Wider(cfg, SHAPES)
    assert isinstance(heads.box_predictor, torch.nn.Identity)


def test_the_base_cannot_run():
    with pytest.raises(NotImplementedError):
        base()(IMAGES, {}, [])


def test_maps_must_be_equally_wide(cfg):
    shapes = {**SHAPES, "p5": ShapeSpec(channels=8, stride=32)}
    with pytest.raises(AssertionError):
        build_roi_heads(cfg, shapes)


def test_shared_stage_heads(cfg, make_truth, storage):
    cfg.MODEL.ROI_HEADS.NAME = "Res5ROIHeads"
    cfg.MODEL.ROI_HEADS.IN_FEATURES = ["res4"]
    cfg.MODEL.RESNETS.RES2_OUT_CHANNELS = 16
    cfg.MODEL.RESNETS.WIDTH_PER_GROUP = 4
    heads = build_roi_heads(cfg, {"res4": ShapeSpec(channels=64, stride=16)})
    assert isinstance(heads, Res5ROIHeads) and "Res5ROIHeads" in ROI_HEADS_REGISTRY
    assert [name for name, _ in heads.named_children()] == ["pooler", "res5", "box_predictor", "mask_head"]
    maps = {"res4": torch.rand(1, 64, 4, 6)}
    _, losses = heads(IMAGES, maps, [candidates([60.0, 0, 90, 30])], [make_truth([(4, 8, 40, 50)], [1])])
    assert list(losses) == ["loss_cls", "loss_box_reg", "loss_mask"]
    found, _ = heads.eval()(IMAGES, maps, [candidates([4.0, 8, 40, 50])])
    # 7 x 7 pooled, 4 x 4 after the strided stage, doubled by the mask head.
    assert found[0].pred_masks.shape[1:] == (1, 8, 8)
