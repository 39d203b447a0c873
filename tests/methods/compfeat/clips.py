"""A small CompFeat with random weights, and training items made in memory."""

import torch
from detectron2.modeling import build_model

from tests.methods.masktrack_rcnn.pairs import CONFIGS, SIZE, frames, objects
from vis_projects.config import get_vis_cfg

OFF = ("MODEL.COMPFEAT.FDA.ENABLED", False, "MODEL.COMPFEAT.BDA.ENABLED", False, "MODEL.COMPFEAT.TRACK.HEAD", "dot_fc")
OUTPUT = {"height": 128, "width": 192}


def small_config(*overrides):
    """The quick schedule's config on CPU for three classes, with the published loss weight and no norm in the FPN."""
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIGS / "quick_schedules/compfeat_R_50_FPN_narrow_synthvis_tiny.yaml"))
    plain = ["MODEL.FPN.NORM", "", "MODEL.COMPFEAT.TRACK.LOSS_WEIGHT", 1.0]
    cfg.merge_from_list(["MODEL.ROI_HEADS.NUM_CLASSES", 3, "MODEL.DEVICE", "cpu", *plain, *overrides])
    return cfg


def small_model(*overrides, seed=0):
    """Random weights; every box of any score is a detection."""
    torch.manual_seed(seed)
    return build_model(small_config("MODEL.ROI_HEADS.SCORE_THRESH_TEST", 0.0, *overrides))


def wake(module, seed=0):
    """Random weights of every attention, so that its branches show; at the start they are near the identity."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in module.named_parameters():
        if "attention" in name or "temporal" in name or "spatial" in name:
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return module


def clip(key_ids, reference_ids, supports=2, seed=0):
    """One training item of the mapper."""
    truth = [objects(*key_ids), *[objects()] * supports, objects(*reference_ids)]
    return {
        "image": frames(len(truth), seed=seed + len(key_ids)),
        "instances": truth,
        "roles": ["key", *["support"] * supports, "reference"],
        "frame_indices": list(range(len(truth))),
        "video_id": 1,
        "height": SIZE[0],
        "width": SIZE[1],
    }
