"""Model parts that two or more methods share."""

from vis_projects.modeling.online_model import OnlineVISModel, VideoState

__all__ = ["OnlineVISModel", "VideoState"]
