"""Association of detections over frames: cost terms, assignment, memory, trackers."""

from vis_projects.tracking.assignment import NEW_TRACK, assign_best, assign_hungarian
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
from vis_projects.tracking.cue_tracker import CueTracker
from vis_projects.tracking.deepsort import DeepSORTTracker
from vis_projects.tracking.gallery import AppearanceGallery
from vis_projects.tracking.iou_tracker import IoUTrackerPlus
from vis_projects.tracking.kalman import BoxKalmanFilter
from vis_projects.tracking.kalman_tracks import KalmanTracks
from vis_projects.tracking.memory import TrackMemory
from vis_projects.tracking.memory_tracker import MemoryTracker
from vis_projects.tracking.offline import OfflineTracker
from vis_projects.tracking.registry import TRACKER_REGISTRY, build_tracker, build_tracker_network, is_offline
from vis_projects.tracking.seq_tracker import SeqTracker
from vis_projects.tracking.track_search import TrackSearch

__all__ = [
    "AppearanceGallery",
    "BoxKalmanFilter",
    "CueTracker",
    "DeepSORTTracker",
    "IoUTrackerPlus",
    "KalmanTracks",
    "MemoryTracker",
    "NEW_TRACK",
    "OfflineTracker",
    "SeqTracker",
    "TRACKER_REGISTRY",
    "TrackMemory",
    "TrackSearch",
    "Tracker",
    "add_deepsort_config",
    "add_iou_tracker_config",
    "add_seq_tracker_config",
    "assign_best",
    "assign_hungarian",
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
