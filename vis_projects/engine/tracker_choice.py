"""Puts a tracker behind the detector of a config, and loads the tracker's own network."""

import logging

from detectron2.config import CfgNode
from detectron2.modeling import META_ARCH_REGISTRY
from torch import nn

from vis_projects.engine.checkpointer import VISCheckpointer
from vis_projects.engine.errors import ConfigError
from vis_projects.modeling import OnlineVISModel
from vis_projects.tracking import TRACKER_REGISTRY

logger = logging.getLogger(__name__)

WRAPPER = "TrackByDetection"
# Where stock models keep the number of their classes; any other is read as a two-stage model.
_CLASS_COUNTS = {"RetinaNet": "RETINANET"}


def choose_tracker(cfg: CfgNode, name: str) -> None:
    """Makes a config one of tracking by detection, in place: its model finds the objects, `name` gives them ids.

    A stock model brings its number of classes along where MODEL.VIS.NUM_CLASSES does not say another.

    Args:
        cfg: not frozen.
        name: of `TRACKER_REGISTRY`.

    Raises:
        ConfigError: no such tracker, or the config names no known model.
    """
    known = sorted(key for key, _ in TRACKER_REGISTRY)
    if name not in known:
        raise ConfigError(f"--tracker {name!r}: no such tracker; choose one of {', '.join(known)}")
    cfg.MODEL.VIS.TRACKER.NAME = name
    detector = cfg.MODEL.META_ARCHITECTURE
    if detector == WRAPPER:
        return
    if detector not in META_ARCH_REGISTRY:
        raise ConfigError(f"MODEL.META_ARCHITECTURE is {detector!r}, which is no registered model")
    cfg.MODEL.TRACK_BY_DETECTION.DETECTOR = detector
    cfg.MODEL.META_ARCHITECTURE = WRAPPER
    if cfg.MODEL.VIS.NUM_CLASSES == 0 and not issubclass(META_ARCH_REGISTRY.get(detector), OnlineVISModel):
        cfg.MODEL.VIS.NUM_CLASSES = cfg.MODEL[_CLASS_COUNTS.get(detector, "ROI_HEADS")].NUM_CLASSES


def load_tracker_network(cfg: CfgNode, model: nn.Module) -> None:
    """Fills the network of the model's tracker, if it has one, from MODEL.VIS.TRACKER.WEIGHTS.

    Raises:
        CheckpointError: the file is missing, unsafe or of another network.
    """
    network = getattr(model, "tracker_network", None)
    if network is None:
        return
    path = cfg.MODEL.VIS.TRACKER.WEIGHTS
    if not path:
        logger.warning(
            f"MODEL.VIS.TRACKER.WEIGHTS is empty: the {type(network).__name__} of {cfg.MODEL.VIS.TRACKER.NAME} runs "
            "with random weights; give the checkpoint of its own training"
        )
        return
    VISCheckpointer(network, min_matched=1.0 if cfg.MODEL.VIS.LOAD_MIN_MATCHED > 0 else 0.0).load(
        path, checkpointables=[]
    )
