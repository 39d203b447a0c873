"""Association of detections over frames: cost terms, assignment, memory, trackers."""

from vis_projects.tracking.assignment import NEW_TRACK, assign_best
from vis_projects.tracking.base import Tracker
from vis_projects.tracking.config import add_deepsort_config, add_iou_tracker_config, add_seq_tracker_config
from vis_projects.tracking.costs import (
    label_agreement,
    match_log_probs,
    match_logits,
    matching_scores,
    pairwise_box_iou,
    with_new_column,
)
from vis_projects.tracking.iou_tracker import IoUTrackerPlus
from vis_projects.tracking.memory import TrackMemory
from vis_projects.tracking.offline import OfflineTracker
from vis_projects.tracking.registry import TRACKER_REGISTRY, build_tracker, build_tracker_network, is_offline

__all__ = [
    "IoUTrackerPlus",
    "NEW_TRACK",
    "OfflineTracker",
    "TRACKER_REGISTRY",
    "TrackMemory",
    "Tracker",
    "add_deepsort_config",
    "add_iou_tracker_config",
    "add_seq_tracker_config",
    "assign_best",
    "build_tracker",
    "build_tracker_network",
    "is_offline",
    "label_agreement",
    "match_log_probs",
    "match_logits",
    "matching_scores",
    "pairwise_box_iou",
    "with_new_column",
]
