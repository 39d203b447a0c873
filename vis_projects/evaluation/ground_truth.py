"""Reads and checks a YouTube-VIS ground-truth json."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detectron2.utils.file_io import PathManager

from vis_projects.evaluation.box_entries import read_boxes
from vis_projects.evaluation.errors import EvaluationInputError, NoGroundTruthError, shorten
from vis_projects.evaluation.eval_track import EvalTrack, mean_area
from vis_projects.evaluation.mask_entries import read_masks

Cell = tuple[int | str, int]


@dataclass
class GroundTruth:
    """Videos, categories and annotated tracks.

    Attributes:
        videos: id -> (height, width, length in frames), in ascending id.
        categories: id -> name, in ascending id; only those to be evaluated.
        cells: (video id, category id) -> tracks in the order of the file.
    """

    videos: dict[int | str, tuple[int, int, int]]
    categories: dict[int, str]
    cells: dict[Cell, list[EvalTrack]]


def read_json(source: str | Path | object, what: str) -> tuple[object, str]:
    """Content and a name for messages, of a path or of something read already.

    Raises:
        EvaluationInputError: the file is missing or no json.
    """
    if not isinstance(source, (str, Path)):
        return source, what
    try:
        with PathManager.open(str(source), "rb") as file:
            return json.loads(file.read()), str(source)
    except FileNotFoundError as error:
        raise EvaluationInputError(f"{source}: no such {what} file") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise EvaluationInputError(f"{source}: no complete json ({error}); write the {what} file again") from error


def load_ground_truth(
    source: str | Path | Mapping, iou_type: str = "segm", category_ids: Collection[int] | None = None
) -> GroundTruth:
    """Reads annotations; those of other videos or categories are dropped. The source is not changed.

    Args:
        source: path or parsed json. `iscrowd` is 0 and `areas` come from the masks where the json has none.
        iou_type: "segm" or "bbox".
        category_ids: evaluate only these; None: all of the json.

    Raises:
        NoGroundTruthError: no annotations.
        EvaluationInputError: a broken field.
    """
    data, where = read_json(source, "ground truth")
    if not isinstance(data, Mapping):
        raise EvaluationInputError(f"{where}: is {shorten(data)}; give a YouTube-VIS object with videos and categories")
    videos = {v: _video_size(item, f"{where}: video {v}") for v, item in _by_id(data, "videos", where)}
    categories = {c: str(item.get("name", c)) for c, item in _by_id(data, "categories", where)}
    if category_ids is not None:
        categories = {c: name for c, name in categories.items() if c in set(category_ids)}
    annotations = data.get("annotations")
    if not annotations:
        raise NoGroundTruthError(
            f"{where}: no ground truth in it (annotations: {shorten(annotations)}); scores need a file with "
            "annotations, for example the held-out part that `vis split` makes of the training file"
        )
    cells: dict[Cell, list[EvalTrack]] = {}
    seen: set = set()
    for index, item in enumerate(annotations):
        place = f"{where}: annotations[{index}]"
        _check_annotation(item, place, seen)
        cell = (item["video_id"], item["category_id"])
        if cell[0] in videos and cell[1] in categories:
            track = _read_track(item, f"{place} (id {item['id']})", videos[cell[0]][:2], iou_type)
            cells.setdefault(cell, []).append(track)
    return GroundTruth(videos, categories, cells)


def _by_id(data: Mapping, key: str, where: str) -> list[tuple]:
    items = data.get(key)
    if not isinstance(items, Sequence) or not all(isinstance(item, Mapping) and "id" in item for item in items):
        raise EvaluationInputError(f"{where}: {key} is {shorten(items)}; give a list of objects with an id each")
    ids = [item["id"] for item in items]
    if len(set(ids)) != len(ids):
        raise EvaluationInputError(f"{where}: {key} has an id twice; give every entry its own id")
    try:
        return sorted(zip(ids, items), key=lambda pair: pair[0])
    except TypeError as error:
        raise EvaluationInputError(f"{where}: {key} mixes ids of different types ({error}); use integers") from error


def _video_size(video: Mapping, place: str) -> tuple[int, int, int]:
    size = (video.get("height"), video.get("width"))
    if not all(isinstance(s, int) and s >= 0 for s in size):
        raise EvaluationInputError(f"{place}: height, width are {size}; give the size of the frames in pixels")
    return *size, int(video.get("length", len(video.get("file_names") or ())))


def _check_annotation(item: object, place: str, seen: set) -> None:
    if not isinstance(item, Mapping):
        raise EvaluationInputError(f"{place} is {shorten(item)}; give an object")
    for key in ("id", "video_id", "category_id"):
        if not isinstance(item.get(key), (int, str)):
            raise EvaluationInputError(f"{place}: {key} is {shorten(item.get(key))}; give an id")
    if item["id"] in seen:
        raise EvaluationInputError(f"{place}: id {item['id']} is used twice; give every annotation its own id")
    seen.add(item["id"])


def _read_track(item: Mapping, place: str, size: tuple[int, int], iou_type: str) -> EvalTrack:
    if iou_type == "bbox":
        shapes, areas = read_boxes(item, place, size)
        json_areas = None  # those of the json are areas of masks
    else:
        shapes, areas = read_masks(item.get("segmentations"), f"{place}.segmentations", size)
        json_areas = item.get("areas")
    if json_areas is not None:
        numbers = isinstance(json_areas, Sequence) and all(a is None or type(a) in (int, float) for a in json_areas)
        if not numbers:
            raise EvaluationInputError(f"{place}.areas is {shorten(json_areas)}; give a number or null per frame")
    return EvalTrack(
        video_id=item["video_id"],
        category_id=item["category_id"],
        shapes=shapes,
        areas=areas,
        mean_area=mean_area(areas if json_areas is None else json_areas),
        is_crowd=bool(item.get("iscrowd", 0)),
        annotation_id=item["id"],
    )
