"""Evaluation of masks with the native engine: the same numbers, bit for bit, as the Python path of `evaluate_json`.

Letters: V videos, K categories, D detections and G ground-truth tracks, C cells (one video and category), A area
ranges, T IoU thresholds, R recall points, M detection cuts.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vis_projects.evaluation.params import EvalParams
from vis_projects.evaluation.predictions import ODD_LENGTHS, ODD_SIZES, warn_of
from vis_projects.evaluation.summary import EvalResult, summarize
from vis_projects.evaluation.track_tables import (
    NotPlainError,
    ResultTables,
    TruthTables,
    result_tables,
    truth_tables,
)
from vis_projects.layers import has_native

ENGINE_OPS = ("ytvis_scan_truth", "ytvis_scan_results", "track_overlaps", "match_tracks", "accumulate_tracks")
CROWD, UNCOUNTED = 1, 2  # flags of annotations, as csrc/rle_tracks/matching.h has them


def has_engine() -> bool:
    """Whether the native engine is compiled in."""
    return all(map(has_native, ENGINE_OPS))


@dataclass
class _Index:
    """What is evaluated, numbered: places in ascending id.

    Attributes:
        videos: int64 (V, 4): id, height, width, frames.
        categories: K ids -> names.
        d_cell, g_cell: cell of each track of the tables, category * V + video; -1: left out.
    """

    videos: np.ndarray
    categories: dict[int, str]
    d_cell: np.ndarray
    g_cell: np.ndarray


@dataclass
class _Order:
    """Tracks sorted for the ops: cells one after the other, what only has to be checked at the end.

    Attributes:
        d, g: places in the tables; detections of a cell come best score first.
        num_matched: detections that are matched, the first ones of `d`.
        rank: (num_matched,) place of a detection in its cell.
        cells: int64 (C, 5) for `track_overlaps`.
        cell_category: (C,) 0 ... K - 1.
    """

    d: np.ndarray
    g: np.ndarray
    num_matched: int
    rank: np.ndarray
    cells: np.ndarray
    cell_category: np.ndarray


def evaluate_native(
    results: str | Path | Sequence[Mapping],
    gt: str | Path | Mapping,
    category_ids: Collection[int] | None,
    params: EvalParams,
    official_quirks: bool,
) -> EvalResult:
    """`evaluate_json` of masks.

    Raises:
        NotPlainError: there is something in the input that the Python path has to look at.
    """
    truth, found = truth_tables(gt), result_tables(results)
    index = _number(truth, found, category_ids)
    order = _sort(index, found.scores, params.max_detections[-1])
    cells = torch.from_numpy(order.cells)
    in_order, ious, d_pixels, g_pixels = torch.ops.vis_projects.track_overlaps(
        found.masks.buffer, found.masks.rows, torch.from_numpy(found.tracks[order.d, 2:]),
        truth.masks.buffer, truth.masks.rows, torch.from_numpy(truth.tracks[order.g, 4:]), cells,
    )
    if not in_order:
        raise NotPlainError("a mask is broken, or has an empty run")
    _warn(results, index, found)
    d_areas, g_areas = _mean_areas(d_pixels.numpy()), truth.mean_areas[order.g]
    g_areas = np.where(np.isnan(g_areas), _mean_areas(g_pixels.numpy()), g_areas)
    tracks = truth.tracks[order.g]
    flags = CROWD * (tracks[:, 3] != 0) + UNCOUNTED * (official_quirks & (tracks[:, 0] == 0))
    matched, ignored, num_truth = torch.ops.vis_projects.match_tracks(
        ious, cells, torch.from_numpy(d_areas), torch.from_numpy(g_areas), torch.from_numpy(flags.astype(np.uint8)),
        _floats(params.iou_thresholds), _floats([bounds for _, *bounds in params.area_ranges]).reshape(-1, 2),
    )
    return _summarize(index, order, found.scores, matched, ignored, num_truth.numpy(), params)


def _number(truth: TruthTables, found: ResultTables, category_ids: Collection[int] | None) -> _Index:
    if not len(truth.tracks):
        raise NotPlainError("no annotations")
    videos = truth.videos[np.argsort(truth.videos[:, 0])]
    categories = dict(sorted(truth.categories, key=lambda pair: pair[0]))
    ids = (videos[:, 0], np.array([c for c, _ in truth.categories]), truth.tracks[:, 0])
    if any(len(np.unique(column)) != len(column) for column in ids):
        raise NotPlainError("an id is used twice")
    if category_ids is not None:
        categories = {c: name for c, name in categories.items() if c in set(category_ids)}
    kept = np.array(list(categories), dtype=np.int64)

    def cells(video_ids: np.ndarray, track_categories: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        v, known_video = _places(videos[:, 0], video_ids)
        c, known_category = _places(kept, track_categories)
        return np.where(known_video & known_category, c * len(videos) + v, -1), known_video

    g_cell, _ = cells(truth.tracks[:, 1], truth.tracks[:, 2])
    d_cell, known_video = cells(found.tracks[:, 0], found.tracks[:, 1])
    if not known_video.all():
        raise NotPlainError("a video that the ground truth does not have")
    return _Index(videos, categories, d_cell, g_cell)


def _places(ascending: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place of each value in an ascending array, and whether it is there."""
    place = np.searchsorted(ascending, values)
    place[place == len(ascending)] = 0
    known = ascending[place] == values if len(ascending) else np.zeros(len(values), dtype=bool)
    return place, known


