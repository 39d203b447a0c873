"""A small OSMN with random weights, and training items made in memory."""

import torch
from detectron2.modeling import build_model

from tests.methods.masktrack_rcnn.pairs import CONFIGS, SIZE, frames, objects
from vis_projects.config import get_vis_cfg

# windows instead of whole frames
IN_WINDOWS = ("MODEL.OSMN.WINDOW_SPREADS", 4.0, "MODEL.OSMN.WINDOW_SIZE", 32)


def small_config(*overrides):
    """The quick schedule's config, with the training's random changes and the tracker of that name."""
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIGS / "quick_schedules/osmn_narrow_synthvis_tiny.yaml"))
    cfg.merge_from_list(["MODEL.DEVICE", "cpu", "MODEL.VIS.TRACKER.NAME", "OSMNTracker", *overrides])
    return cfg


def small_model(*overrides, seed=0):
    torch.manual_seed(seed)
    return build_model(small_config(*overrides))


def stirred_model(*overrides, seed=0):
    """A small OSMN in evaluation mode whose modulators do something, as after training."""
    model = small_model(*overrides, seed=seed).eval().requires_grad_(False)
    net = model.propagator
    if net.visual is not None:
        torch.nn.init.normal_(net.visual.fc8.weight, std=0.05)
    if net.spatial is not None:
        for layer in net.spatial.layers:
            torch.nn.init.normal_(layer.weight, std=0.5)
    for fuse in net.segmentation.fuse:
        torch.nn.init.normal_(fuse.weight, std=0.3)
    return model


def clip_item(key_ids, previous_ids, guide_ids, roles=("key", "previous", "guide")):
    """One training item of the mapper."""
    truth = {"key": objects(*key_ids), "previous": objects(*previous_ids), "guide": objects(*guide_ids)}
    return {
        "image": frames(3, seed=len(key_ids)), "instances": [truth[role] for role in roles], "roles": list(roles),
        "frame_indices": [3, 2, 0], "video_id": 1, "height": SIZE[0], "width": SIZE[1],
    }
