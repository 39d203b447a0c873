"""A small HITF with random weights, and training clips made in memory."""

import torch
from detectron2.modeling import build_model

from tests.methods.masktrack_rcnn.pairs import CONFIGS, SIZE, frames, objects
from vis_projects.config import get_vis_cfg

OUTPUT = {"height": 128, "width": 192}
QUICK = "quick_schedules/hitf_R_50_narrow_synthvis_tiny.yaml"


def small_config(*overrides, name=QUICK):
    """The quick schedule's config on CPU for three classes, 6 slots, 2 references."""
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIGS / name))
    cfg.merge_from_list(["MODEL.VIS.NUM_CLASSES", 3, "MODEL.DEVICE", "cpu", *overrides])
    return cfg


def small_model(*overrides, seed=0, stir=True):
    """Random weights, in evaluation mode; `stir` also fills the weights that start at zero."""
    torch.manual_seed(seed)
    model = build_model(small_config(*overrides)).eval()
    if stir:
        stir_weights(model)
    return model


def stir_weights(module, seed=1):
    """Makes every residual branch do something, and empty slots as likely as others."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if not parameter.any() and "conv" not in name:
                parameter.copy_(0.2 * torch.randn(parameter.shape, generator=rng))
            if name.endswith("classify.2.bias"):
                parameter.zero_()


def clip_item(*ids_by_frame, pair=True, key=None, video_id=1):
    """One training item: ids of the objects of each frame in the order of time, the key frame last."""
    count = len(ids_by_frame)
    roles = ["reference"] * (count - 1 - pair) + ["previous"] * pair + ["key"]
    key = count - 1 if key is None else key
    return {
        "image": frames(count, seed=count),
        "instances": [objects(*ids) for ids in ids_by_frame],
        "roles": roles,
        "frame_indices": [max(key - back, 0) for back in range(count - 1, -1, -1)],
        "video_id": video_id,
        "height": SIZE[0],
        "width": SIZE[1],
    }
