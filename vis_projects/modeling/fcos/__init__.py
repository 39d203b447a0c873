"""FCOS: Fully Convolutional One-Stage Object Detection, the detector under CondInst and CrossVIS.

Letters: B images, L levels, M locations of all images and levels, N objects, K classes, H, W size of a map.
Rows of flat tensors over locations are level-major: all images of level 0, then all images of level 1, and so on.
"""

from vis_projects.modeling.fcos.config import add_fcos_config
from vis_projects.modeling.fcos.decode import FCOSDecoder
from vis_projects.modeling.fcos.fcos import FCOS, FCOSPredictions
from vis_projects.modeling.fcos.head import FCOSHead, FCOSOutputs
from vis_projects.modeling.fcos.locations import level_locations
from vis_projects.modeling.fcos.losses import FCOSLosses, ltrb_iou
from vis_projects.modeling.fcos.targets import FCOSTargets, fcos_targets, mask_centers

__all__ = [
    "FCOS", "FCOSDecoder", "FCOSHead", "FCOSLosses", "FCOSOutputs", "FCOSPredictions", "FCOSTargets",
    "add_fcos_config", "fcos_targets", "level_locations", "ltrb_iou", "mask_centers",
]
