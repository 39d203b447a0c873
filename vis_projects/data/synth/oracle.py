"""The oracle ladder: trackers on true masks and classes. It tells how hard the association of a set is.

Four rungs, each a function from the ground truth of one video to YouTube-VIS result records (segmentations list of T
with None for absent frames): `iou_only`, `constant_velocity`, `colour_and_position`, `true_ids`. A record's score is
the share of the video's frames that its track covers: a longer track is a surer one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from pycocotools import mask as coco_mask
from scipy.optimize import linear_sum_assignment

MIN_IOU = 0.05
MOTION_GATE = 2.0
"""Largest distance to the prediction of `constant_velocity`, in square roots of the area (grows with the gap)."""
VELOCITY_DAMPING = 0.5
"""Share of the last step that is extrapolated: visible centres jump where an object is half covered."""
COLOUR_BINS = 4
POSITION_WEIGHT, OVERLAP_WEIGHT, COLOUR_GATE = 0.25, 0.4, 1.8
"""Cost of `colour_and_position`: histogram distance (0-1) + POSITION_WEIGHT * distance / sqrt(area * gap)
+ OVERLAP_WEIGHT * (1 - box IoU); pairs at COLOUR_GATE or above stay apart."""


@dataclass
class Detection:
    """One true mask: class, RLE, box (x, y, w, h), centre (x, y), area in pixels, colour histogram or None."""

    category_id: int
    segmentation: Mapping
    box: tuple[float, float, float, float]
    centre: np.ndarray
    area: float
    histogram: np.ndarray | None = None


@dataclass
class OracleTrack:
    """A track under construction: detections by frame."""

    category_id: int
    detections: dict[int, Detection] = field(default_factory=dict)

    def last(self) -> tuple[int, Detection]:
        """(frame, detection) seen last."""
        frame = next(reversed(self.detections))
        return frame, self.detections[frame]


Cost = Callable[[OracleTrack, Detection, int], float]


def iou_only(annotations: Sequence[Mapping]) -> list[dict]:
    """Rung (a): same class and mask IoU above 0.05 with the previous frame; what is lost never comes back."""

    def cost(track: OracleTrack, detection: Detection, time: int) -> float:
        frame, last = track.last()
        if frame != time - 1:
            return np.inf
        iou = float(coco_mask.iou([last.segmentation], [detection.segmentation], [0])[0, 0])
        return 1.0 - iou if iou > MIN_IOU else np.inf

    return _associate(annotations, cost)


def constant_velocity(annotations: Sequence[Mapping]) -> list[dict]:
    """Rung (b): distance and box overlap with the constant-velocity prediction, same class, lost tracks remembered."""

    def cost(track: OracleTrack, detection: Detection, time: int) -> float:
        frame, last = track.last()
        gap = time - frame
        before = track.detections.get(frame - 1)
        step = VELOCITY_DAMPING * min(gap, 2) * (last.centre - before.centre) if before is not None else np.zeros(2)
        scale = np.sqrt(max(_usual_area(track), detection.area))
        distance = float(np.hypot(*(last.centre + step - detection.centre))) / scale
        if distance >= MOTION_GATE * np.sqrt(gap):
            return np.inf
        return distance + 1.0 - box_iou((last.box[0] + step[0], last.box[1] + step[1], *last.box[2:]), detection.box)

    return _associate(annotations, cost)


def colour_and_position(annotations: Sequence[Mapping], images: Sequence[np.ndarray]) -> list[dict]:
    """Rung (c): colour histogram and position, same class, lost tracks are remembered.

    Args:
        annotations: ground truth of one video.
        images: T (h, w, 3) uint8 RGB frames; they may be smaller than the masks by a whole factor.
    """

    def cost(track: OracleTrack, detection: Detection, time: int) -> float:
        frame, last = track.last()
        colour = 0.5 * float(np.abs(track_histogram(track) - detection.histogram).sum())
        scale = np.sqrt(max(_usual_area(track), detection.area) * (time - frame))
        distance = float(np.hypot(*(last.centre - detection.centre))) / scale
        total = colour + POSITION_WEIGHT * distance + OVERLAP_WEIGHT * (1.0 - box_iou(last.box, detection.box))
        return total if total < COLOUR_GATE else np.inf

    return _associate(annotations, cost, images)


def true_ids(annotations: Sequence[Mapping]) -> list[dict]:
    """Rung (d): the ground truth itself."""
    return [_record(annotation["video_id"], annotation["category_id"], annotation["segmentations"])
            for annotation in annotations]


def track_histogram(track: OracleTrack, memory: int = 5) -> np.ndarray:
    """Mean histogram of the last `memory` detections."""
    recent = list(track.detections.values())[-memory:]
    return np.mean([detection.histogram for detection in recent], axis=0)


def colour_histogram(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Joint RGB histogram of the pixels under a mask, COLOUR_BINS per channel, sums to 1 (0 for an empty mask)."""
    step = -(-256 // COLOUR_BINS)
    pixels = image[mask].astype(np.int64) // step
    keys = (pixels[:, 0] * COLOUR_BINS + pixels[:, 1]) * COLOUR_BINS + pixels[:, 2]
    counts = np.bincount(keys, minlength=COLOUR_BINS**3).astype(np.float64)
    return counts / max(counts.sum(), 1.0)


def box_iou(first: Sequence[float], second: Sequence[float]) -> float:
    """Overlap of two boxes (x, y, w, h)."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    common = max(width, 0.0) * max(height, 0.0)
    return common / max(first[2] * first[3] + second[2] * second[3] - common, 1e-9)


def _usual_area(track: OracleTrack) -> float:
    """Median area of the last five detections."""
    return float(np.median([detection.area for detection in list(track.detections.values())[-5:]]))


def _associate(annotations: Sequence[Mapping], cost: Cost, images: Sequence[np.ndarray] | None = None) -> list[dict]:
    """Frame by frame, the cheapest one-to-one assignment of detections to tracks of the same class."""
    if not annotations:
        return []
    length, tracks = len(annotations[0]["segmentations"]), []
    for time in range(length):
        detections = _detections(annotations, time, None if images is None else images[time])
        costs = np.array([[cost(track, detection, time) if track.category_id == detection.category_id else np.inf
                           for detection in detections] for track in tracks]).reshape(len(tracks), len(detections))
        taken = set()
        if costs.size:
            rows, columns = linear_sum_assignment(np.where(np.isfinite(costs), costs, 1e6))
            for row, column in zip(rows, columns):
                if np.isfinite(costs[row, column]):
                    tracks[row].detections[time] = detections[column]
                    taken.add(column)
        for column, detection in enumerate(detections):
            if column not in taken:
                tracks.append(OracleTrack(detection.category_id, {time: detection}))
    video_id = annotations[0]["video_id"]
    return [_record(video_id, track.category_id, [track.detections[t].segmentation if t in track.detections else None
                                                  for t in range(length)]) for track in tracks]


def _detections(annotations: Sequence[Mapping], time: int, image: np.ndarray | None) -> list[Detection]:
    found = []
    for annotation in annotations:
        rle = annotation["segmentations"][time]
        if rle is None:
            continue
        x, y, w, h = annotation["bboxes"][time]
        histogram = None
        if image is not None:
            mask = coco_mask.decode(rle).astype(bool)
            factor = mask.shape[0] // image.shape[0]
            histogram = colour_histogram(image, mask[factor // 2::factor, factor // 2::factor])
        found.append(Detection(annotation["category_id"], rle, (x, y, w, h), np.array([x + w / 2, y + h / 2]),
                               annotation["areas"][time], histogram))
    return found


def _record(video_id: int, category_id: int, segmentations: Sequence[Mapping | None]) -> dict:
    covered = sum(segmentation is not None for segmentation in segmentations)
    return {"video_id": video_id, "category_id": category_id, "score": covered / len(segmentations),
            "segmentations": list(segmentations)}
