"""Ground truth and results as tables of numbers, the form that the native engine works on.

Only content of the plain form becomes tables; `NotPlainError` says that the Python readers, which know every notation
and name every fault, have to look at it. Plain is what programs write: ids are integers, sizes two integers, masks are
null or run lengths, as text or as a list, areas are null or whole numbers, and no field is missing or given twice. Of
files also: ASCII (other characters escaped), no escape in a name or a mask but the doubled backslash, a comma at once
behind each run length.

Files are read by a scanner of our own (csrc/rle_tracks/json.h), which touches each byte about once and decodes nothing.
Parsers from the package index cost more than all the rest of the evaluation. CPU seconds for the two files of the set
of YouTube-VIS size of benchmarks/evaluator_sets.py (100 MB), on one busy core: json 2.1, orjson 3.13 1.36, msgspec 0.22
with typed structs 1.18, pysimdjson 7.0 0.67 to parse and 0.74 with the runs as buffers; the scanner 0.025, the whole
evaluation with it 0.23.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from detectron2.utils.file_io import PathManager

from vis_projects.evaluation.eval_track import mean_area
from vis_projects.layers import MaskTable, pack_masks


class NotPlainError(Exception):
    """The content is beyond the plain form, or broken: it is for the Python readers."""


@dataclass
class TruthTables:
    """A ground truth as the file has it: in its order, with videos and categories that are not to be evaluated.

    Attributes:
        videos: int64 (V, 4): id, height, width, frames.
        categories: (id, name) pairs.
        tracks: int64 (G, 6): id, video id, category id, whether crowd, first mask, frames.
        mean_areas: float64 (G,) pixels, after the field `areas`; nan where it is missing.
        masks: of all tracks, one after the other.
    """

    videos: np.ndarray
    categories: list[tuple[int, str]]
    tracks: np.ndarray
    mean_areas: np.ndarray
    masks: MaskTable


@dataclass
class ResultTables:
    """Results in the order of the file.

    Attributes:
        tracks: int64 (D, 4): video id, category id, first mask, frames.
        scores: float64 (D,), finite.
        masks: of all tracks, one after the other.
    """

    tracks: np.ndarray
    scores: np.ndarray
    masks: MaskTable


def truth_tables(source: str | Path | Mapping) -> TruthTables:
    """Tables of a ground truth, from its file or from what was read already.

    Raises:
        NotPlainError: for the Python reader.
    """
    if not isinstance(source, (str, Path)):
        return _truth_of_objects(source)
    content = _map_file(source)
    stopped, *tables, masks = torch.ops.vis_projects.ytvis_scan_truth(content)
    _check_scan(source, stopped)
    videos, names, tracks, mean_areas = (table.numpy() for table in tables)
    categories = [(c, json.loads(bytes(content[begin:end].numpy())) if begin >= 0 else str(c))
                  for c, begin, end in names.tolist()]
    return TruthTables(videos, categories, tracks, mean_areas, MaskTable(content, masks))


def result_tables(source: str | Path | Sequence[Mapping]) -> ResultTables:
    """Tables of results, from their file or from what was read already.

    Raises:
        NotPlainError: for the Python reader.
    """
    if not isinstance(source, (str, Path)):
        return _results_of_objects(source)
    content = _map_file(source)
    stopped, tracks, scores, masks = torch.ops.vis_projects.ytvis_scan_results(content)
    _check_scan(source, stopped)
    return ResultTables(tracks.numpy(), scores.numpy(), MaskTable(content, masks))


def _map_file(path: str | Path) -> torch.Tensor:
    """The bytes of a file, uint8, mapped into memory: it must not be cut short while they are in use."""
    try:
        local = PathManager.get_local_path(str(path))
        return torch.from_file(local, shared=False, size=os.path.getsize(local), dtype=torch.uint8)
    except (OSError, RuntimeError, ValueError) as error:  # missing, or empty
        raise NotPlainError(f"{path}: {error}") from error


def _check_scan(source: str | Path, stopped: int) -> None:
    if stopped >= 0:
        raise NotPlainError(f"{source}: not of the plain form at byte {stopped}")


def _truth_of_objects(data: object) -> TruthTables:
    if not isinstance(data, Mapping):
        raise NotPlainError("the ground truth is no object")
    videos, categories = [], []
    for video in _items(data, "videos"):
        size = _ints(video, "id", "height", "width")
        frames = video.get("length", len(video.get("file_names") or ()))
        if type(frames) is not int or min(size[1:]) < 0:
            raise NotPlainError("the length of a video")
        videos.append((*size, frames))
    for category in _items(data, "categories"):
        (number,) = _ints(category, "id")
        categories.append((number, str(category.get("name", number))))
    tracks, mean_areas, masks = [], [], []
    for item in _items(data, "annotations"):
        crowd, areas = item.get("iscrowd", 0), item.get("areas")
        entries = _mask_list(item)
        if crowd is not None and type(crowd) not in (int, bool):
            raise NotPlainError("iscrowd")
        numbers = type(areas) is list and all(a is None or type(a) in (int, float) for a in areas)
        if areas is not None and not numbers:
            raise NotPlainError("areas")
        tracks.append((*_ints(item, "id", "video_id", "category_id"), bool(crowd), len(masks), len(entries)))
        mean_areas.append(math.nan if areas is None else mean_area(areas))
        masks += entries
    mean_areas = np.array(mean_areas, dtype=np.float64)
    return TruthTables(_table(videos, 4), categories, _table(tracks, 6), mean_areas, _pack(masks))


def _results_of_objects(data: object) -> ResultTables:
    if type(data) is not list:
        raise NotPlainError("the results are no list")
    tracks, scores, masks = [], [], []
    for item in data:
        if not isinstance(item, Mapping):
            raise NotPlainError("a result is no object")
        score, entries = item.get("score"), _mask_list(item)
        if type(score) is bool or not isinstance(score, (int, float, np.number)) or not math.isfinite(score):
            raise NotPlainError("a score")
        tracks.append((*_ints(item, "video_id", "category_id"), len(masks), len(entries)))
        scores.append(float(score))
        masks += entries
    return ResultTables(_table(tracks, 4), np.array(scores, dtype=np.float64), _pack(masks))


def _items(data: Mapping, key: str) -> list[Mapping]:
    items = data.get(key)
    if type(items) is not list or not all(isinstance(item, Mapping) for item in items):
        raise NotPlainError(f"{key} is no list of objects")
    return items


def _ints(item: Mapping, *keys: str) -> list[int]:
    values = [item.get(key) for key in keys]
    if not all(type(value) is int and -(2**63) <= value < 2**63 for value in values):
        raise NotPlainError(f"one of {keys} is no integer")
    return values


def _mask_list(item: Mapping) -> list:
    entries = item.get("segmentations")
    if type(entries) is not list or not all(entry is None or isinstance(entry, Mapping) for entry in entries):
        raise NotPlainError("segmentations is no list of run lengths")
    return entries


def _pack(masks: list) -> MaskTable:
    table = pack_masks(masks)
    if table is None:
        raise NotPlainError("a mask")
    return table


def _table(rows: list[tuple], columns: int) -> np.ndarray:
    return np.array(rows, dtype=np.int64).reshape(len(rows), columns)
