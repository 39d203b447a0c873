"""Model parts that two or more methods share."""

from vis_projects.modeling.correspondence import positions_of
from vis_projects.modeling.fpn import build_fcos_resnet_fpn_backbone
from vis_projects.modeling.online_model import OnlineVISModel, VideoState

__all__ = ["OnlineVISModel", "VideoState", "build_fcos_resnet_fpn_backbone", "positions_of"]
