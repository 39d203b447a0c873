"""DeepSORT's appearance network and its training; the tracker is ``vis_projects.tracking.DeepSORTTracker``."""

from vis_projects.methods.deepsort.config import add_reid_config
from vis_projects.methods.deepsort.meta_arch import ReIDNetwork
from vis_projects.methods.deepsort.network import AppearanceNet

__all__ = ["AppearanceNet", "ReIDNetwork", "add_reid_config"]
