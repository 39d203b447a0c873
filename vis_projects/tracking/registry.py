"""Registry of trackers and the builder that reads ``MODEL.VIS.TRACKER.NAME``."""

from detectron2.config import CfgNode
from detectron2.utils.registry import Registry

from vis_projects.tracking.base import Tracker

TRACKER_REGISTRY = Registry("VIS_TRACKER")
TRACKER_REGISTRY.__doc__ = """
Trackers by name. A registered class is built as ``Class(cfg)`` and gives a fresh tracker, which
serves one video.
"""


def build_tracker(cfg: CfgNode) -> Tracker:
    """Builds a fresh tracker, for one video, of the class that ``MODEL.VIS.TRACKER.NAME`` names.

    Raises:
        KeyError: the name is not registered; the message lists those that are.
    """
    name = cfg.MODEL.VIS.TRACKER.NAME
    if name not in TRACKER_REGISTRY:
        known = ", ".join(sorted(key for key, _ in TRACKER_REGISTRY)) or "none"
        raise KeyError(
            f"MODEL.VIS.TRACKER.NAME is {name!r}, which is no registered tracker; known: {known}. "
            "Import the module that registers it, or correct the name"
        )
    return TRACKER_REGISTRY.get(name)(cfg)
