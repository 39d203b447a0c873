"""A small STMask with random weights, and training items made in memory."""

import torch
from detectron2.modeling import build_model
from detectron2.utils.events import EventStorage

from tests.methods.masktrack_rcnn.pairs import CONFIGS, pair
from vis_projects.config import get_vis_cfg

OUTPUT = {"height": 128, "width": 192}


def small_config(*overrides):
    """The quick schedule's config for three classes, narrower still."""
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIGS / "quick_schedules/stmask_R_50_FPN_narrow_synthvis_tiny.yaml"))
    narrow = ["MODEL.STMASK.PROTO.CHANNELS", 16, "MODEL.STMASK.TF.CONV_DIMS", (16, 16, 32)]
    cfg.merge_from_list(["MODEL.VIS.NUM_CLASSES", 3, "MODEL.DEVICE", "cpu", *narrow, *overrides])
    return cfg


def small_model(*overrides, seed=0):
    """Random weights."""
    torch.manual_seed(seed)
    return build_model(small_config(*overrides))


def eager_model(*overrides, seed=0):
    """Random weights that give out eight detections a frame, whatever their scores and masks."""
    all_shown = ("MODEL.STMASK.TEST.SCORE_THRESH", 0.0, "MODEL.STMASK.TEST.MIN_MASK_PIXELS", -1)
    model = small_model("MODEL.STMASK.TEST.TOPK", 8, *all_shown, *overrides, seed=seed)
    for layer in model.head.centerness_layer or ():
        torch.nn.init.constant_(layer.bias, 2.0)  # no score below 0
    return model


def item(earlier_ids, later_ids):
    """One training item of the mapper."""
    return {**pair(earlier_ids, later_ids), "roles": ["earlier", "later"]}


def train_losses(model, batch):
    """Losses of a batch."""
    torch.manual_seed(0)
    with EventStorage():
        return model.train()(batch)
