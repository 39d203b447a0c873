"""The identity oracle: what a result would be if its identities were those of the ground truth.

Yang et al., Video Instance Segmentation, section 6.4: "Identity Oracle" of table 3. Masks, classes and scores stay as
they were predicted. The paper leaves open how a prediction finds its object; here:

- In each frame predictions and objects are paired one to one, pairs of one class first so that their IoU adds up to
  the most, then what is left of either, whatever its class. A pair needs an IoU of 0.1; of predictions that overlap an
  object equally the one of the highest score goes first.
- The predictions of an object make up a track: its score is the mean of theirs, its class the one found most often,
  the smallest among equals, as in `VideoResultsBuilder`.
- A predicted track of which no frame is paired stays as it is: false finds and duplicates remain false. Of the others
  the frames that are not paired are dropped.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from vis_projects.evaluation.eval_track import EvalTrack
from vis_projects.evaluation.frame_overlaps import frame_overlaps
from vis_projects.evaluation.ground_truth import load_ground_truth
from vis_projects.evaluation.predictions import load_predictions
from vis_projects.evaluation.world import World

PAIR_IOU = 0.1
_TIE = 1e-6  # weight of the order of scores against IoU
_ALL = 2**31  # no cut


def match_identities(overlap: np.ndarray, same_class: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The object of each prediction of one frame.

    Args:
        overlap: float (G, D), mask IoU of G objects with D predictions.
        same_class: bool (G, D).
        scores: (D,) of the predictions.

    Returns:
        int64 (D,), index of the object, -1 for a prediction without one.
    """
    found = np.full(overlap.shape[1], -1, dtype=np.int64)
    gain = overlap + _TIE * np.argsort(np.argsort(scores, kind="stable")) / max(len(scores), 1)
    possible = overlap >= PAIR_IOU
    for allowed in (same_class, np.ones_like(same_class)):
        free = np.ones(len(overlap), dtype=bool)
        free[found[found >= 0]] = False
        open_pairs = possible & allowed & free[:, None] & (found < 0)
        rows, columns = linear_sum_assignment(np.where(open_pairs, gain, 0.0), maximize=True)
        for g, d in zip(rows, columns):
            if open_pairs[g, d]:
                found[d] = g
    return found


def identity_oracle(
    results: str | Path | Sequence[Mapping], gt: str | Path | Mapping, iou_type: str = "segm"
) -> list[dict]:
    """Result records with the identities of the ground truth; neither input is changed.

    Args:
        results, gt, iou_type: as of `evaluate_json`; with "bbox" the IoU is that of boxes, and so are the records.

    Returns:
        records as `evaluate_json` reads them, video after video.

    Raises:
        NoGroundTruthError, EvaluationInputError: as `evaluate_json`.
    """
    truth = load_ground_truth(gt, iou_type)
    world = World(truth, load_predictions(results, truth, _ALL, iou_type), iou_type)
    records = []
    for video_id in world.video_ids():
        detections, truths = world.video_tracks(video_id)
        objects = [track for track in truths if not track.is_crowd]
        length = max((len(track.areas) for track in detections), default=0)
        pairs = _pairs(detections, objects, length, iou_type)
        paired = {d for by_frame in pairs.values() for d in by_frame.values()}
        records += [_joined(by_frame, detections, length, iou_type) for _, by_frame in sorted(pairs.items())]
        left = [track for d, track in enumerate(detections) if d not in paired]
        records += [_record(track, track.category_id, track.score, dict(enumerate(track.shapes)), len(track.shapes),
                            iou_type) for track in left]
    return records


def _pairs(
    detections: Sequence[EvalTrack], objects: Sequence[EvalTrack], length: int, iou_type: str
) -> dict[int, dict[int, int]]:
    """Object -> frame -> detection."""
    overlaps = frame_overlaps(detections, objects, length, iou_type)
    same_class = np.array([[g.category_id == d.category_id for d in detections] for g in objects], dtype=bool)
    scores = np.array([track.score for track in detections])
    pairs: dict[int, dict[int, int]] = {}
    for t in range(length):
        columns = np.flatnonzero(overlaps.found_areas[t])
        same = same_class.reshape(len(objects), len(detections))[:, columns]
        for d, g in zip(columns, match_identities(overlaps.iou[t][:, columns], same, scores[columns])):
            if g >= 0:
                pairs.setdefault(int(g), {})[t] = int(d)
    return pairs


def _joined(by_frame: Mapping[int, int], detections: Sequence[EvalTrack], length: int, iou_type: str) -> dict:
    """The record of one object."""
    tracks = [detections[d] for d in by_frame.values()]
    counts = Counter(track.category_id for track in tracks)
    category = min(counts, key=lambda c: (-counts[c], c))
    score = sum(track.score for track in tracks) / len(tracks)
    shapes = {t: detections[d].shapes[t] for t, d in by_frame.items()}
    return _record(tracks[0], category, score, shapes, length, iou_type)


def _record(
    track: EvalTrack, category_id: int, score: float, shapes: Mapping[int, object], length: int, iou_type: str
) -> dict:
    """`shapes` of some frames as a record; absent frames are null."""
    record = {"video_id": track.video_id, "category_id": category_id, "score": score}
    if iou_type == "bbox":
        boxes = [[float(v) for v in shapes[t]] if t in shapes else None for t in range(length)]
        return {**record, "bboxes": [box if box and box[2] * box[3] > 0 else None for box in boxes]}
    masks = [shapes.get(t) for t in range(length)]
    masks = [mask and {"size": list(mask["size"]), "counts": mask["counts"].decode("ascii")} for mask in masks]
    return {**record, "segmentations": masks}
