"""Tracking behind any detector: a stock Detectron2 model or one of this project gets a tracker."""

from vis_projects.methods.track_by_detection.config import add_track_by_detection_config
from vis_projects.methods.track_by_detection.meta_arch import TrackByDetection

__all__ = ["TrackByDetection", "add_track_by_detection_config"]
