"""Tests of `detectron2.modeling.meta_arch.retinanet`."""

import math

import pytest
import torch

from detectron2.layers import ShapeSpec
from detectron2.modeling import RetinaNet, build_model
from detectron2.modeling.meta_arch.retinanet import RetinaNetHead
from detectron2.structures import Boxes, Instances


@pytest.fixture
def model(cfg):
    cfg.MODEL.META_ARCHITECTURE = "RetinaNet"
    cfg.MODEL.BACKBONE.NAME = "build_retinanet_resnet_fpn_backbone"
    cfg.MODEL.FPN.IN_FEATURES = ["res3", "res4", "res5"]
    cfg.MODEL.RETINANET.NUM_CLASSES = 3
    cfg.MODEL.RETINANET.NUM_CONVS = 1
    torch.manual_seed(0)
    return build_model(cfg)


def test_images_without_truth(model, make_inputs, storage):
    losses = model(make_inputs(0, 0))
    assert list(losses) == ["loss_cls", "loss_box_reg"] and losses["loss_box_reg"].item() == 0
    # The moving average starts at 100 and a batch without positives counts as 1.
    assert model.loss_normalizer == pytest.approx(0.9 * 100 + 0.1 * 1)
    assert storage.latest()["num_pos_anchors"][0] == 0


def test_a_step_of_training(model, make_inputs, storage):
    losses = model(make_inputs(2, 1))
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values()) and storage.latest()["num_pos_anchors"][0] > 0
    with pytest.raises(AssertionError):
        model([{"image": make_inputs(0)[0]["image"]}])


def test_results(model, make_inputs):
    model.test_score_thresh = 0.0
    inputs = make_inputs(0)
    inputs[0]["height"] = 128
    with torch.no_grad():
        found = model.eval()(inputs)[0]["instances"]
    assert isinstance(model, RetinaNet) and found.image_size == (128, 96) and 0 < len(found) <= 100
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)


def test_labels(model, make_truth):
    anchors = [Boxes(torch.tensor([[4.0, 8, 40, 50], [0.0, 0, 5, 5], [4.0, 8, 40, 28.5]]))]
    labels, boxes = model.label_anchors(anchors, [make_truth([(4, 8, 40, 50)], [1]), make_truth([], [])])
    # The last anchor covers 20.5 / 42 of the object: between the thresholds 0.4 and 0.5.
    assert labels[0].tolist() == [1, 3, -1] and labels[1].tolist() == [3, 3, 3]
    assert boxes[0][0].tolist() == [4, 8, 40, 50] and not boxes[1].any()


def test_head_starts_with_the_prior():
    head = RetinaNetHead(input_shape=[ShapeSpec(channels=4)] * 2, num_classes=2, num_anchors=3, conv_dims=[5],
                         prior_prob=0.25)
    # log((1 - 1/4) / (1/4)) = log 3.
    assert head.cls_score.bias.tolist() == pytest.approx([-math.log(3)] * 6)
    logits, deltas = head([torch.zeros(1, 4, 2, 3), torch.zeros(1, 4, 1, 1)])
    assert logits[0].shape == (1, 6, 2, 3) and deltas[1].shape == (1, 12, 1, 1)


def test_batch_norm_keeps_statistics_for_each_level():
    head = RetinaNetHead(input_shape=[ShapeSpec(channels=4)] * 2, num_classes=2, num_anchors=1, conv_dims=[5],
                         norm="BN")
    names = [name for name in head.state_dict() if name.startswith("cls_subnet.1.")]
    assert names[:3] == ["cls_subnet.1.weight", "cls_subnet.1.bias", "cls_subnet.1.0.running_mean"] and len(names) == 8
    head([torch.ones(1, 4, 3, 3), torch.zeros(1, 4, 3, 3)])
    head([torch.ones(1, 4, 3, 3), torch.zeros(1, 4, 3, 3)])
    assert [int(head.cls_subnet[1][level].num_batches_tracked) for level in (0, 1)] == [2, 2]


def test_pictures_of_results(model, make_inputs, storage):
    inputs = make_inputs(1)
    results = [Instances((128, 96), pred_boxes=Boxes(torch.tensor([[0.0, 0, 50, 100]])), scores=torch.ones(1),
                         pred_classes=torch.zeros(1, dtype=torch.int64))]
    model.visualize_training(inputs, results)
    ((_, image, _),) = storage._vis_data
    # The image twice, one above the other.
    assert image.shape == (3, 2 * 64, 96) and image.dtype.name == "uint8"
