"""A small Mask R-CNN config, its inputs, and an event storage for code that logs."""

import pytest
import torch

from detectron2.config import get_cfg
from detectron2.structures import BitMasks, Boxes, Instances
from detectron2.utils.events import EventStorage


@pytest.fixture
def cfg():
    """ResNet-18 with FPN, three classes, few proposals, on CPU."""
    cfg = get_cfg()
    levels = ["res2", "res3", "res4", "res5"]
    cfg.MODEL.DEVICE = "cpu"
    cfg.MODEL.MASK_ON = True
    cfg.MODEL.BACKBONE.NAME = "build_resnet_fpn_backbone"
    cfg.MODEL.RESNETS.DEPTH = 18
    cfg.MODEL.RESNETS.RES2_OUT_CHANNELS = 64
    cfg.MODEL.RESNETS.OUT_FEATURES = levels
    cfg.MODEL.FPN.IN_FEATURES = levels
    cfg.MODEL.FPN.OUT_CHANNELS = 32
    cfg.MODEL.ANCHOR_GENERATOR.SIZES = [[32], [64], [128], [256], [512]]
    cfg.MODEL.RPN.IN_FEATURES = ["p2", "p3", "p4", "p5", "p6"]
    cfg.MODEL.RPN.POST_NMS_TOPK_TRAIN = 50
    cfg.MODEL.RPN.POST_NMS_TOPK_TEST = 20
    cfg.MODEL.ROI_HEADS.NAME = "StandardROIHeads"
    cfg.MODEL.ROI_HEADS.IN_FEATURES = ["p2", "p3", "p4", "p5"]
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = 3
    cfg.MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE = 16
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.0
    cfg.MODEL.ROI_BOX_HEAD.NAME = "FastRCNNConvFCHead"
    cfg.MODEL.ROI_BOX_HEAD.NUM_FC = 1
    cfg.MODEL.ROI_BOX_HEAD.FC_DIM = 16
    cfg.MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION = 7
    cfg.MODEL.ROI_MASK_HEAD.NUM_CONV = 1
    cfg.MODEL.ROI_MASK_HEAD.CONV_DIM = 16
    return cfg


@pytest.fixture
def make_truth():
    """Function: boxes, classes, size -> Instances with masks that fill the boxes."""

    def make(boxes, classes, size=(64, 96)):
        truth = Instances(size)
        truth.gt_boxes = Boxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4))
        truth.gt_classes = torch.tensor(classes, dtype=torch.int64)
        masks = torch.zeros(len(classes), *size, dtype=torch.bool)
        for mask, (x0, y0, x1, y1) in zip(masks, boxes):
            mask[y0:y1, x0:x1] = True
        truth.gt_masks = BitMasks(masks)
        return truth

    return make


@pytest.fixture
def make_inputs(make_truth):
    """Function: number of objects in each image -> model inputs, the same ones every time."""

    def make(*counts):
        boxes, classes = [(4, 8, 40, 50), (50, 10, 90, 60)], [0, 2]
        generator = torch.Generator().manual_seed(0)
        inputs = []
        for count in counts:
            image = torch.randint(0, 256, (3, 64, 96), generator=generator, dtype=torch.uint8)
            inputs.append({"image": image, "instances": make_truth(boxes[:count], classes[:count])})
        return inputs

    return make


@pytest.fixture
def storage():
    """An event storage that is open during the test."""
    with EventStorage(0) as opened:
        yield opened
