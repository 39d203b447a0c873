"""A small MaskTrack R-CNN with random weights, and training items made in memory."""

from pathlib import Path

import torch
from detectron2.modeling import build_model
from detectron2.structures import BitMasks, Boxes, Instances

from vis_projects.config import get_vis_cfg

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
SIZE = (64, 96)


def small_config(*overrides):
    """The quick schedule's config on CPU for three classes."""
    cfg = get_vis_cfg()
    cfg.merge_from_file(str(CONFIGS / "quick_schedules/masktrack_rcnn_R_50_FPN_narrow_synthvis_tiny.yaml"))
    # the published head and loss weight, not the schedule's norms and its weight
    plain = ["MODEL.FPN.NORM", "", "MODEL.MASKTRACK.LOSS_WEIGHT", 1.0]
    cfg.merge_from_list(["MODEL.ROI_HEADS.NUM_CLASSES", 3, "MODEL.DEVICE", "cpu", *plain, *overrides])
    return cfg


def small_model(*overrides, seed=0):
    """Random weights; every box of any score is a detection."""
    torch.manual_seed(seed)
    return build_model(small_config("MODEL.ROI_HEADS.SCORE_THRESH_TEST", 0.0, *overrides))


def objects(*ids):
    """Ground truth of a frame: one 20 x 30 rectangle per id, placed by the id."""
    found, (height, width) = Instances(SIZE), SIZE
    left = torch.tensor([5.0 + 9 * (k % 8) for k in ids])
    top = torch.tensor([3.0 + 4 * (k % 5) for k in ids])
    boxes = torch.stack([left, top, left + 20, top + 30], dim=1) if ids else torch.zeros(0, 4)
    y, x = torch.arange(height)[None, :, None], torch.arange(width)[None, None, :]
    x0, y0, x1, y1 = boxes.t()[:, :, None, None]
    found.gt_boxes = Boxes(boxes)
    found.gt_classes = torch.tensor([k % 3 for k in ids], dtype=torch.int64)
    found.gt_masks = BitMasks((x >= x0) & (x < x1) & (y >= y0) & (y < y1))
    found.gt_ids = torch.tensor(ids, dtype=torch.int64)
    return found


def frames(count, seed=0):
    """count random uint8 frames."""
    rng = torch.Generator().manual_seed(seed)
    return [torch.randint(0, 256, (3, *SIZE), generator=rng, dtype=torch.uint8) for _ in range(count)]


def pair(key_ids, reference_ids, roles=("key", "reference")):
    """One training item of the mapper."""
    truth = {"key": objects(*key_ids), "reference": objects(*reference_ids)}
    return {
        "image": frames(2, seed=len(key_ids)),
        "instances": [truth[role] for role in roles],
        "roles": list(roles),
        "frame_indices": [3, 1],
        "video_id": 1,
        "height": SIZE[0],
        "width": SIZE[1],
    }