def _sort(index: _Index, scores: np.ndarray, max_detections: int) -> _Order:
    d = np.lexsort((-scores, index.d_cell))  # stable: equal scores stay in the order of the file
    d = d[np.searchsorted(index.d_cell[d], 0) :]
    g = np.argsort(index.g_cell, kind="stable")
    g = g[np.searchsorted(index.g_cell[g], 0) :]
    rank = np.arange(len(d)) - np.searchsorted(index.d_cell[d], index.d_cell[d])
    d, rank = d[rank < max_detections], rank[rank < max_detections]
    keys = np.union1d(index.d_cell[d], index.g_cell[g])
    ranges = [np.searchsorted(cell, keys, side=side)
              for cell in (index.d_cell[d], index.g_cell[g]) for side in ("left", "right")]
    # masks of all other tracks are read as well, each track in a cell of its own: they might be broken
    d_rest, g_rest = (np.setdiff1d(np.arange(len(cell)), chosen)
                      for cell, chosen in ((index.d_cell, d), (index.g_cell, g)))
    steps = np.concatenate((np.arange(len(d_rest)) + len(d), np.arange(len(g_rest)) + len(g)))
    is_d = np.arange(len(steps)) < len(d_rest)
    rest = [np.where(used, bound, 0) for used in (is_d, ~is_d) for bound in (steps, steps + 1)]
    cells = np.stack([np.concatenate(columns) for columns in zip(ranges, rest)], axis=1)
    pairs = (cells[:, 1] - cells[:, 0]) * (cells[:, 3] - cells[:, 2])
    return _Order(
        d=np.concatenate((d, d_rest)),
        g=np.concatenate((g, g_rest)),
        num_matched=len(d),
        rank=rank,
        cells=np.column_stack((cells, np.cumsum(pairs) - pairs)).astype(np.int64),
        cell_category=keys // max(1, len(index.videos)),
    )


def _mean_areas(pixels: np.ndarray) -> np.ndarray:
    """Mean area over the frames with pixels, of (N, 2) pixels in all and such frames; 0 without any."""
    return np.divide(pixels[:, 0], pixels[:, 1], out=np.zeros(len(pixels)), where=pixels[:, 1] > 0)


def _summarize(
    index: _Index, order: _Order, scores: np.ndarray, matched: torch.Tensor, ignored: torch.Tensor,
    num_truth: np.ndarray, params: EvalParams,
) -> EvalResult:
    truths = np.zeros((len(index.categories), len(params.area_ranges)), dtype=np.int64)
    np.add.at(truths, order.cell_category, num_truth[: len(order.cell_category)])
    d_scores = scores[order.d]
    category = index.d_cell[order.d[: order.num_matched]] // max(1, len(index.videos))
    by_score = np.lexsort((-d_scores[: order.num_matched], category))
    begins = np.searchsorted(category, np.arange(len(index.categories) + 1))
    rank = np.concatenate((order.rank, np.zeros(len(order.d) - order.num_matched, dtype=np.int64)))
    curves = torch.ops.vis_projects.accumulate_tracks(
        matched, ignored, *map(torch.from_numpy, (d_scores, by_score, rank, begins, truths)),
        torch.tensor(params.max_detections, dtype=torch.int64), _floats(params.recall_points),
    )
    precision, recall, score_at = (curve.numpy() for curve in curves)
    return summarize(
        precision.transpose(3, 4, 0, 1, 2), recall.transpose(3, 0, 1, 2), score_at.transpose(3, 4, 0, 1, 2),
        index.categories, truths[:, 0], params,
    )


def _warn(results: object, index: _Index, found: ResultTables) -> None:
    """What `load_predictions` warns of."""
    where = str(results) if isinstance(results, (str, Path)) else "results"
    evaluated = index.d_cell >= 0
    video = index.videos[index.d_cell % max(1, len(index.videos))]
    frames = found.tracks[:, 3]
    odd_lengths = np.flatnonzero(evaluated & (frames != video[:, 3]))
    if len(odd_lengths):
        k = odd_lengths[0]
        warn_of(ODD_LENGTHS, len(odd_lengths),
                f"{where}: entry {k} ({frames[k]} frames, video {video[k, 0]} has {video[k, 3]})")
    rows = found.masks.rows.numpy()
    track = np.repeat(np.arange(len(frames)), frames)
    odd = (rows[:, 0] > 0) & (rows[:, 1:3] != video[track, 1:3]).any(axis=1)
    odd_sizes = np.unique(track[odd & evaluated[track]])
    if len(odd_sizes):
        k = odd_sizes[0]
        warn_of(ODD_SIZES, len(odd_sizes), f"{where}: entry {k} (video {video[k, 0]} is {video[k, 1]} x {video[k, 2]})")


def _floats(values: object) -> torch.Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64))
