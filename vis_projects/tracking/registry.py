"""Registry of trackers and the builder that reads ``MODEL.VIS.TRACKER.NAME``."""

from detectron2.config import CfgNode
from detectron2.modeling import build_model
from detectron2.utils.registry import Registry
from torch import nn

from vis_projects.tracking.base import Tracker
from vis_projects.tracking.offline import OfflineTracker

TRACKER_REGISTRY = Registry("VIS_TRACKER")
TRACKER_REGISTRY.__doc__ = """
Trackers by name. A registered class is built as ``Class(cfg)`` and gives a fresh tracker, which
serves one video.
"""


def build_tracker(cfg: CfgNode, network: nn.Module | None = None) -> Tracker | OfflineTracker:
    """Builds a fresh tracker, for one video, of the class that ``MODEL.VIS.TRACKER.NAME`` names.

    Args:
        cfg: names the tracker and holds its keys.
        network: of ``build_tracker_network``, for a tracker that has one.

    Raises:
        KeyError: the name is not registered; the message lists those that are.
        ValueError: the tracker has a network and none is given.
    """
    tracker_class = _tracker_class(cfg)
    arch = _network_arch(cfg)
    if not arch:
        return tracker_class(cfg)
    if network is None:
        raise ValueError(
            f"{tracker_class.__name__} needs its network, a {arch}: give build_tracker the one of "
            "build_tracker_network(cfg), or set MODEL.META_ARCHITECTURE to TrackByDetection, which does that"
        )
    return tracker_class(cfg, network=network)


def build_tracker_network(cfg: CfgNode) -> nn.Module | None:
    """Builds the network of the named tracker with random weights; None for a tracker without one.

    It is in evaluation mode and takes no gradients: what trains it is its own training run.
    """
    arch = _network_arch(cfg)
    if not arch:
        return None
    network_cfg = cfg.clone()
    network_cfg.defrost()
    network_cfg.MODEL.META_ARCHITECTURE = arch
    return build_model(network_cfg).eval().requires_grad_(False)


def is_offline(cfg: CfgNode) -> bool:
    """Whether the named tracker wants the whole video first."""
    return issubclass(_tracker_class(cfg), OfflineTracker)


def _network_arch(cfg: CfgNode) -> str:
    tracker_class = _tracker_class(cfg)
    return tracker_class.network_arch(cfg) if hasattr(tracker_class, "network_arch") else ""


def _tracker_class(cfg: CfgNode) -> type:
    name = cfg.MODEL.VIS.TRACKER.NAME
    if name not in TRACKER_REGISTRY:
        known = ", ".join(sorted(key for key, _ in TRACKER_REGISTRY)) or "none"
        raise KeyError(
            f"MODEL.VIS.TRACKER.NAME is {name!r}, which is no registered tracker; known: {known}. "
            "Import the module that registers it, or correct the name"
        )
    return TRACKER_REGISTRY.get(name)
