"""Reads and checks a YouTube-VIS results list against a ground truth."""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vis_projects.evaluation.box_entries import read_boxes
from vis_projects.evaluation.errors import EvaluationInputError, shorten
from vis_projects.evaluation.eval_track import EvalTrack, mean_area
from vis_projects.evaluation.ground_truth import Cell, GroundTruth, read_json
from vis_projects.evaluation.mask_entries import read_masks

logger = logging.getLogger(__name__)

ODD_LENGTHS = "have another number of frames than their video; frames beyond the shorter list do not count"
ODD_SIZES = "have masks of another size than their video; such frames do not count"


def load_predictions(
    source: str | Path | Sequence[Mapping], truth: GroundTruth, max_detections: int, iou_type: str = "segm"
) -> dict[Cell, list[EvalTrack]]:
    """Detections by (video id, category id), best score first, at most `max_detections` in each cell.

    Among equal scores the order of the file holds. Detections of categories that the ground truth does not have are
    dropped. A list of masks that is shorter or longer than its video is used as far as both reach; that is logged.

    Args:
        source: path or parsed json; it is not changed.
        truth: gives the known videos and categories.
        max_detections: cut per video and category.
        iou_type: "segm" or "bbox".

    Raises:
        EvaluationInputError: unknown video, missing or non-finite score, missing or broken masks.
    """
    data, where = read_json(source, "results")
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)):
        raise EvaluationInputError(f"{where}: is {shorten(data)}; give a list of tracks")
    cells: dict[Cell, list[EvalTrack]] = {}
    odd_lengths, odd_sizes = [], []
    for index, item in enumerate(data):
        place = f"{where}: entry {index}"
        score = _check_entry(item, place, truth)
        cell = (item["video_id"], item["category_id"])
        if cell[1] not in truth.categories:
            continue
        height, width, length = truth.videos[cell[0]]
        if iou_type == "bbox":
            shapes, areas = read_boxes(item, place, (height, width))
        else:
            shapes, areas = read_masks(item.get("segmentations"), f"{place}.segmentations", (height, width))
            if any(mask is not None and mask["size"] != [height, width] for mask in shapes):
                odd_sizes.append(f"{place} (video {cell[0]} is {height} x {width})")
        if len(shapes) != length:
            odd_lengths.append(f"{place} ({len(shapes)} frames, video {cell[0]} has {length})")
        cells.setdefault(cell, []).append(
            EvalTrack(*cell, shapes=shapes, areas=areas, mean_area=mean_area(areas.tolist()), score=score)
        )
    for what, places in ((ODD_LENGTHS, odd_lengths), (ODD_SIZES, odd_sizes)):
        if places:
            warn_of(what, len(places), places[0])
    return {cell: _best(tracks, max_detections) for cell, tracks in cells.items()}


def _best(tracks: list[EvalTrack], count: int) -> list[EvalTrack]:
    order = np.argsort([-track.score for track in tracks], kind="stable")[:count]
    return [tracks[k] for k in order]


def _check_entry(item: object, place: str, truth: GroundTruth) -> float:
    """The score of an entry whose ids and keys are in order."""
    if not isinstance(item, Mapping):
        raise EvaluationInputError(f"{place} is {shorten(item)}; give an object per track")
    for key in ("video_id", "category_id"):
        if not isinstance(item.get(key), (int, float, str)):
            raise EvaluationInputError(f"{place}: {key} is {shorten(item.get(key))}; give an id of the ground truth")
    if item["video_id"] not in truth.videos:
        raise EvaluationInputError(
            f"{place}: video_id {shorten(item['video_id'])} is not in the ground truth ({len(truth.videos)} videos); "
            "results and ground truth must be of the same split"
        )
    if item.get("segmentations") is None and item.get("bboxes") is None:
        raise EvaluationInputError(
            f"{place} (video {item['video_id']}): no segmentations; give a list with one entry per frame"
        )
    score = item.get("score")
    if isinstance(score, bool) or not isinstance(score, (int, float, np.number)) or not math.isfinite(score):
        raise EvaluationInputError(
            f"{place} (video {item['video_id']}): score is {shorten(score)}; give a finite number"
        )
    return float(score)


def warn_of(what: str, count: int, first: str) -> None:
    """Logs that `count` results are odd, and the first of them."""
    logger.warning("%d results %s; first: %s", count, what, first)
