"""Small detectors for the tests of TrackByDetection, and the configs of Detectron2's model zoo where it has one."""

import torch
from detectron2 import model_zoo as detectron2_zoo
from detectron2.config import CfgNode

from vis_projects import model_zoo
from vis_projects.config import get_vis_cfg

SIZE = (48, 64)
MASK_RCNN = "track_by_detection/iou_tracker_plus_mask_rcnn_R_50_FPN_1x_ytvis2019.yaml"
RETINANET = "track_by_detection/iou_tracker_plus_retinanet_R_50_FPN_1x_ytvis2019.yaml"
OWN = "quick_schedules/track_by_detection_R_50_FPN_narrow_synthvis_tiny.yaml"
ZOO = (
    "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml",
    "Misc/cascade_mask_rcnn_R_50_FPN_3x.yaml",
    "COCO-Detection/retinanet_R_50_FPN_3x.yaml",
)


def zoo_files() -> list[str]:
    """Detectron2's own configs; without its zoo the same models from the project's."""
    try:
        return [detectron2_zoo.get_config_file(name) for name in ZOO]
    except (NotImplementedError, ImportError, RuntimeError):
        return [model_zoo.get_config_file(name) for name in (MASK_RCNN, RETINANET)]


def config(name: str = MASK_RCNN, *, tracker: str = "IoUTrackerPlus", opts: tuple = ()) -> CfgNode:
    """A config of the project with a small random model that finds something in any frame."""
    cfg = get_vis_cfg()
    cfg.merge_from_file(model_zoo.get_config_file(name))
    cfg.MODEL.DEVICE, cfg.MODEL.WEIGHTS, cfg.MODEL.VIS.TRACKER.NAME = "cpu", "", tracker
    cfg.MODEL.VIS.NUM_CLASSES = cfg.MODEL.ROI_HEADS.NUM_CLASSES = cfg.MODEL.RETINANET.NUM_CLASSES = 3
    cfg.MODEL.RESNETS.DEPTH, cfg.MODEL.RESNETS.RES2_OUT_CHANNELS = 18, 64
    cfg.MODEL.RESNETS.STRIDE_IN_1X1 = False
    cfg.MODEL.FPN.OUT_CHANNELS, cfg.MODEL.ROI_BOX_HEAD.FC_DIM, cfg.MODEL.ROI_MASK_HEAD.CONV_DIM = 64, 32, 32
    cfg.MODEL.REID.CROP_SIZE, cfg.MODEL.REID.WIDTH, cfg.MODEL.REID.EMBED_DIM = 16, 8, 8
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = cfg.MODEL.RETINANET.SCORE_THRESH_TEST = 0.0
    cfg.MODEL.SEQ_TRACKER.MIN_LENGTH = 1
    cfg.merge_from_list(list(opts))
    return cfg


def frames(count: int, size: tuple[int, int] = SIZE) -> list[torch.Tensor]:
    """(3, h, w) uint8 noise that moves by 2 pixels a frame."""
    noise = torch.randint(0, 256, (3, size[0], size[1] + 2 * count), generator=torch.Generator().manual_seed(0))
    return [noise[:, :, 2 * t : 2 * t + size[1]].to(torch.uint8) for t in range(count)]


def video(count: int, **kwargs) -> dict:
    """An item of the mapper for inference, at twice the size of the network's input."""
    return {"image": frames(count), "video_id": 1, "height": 2 * SIZE[0], "width": 2 * SIZE[1], **kwargs}
