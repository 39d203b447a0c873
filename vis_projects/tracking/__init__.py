"""Association of detections over frames: cost terms, assignment, memory, trackers."""

from vis_projects.tracking.assignment import NEW_TRACK, assign_best
from vis_projects.tracking.base import Tracker
from vis_projects.tracking.costs import (
    label_agreement,
    match_log_probs,
    match_logits,
    matching_scores,
    pairwise_box_iou,
    with_new_column,
)
from vis_projects.tracking.cue_tracker import CueTracker
from vis_projects.tracking.memory import TrackMemory
from vis_projects.tracking.registry import TRACKER_REGISTRY, build_tracker

__all__ = [
    "NEW_TRACK",
    "CueTracker",
    "TRACKER_REGISTRY",
    "TrackMemory",
    "Tracker",
    "assign_best",
    "build_tracker",
    "label_agreement",
    "match_log_probs",
    "match_logits",
    "matching_scores",
    "pairwise_box_iou",
    "with_new_column",
]
