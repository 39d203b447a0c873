"""Keys of tracking behind any detector: ``MODEL.TRACK_BY_DETECTION``."""

from detectron2.config import CfgNode

from vis_projects.config import register_method_config


@register_method_config("TRACK_BY_DETECTION")
def add_track_by_detection_config(cfg: CfgNode) -> None:
    """Adds ``MODEL.TRACK_BY_DETECTION`` to ``cfg``, in place."""
    cfg.MODEL.TRACK_BY_DETECTION = CfgNode()
    node = cfg.MODEL.TRACK_BY_DETECTION
    # Class of META_ARCH_REGISTRY that finds the objects of a frame: a stock Detectron2 model, or one of this project,
    # whose own association is off then.
    node.DETECTOR = "GeneralizedRCNN"
