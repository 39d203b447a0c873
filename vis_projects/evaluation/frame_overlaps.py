"""How the tracks of one video overlap, frame by frame: what HOTA, IDF1 and the error report start from.

Letters: F frames, D detections and G ground-truth tracks of one video, of any class.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vis_projects.evaluation.eval_track import EvalTrack
from vis_projects.evaluation.track_iou import video_ious


@dataclass
class FrameOverlaps:
    """Overlaps of a video.

    Attributes:
        iou: float64 (F, G, D), IoU of the shapes of each pair in each frame, 0 where one of them is absent.
        truth_areas: (F, G) pixels, 0 where absent; int64 of masks, float64 of boxes.
        found_areas: (F, D), likewise.
    """

    iou: np.ndarray
    truth_areas: np.ndarray
    found_areas: np.ndarray

    def common(self) -> np.ndarray:
        """Area that both shapes of a pair cover, float64 (F, G, D); of masks whole numbers."""
        # with i in common and u = a + b - i in all: i / u = iou, so i = iou * (a + b) / (1 + iou)
        areas = self.truth_areas[:, :, None] + self.found_areas[:, None, :]
        common = self.iou * areas / (1 + self.iou)
        return np.rint(common) if areas.dtype.kind == "i" else common

    def select(self, truths: Sequence[int], detections: Sequence[int]) -> "FrameOverlaps":
        """The same of some of the tracks."""
        g, d = np.asarray(truths, dtype=np.int64), np.asarray(detections, dtype=np.int64)
        return FrameOverlaps(self.iou[:, g][:, :, d], self.truth_areas[:, g], self.found_areas[:, d])


def frame_overlaps(
    detections: Sequence[EvalTrack], truths: Sequence[EvalTrack], num_frames: int, iou_type: str = "segm"
) -> FrameOverlaps:
    """Overlaps of all pairs in frames 0 ... num_frames - 1; a track with a shorter list is absent beyond its end.

    Masks of different sizes do not overlap.
    """
    truth_areas, found_areas = _areas(truths, num_frames), _areas(detections, num_frames)
    iou = np.zeros((num_frames, len(truths), len(detections)))
    for t in range(num_frames):
        rows, columns = truth_areas[t].nonzero()[0], found_areas[t].nonzero()[0]
        if len(rows) and len(columns):
            sides = [[_one_frame(tracks[k], t) for k in ks] for tracks, ks in ((detections, columns), (truths, rows))]
            iou[t, rows[:, None], columns] = video_ious(*sides, iou_type).T
    return FrameOverlaps(iou, truth_areas, found_areas)


def _areas(tracks: Sequence[EvalTrack], num_frames: int) -> np.ndarray:
    kind = np.result_type(*(track.areas.dtype for track in tracks)) if tracks else np.int64
    areas = np.zeros((num_frames, len(tracks)), dtype=kind)
    for k, track in enumerate(tracks):
        length = min(num_frames, len(track.areas))
        areas[:length, k] = track.areas[:length]
    return areas


def _one_frame(track: EvalTrack, t: int) -> EvalTrack:
    return replace(track, shapes=track.shapes[t : t + 1], areas=track.areas[t : t + 1])
