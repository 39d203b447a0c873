"""All that the extra metrics need to know of one video: small enough to keep, so that no mask is looked at twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vis_projects.evaluation.eval_track import EvalTrack
from vis_projects.evaluation.frame_overlaps import frame_overlaps
from vis_projects.evaluation.pair_facts import PairFacts, pair_facts
from vis_projects.evaluation.tracking_sums import TrackingSums, tracking_sums


@dataclass
class VideoFacts:
    """Facts on one video.

    Attributes:
        pairs: of all detections with all annotations.
        tracking: category id -> sums of the annotations and the confident detections of that category; only categories
            that have one of the two.
    """

    pairs: PairFacts
    tracking: dict[int, TrackingSums]

    def to_json(self) -> dict:
        """Plain values."""
        tracking = [[category, sums.to_json()] for category, sums in self.tracking.items()]
        return {"pairs": self.pairs.to_json(), "tracking": tracking}

    @classmethod
    def from_json(cls, content: Mapping) -> "VideoFacts":
        """Reads what `to_json` gave."""
        tracking = {category: TrackingSums.from_json(sums) for category, sums in content["tracking"]}
        return cls(PairFacts.from_json(content["pairs"]), tracking)


def video_facts(
    detections: Sequence[EvalTrack], truths: Sequence[EvalTrack], num_frames: int, iou_type: str, track_score: float
) -> VideoFacts:
    """Looks at every frame of a video.

    Args:
        detections, truths: of all categories.
        num_frames: length of the video.
        iou_type: "segm" or "bbox".
        track_score: detections of a lower score take no part in `tracking`.
    """
    overlaps = frame_overlaps(detections, truths, num_frames, iou_type)
    confident = [k for k, track in enumerate(detections) if track.score >= track_score]
    categories = {track.category_id for track in truths} | {detections[k].category_id for k in confident}
    tracking = {}
    for category in sorted(categories):
        rows = [k for k, track in enumerate(truths) if track.category_id == category]
        columns = [k for k in confident if detections[k].category_id == category]
        crowd = np.array([truths[k].is_crowd for k in rows], dtype=bool)
        tracking[category] = tracking_sums(overlaps.select(rows, columns), crowd)
    return VideoFacts(pair_facts(detections, truths, overlaps, iou_type), tracking)
