"""Tests of `detectron2.modeling.roi_heads.mask_head`."""

import math

import pytest
import torch

from detectron2.layers import ShapeSpec
from detectron2.modeling import build_mask_head
from detectron2.modeling.roi_heads import BaseMaskRCNNHead, MaskRCNNConvUpsampleHead
from detectron2.modeling.roi_heads.mask_head import mask_rcnn_inference, mask_rcnn_loss
from detectron2.structures import BitMasks, Boxes, Instances


def labelled(classes):
    """Instances on 4 x 4 images whose masks fill the left half of their box."""
    count = len(classes)
    masks = torch.zeros(count, 4, 4, dtype=torch.bool)
    masks[:, :, :2] = True
    return Instances((4, 4), proposal_boxes=Boxes(torch.tensor([[0.0, 0, 4, 4]] * count).reshape(-1, 4)),
                     gt_classes=torch.tensor(classes, dtype=torch.int64), gt_masks=BitMasks(masks))


def test_no_instances(storage):
    logits = torch.zeros(0, 3, 4, 4, requires_grad=True)
    loss = mask_rcnn_loss(logits, [labelled([])])
    assert loss.item() == 0 and loss.requires_grad and storage.latest() == {}
    empty = Instances((4, 4), pred_classes=torch.zeros(0, dtype=torch.int64))
    mask_rcnn_inference(torch.zeros(0, 3, 4, 4), [empty])
    assert empty.pred_masks.shape == (0, 1, 4, 4)


def test_loss_looks_at_the_true_class(storage):
    logits = torch.full((2, 3, 4, 4), 50.0)
    logits[0, 1] = 0.0
    logits[1, 2] = 0.0
    assert mask_rcnn_loss(logits, [labelled([1]), labelled([2])]).item() == pytest.approx(math.log(2))


def test_logged_pixels(storage):
    # Everything is called foreground; half of the pixels are.
    loss = mask_rcnn_loss(torch.full((1, 1, 4, 4), 2.0), [labelled([7])])
    logged = {name: value for name, (value, _) in storage.latest().items()}
    assert logged == {"mask_rcnn/accuracy": 0.5, "mask_rcnn/false_positive": 1.0, "mask_rcnn/false_negative": 0.0}
    # Half of the pixels cost log(1 + e^-2), half log(1 + e^2).
    assert loss.item() == pytest.approx((math.log1p(math.exp(-2)) + math.log1p(math.exp(2))) / 2)


def test_pictures_are_stored_on_request(storage):
    mask_rcnn_loss(torch.zeros(2, 1, 4, 4), [labelled([0, 0])], vis_period=1)
    assert [tuple(image.shape) for _, image, _ in storage._vis_data] == [(3, 4, 8)] * 2


def test_inference_sets_the_predicted_class_probability():
    logits = torch.zeros(3, 2, 2, 2)
    logits[0, 1] = 100.0
    logits[2, 0] = -100.0
    first = Instances((4, 4), pred_classes=torch.tensor([1, 1]))
    second = Instances((4, 4), pred_classes=torch.tensor([0]))
    mask_rcnn_inference(logits, [first, second])
    assert first.pred_masks.shape == (2, 1, 2, 2)
    assert first.pred_masks.mean(dim=(1, 2, 3)).tolist() == [1.0, 0.5]
    assert second.pred_masks.unique().tolist() == [0.0]


def test_layers_of_the_head():
    head = MaskRCNNConvUpsampleHead(ShapeSpec(channels=3), num_classes=5, conv_dims=[32, 8], conv_norm="GN")
    assert list(head.state_dict()) == ["mask_fcn1.weight", "mask_fcn1.norm.weight", "mask_fcn1.norm.bias",
                                       "deconv.weight", "deconv.bias", "predictor.weight", "predictor.bias"]
    assert head.layers(torch.zeros(2, 3, 7, 7)).shape == (2, 5, 14, 14)
    with pytest.raises(AssertionError):
        MaskRCNNConvUpsampleHead(ShapeSpec(channels=3), num_classes=5, conv_dims=[])


def test_a_subclass_brings_only_its_layers(storage):
    class Constant(BaseMaskRCNNHead):
        def layers(self, x):
            return x

    head = Constant(loss_weight=3.0)
    losses = head(torch.zeros(1, 1, 4, 4), [labelled([0])])
    assert losses["loss_mask"].item() == pytest.approx(3 * math.log(2))
    instances = [Instances((4, 4), pred_classes=torch.tensor([0]))]
    assert head.eval()(torch.zeros(1, 1, 4, 4), instances) is instances
    with pytest.raises(NotImplementedError):
        BaseMaskRCNNHead()(torch.zeros(1, 1, 4, 4), instances)


def test_built_from_a_config(cfg):
    head = build_mask_head(cfg, ShapeSpec(channels=3))
    assert head.predictor.out_channels == 3 and head.deconv.out_channels == 16 and head.vis_period == 0
    cfg.MODEL.ROI_MASK_HEAD.CLS_AGNOSTIC_MASK = True
    assert build_mask_head(cfg, ShapeSpec(channels=3)).predictor.out_channels == 1
