"""Recall frame by frame: of all annotated (object, frame) pairs, and of those that are hidden in part or blurred.

AP and AR judge whole tracks; a track that misses three hidden frames loses little. This counts the frames.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate

from vis_projects.evaluation.attributes import OCCLUSION_WEIGHTS
from vis_projects.evaluation.errors import EvaluationInputError
from vis_projects.evaluation.eval_track import EvalTrack
from vis_projects.evaluation.frame_matching import match_frames
from vis_projects.evaluation.frame_overlaps import frame_overlaps
from vis_projects.evaluation.ground_truth import load_ground_truth, read_json
from vis_projects.evaluation.predictions import load_predictions

VISIBLE_RANGES = (
    ("visible to 75 % or more", 0.75, np.inf), ("to 50 - 75 %", 0.5, 0.75), ("to less than 50 %", -1.0, 0.5),
)
BLUR_RANGES = (
    ("smeared over less than 1 px", -1.0, 1.0), ("over 1 - 2 px", 1.0, 2.0), ("over 2 px or more", 2.0, np.inf),
)
ALL = "all"


@dataclass
class FrameRecall:
    """Counts of (object, frame) pairs.

    Attributes:
        groups: name -> (pairs, found pairs).
        false: predicted (object, frame) pairs that stand for no annotated one.
        threshold: mask IoU from which on a pair is found.
        max_tracks: predicted tracks of a video that took part, those of the highest scores.
    """

    groups: dict[str, tuple[int, int]]
    false: int
    threshold: float
    max_tracks: int

    def recall(self, group: str = ALL) -> float:
        """Fraction in [0, 1]; nan where the group is empty."""
        pairs, found = self.groups[group]
        return found / pairs if pairs else float("nan")

    def text(self) -> str:
        """The table in percent."""
        rows = [[name, pairs, f"{100 * found / pairs:.1f}" if pairs else "-"]
                for name, (pairs, found) in self.groups.items()]
        table = tabulate(rows, ("objects in frames", "number", "recall"), disable_numparse=True,
                         colalign=("left", "right", "right"))
        return (f"Recall of frames at mask IoU {self.threshold:g}, in percent, the {self.max_tracks} best tracks of "
                f"each video; {self.false} false:\n{table}")


def frame_recall(
    results: str | Path | Sequence[Mapping],
    gt: str | Path | Mapping,
    *,
    threshold: float = 0.5,
    max_tracks: int = 10,
) -> FrameRecall:
    """Counts which annotated objects are found in which frames, by a prediction of their class.

    In each frame predictions and objects are paired one to one, as many as possible; which track it is plays no part.
    Crowd annotations are left out. Groups are made where the annotations say so: by `visibility` or `occlusion` of each
    frame, and by the way that the middle of the box goes while the shutter is open, where videos have `meta.exposure`
    (in frame times).

    Args:
        results, gt: paths or parsed json, as of `evaluate_json`; not changed.
        threshold: mask IoU from which on an object is found, above 0.
        max_tracks: best tracks of each video that take part, so that more tracks alone do not find more.

    Raises:
        NoGroundTruthError, EvaluationInputError: as `evaluate_json`.
    """
    content, _ = read_json(gt, "ground truth")
    truth = load_ground_truth(gt if not isinstance(content, Mapping) else content)
    found = load_predictions(results, truth, max_tracks)
    members = dict(_members(content))
    counts: dict[str, list[int]] = {}
    false = 0
    for video_id, (_, _, length) in truth.videos.items():
        ranked = sorted((t for cell, ts in found.items() if cell[0] == video_id for t in ts), key=lambda t: -t.score)
        best = ranked[:max_tracks]
        for category in truth.categories:
            objects = [t for t in truth.cells.get((video_id, category), ()) if not t.is_crowd]
            predicted = [t for t in best if t.category_id == category]
            hits, present, shown = _hits(objects, predicted, length, threshold)
            false += shown - int(hits.sum())
            for track, there, hit in zip(objects, present.T, hits.T):
                groups = {ALL: np.ones(length, dtype=bool), **members.get(track.annotation_id, {})}
                for name, member in groups.items():
                    count = counts.setdefault(name, [0, 0])
                    count[0] += int((there & member).sum())
                    count[1] += int((hit & member).sum())
    order = [ALL, *(name for name, *_ in (*VISIBLE_RANGES, *BLUR_RANGES)), *OCCLUSION_WEIGHTS]
    groups = {name: tuple(counts[name]) for name in order if name in counts}
    return FrameRecall(groups, false, threshold, max_tracks)


def _hits(
    objects: Sequence[EvalTrack], predicted: Sequence[EvalTrack], length: int, threshold: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Which objects are found in which frames, bool (F, G); where they are, bool (F, G); number of predictions."""
    overlaps = frame_overlaps(predicted, objects, length)
    hits = np.zeros((length, len(objects)), dtype=bool)
    for t in range(length):
        # one frame at a time: nothing is kept from the frame before
        for pairs in match_frames(overlaps.iou[t : t + 1], threshold):
            hits[t, [g for g, _ in pairs]] = True
    return hits, overlaps.truth_areas > 0, int((overlaps.found_areas > 0).sum())


def _members(content: Mapping) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """(annotation id, group -> bool (T,)) of each annotation whose frames are told apart."""
    videos = {video["id"]: video for video in content["videos"]}
    for item in content["annotations"]:
        video = videos[item["video_id"]]
        length = video["length"]
        groups: dict[str, np.ndarray] = {}
        visibility = _per_frame(item, "visibility", length)
        if visibility is not None:
            values = np.array([np.nan if value is None else value for value in visibility], dtype=float)
            groups |= {name: (values >= low) & (values < high) for name, low, high in VISIBLE_RANGES}
        words = _per_frame(item, "occlusion", length)
        if words is not None:
            groups |= {name: np.array([word == name for word in words]) for name in OCCLUSION_WEIGHTS}
        exposure = (video.get("meta") or {}).get("exposure")
        boxes = _per_frame(item, "bboxes", length)
        if exposure is not None and boxes is not None:
            smear = exposure * _steps(boxes)
            groups |= {name: (smear >= low) & (smear < high) for name, low, high in BLUR_RANGES}
        if groups:
            yield item["id"], groups


def _per_frame(item: Mapping, key: str, length: int) -> Sequence | None:
    """A list with one entry per frame; None where the annotation has none."""
    values = item.get(key)
    if values is None:
        return None
    if len(values) != length:
        raise EvaluationInputError(
            f"annotation {item.get('id')}: {key} has {len(values)} entries, its video {length} frames; write one entry "
            "per frame, null where the object is absent"
        )
    return values


def _steps(boxes: Sequence) -> np.ndarray:
    """float64 (T,): pixels that the middle of a box goes per frame, the mean of the steps before and after.

    nan where the object is absent or was seen in neither neighbour.
    """
    middles = np.full((len(boxes), 2), np.nan)
    for t, box in enumerate(boxes):
        if box is not None:
            middles[t] = box[0] + box[2] / 2, box[1] + box[3] / 2
    steps = np.linalg.norm(np.diff(middles, axis=0), axis=1)
    around = np.stack([np.append(np.nan, steps), np.append(steps, np.nan)])
    known = ~np.isnan(around)
    total = np.where(known, around, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return total / known.sum(axis=0)
