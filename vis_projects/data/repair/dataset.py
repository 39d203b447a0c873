"""Goes through a json and repairs what can be repaired without guessing."""

import os
from collections.abc import Mapping, Sequence

from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import is_int, json_faults, short
from vis_projects.data.image_check import ImageFolder
from vis_projects.data.repair.ids import IdMap, as_int, repair_ids
from vis_projects.data.repair.log import RepairLog
from vis_projects.data.repair.tracks import repair_track
from vis_projects.data.repair.videos import repair_video
from vis_projects.data.split import write_json
from vis_projects.data.ytvis_json import read_ytvis_json

CROWD = {None: 0, "0": 0, "1": 1}


def repair_dataset(json_file: str, out_file: str, image_root: str | None = None) -> list[str]:
    """Writes a repaired copy.

    Repaired are ids that are missing, repeated (of annotations) or no integers; missing names of categories; names of
    frames that are there under another spelling; height, width and length of a video that its frames and masks
    contradict; annotations of no video and objects that are absent everywhere, which are dropped; masks whose meaning
    is clear although their form is not, that reach beyond the frame, or have no pixel; boxes and areas, which are
    written after the masks. What would have to be guessed stays as it is: two videos or categories of one id, lists
    of another length than the video, masks that cannot be read, files that are not there.

    Args:
        json_file: the json, which is not changed.
        out_file: where the copy goes; another file.
        image_root: folder of the frames; None repairs what the json alone shows.

    Returns:
        one line for each repair.

    Raises:
        DatasetError: `out_file` is `json_file`, or the file is no json object with lists of videos and categories.
        FileNotFoundError: the json is not there.
    """
    if os.path.realpath(out_file) == os.path.realpath(json_file):
        raise DatasetError(f"{out_file} is the file that is to be repaired. Remedy: name another one; the original "
                           "stays.")
    data = read_ytvis_json(json_file)
    if not isinstance(data, Mapping) or not all(isinstance(data.get(key), list) for key in ("videos", "categories")):
        raise DatasetError(f"{json_file} is no object with lists of videos and categories. Remedy: write it again.")
    log = RepairLog()
    write_json(out_file, _repaired(data, ImageFolder(image_root) if image_root else None, log))
    return [str(repair) for repair in log.repairs]


def _repaired(data: Mapping, images: ImageFolder | None, log: RepairLog) -> dict:
    """A repaired copy; the given json is not changed, parts that stay are shared with it."""
    categories, category_ids = repair_ids(data["categories"], "categories", log)
    categories = [_name(category, index, log) for index, category in enumerate(categories)]
    videos, video_ids = repair_ids(data["videos"], "videos", log)
    annotations = data.get("annotations")
    if not isinstance(annotations, list):
        tracks, by_video = annotations, {}
    else:
        names = {c["name"]: c["id"] for c in categories if isinstance(c, Mapping) and isinstance(c.get("name"), str)}
        tracks = _scalars(annotations, video_ids, category_ids, names, log)
        by_video = _by_video(tracks)
    videos = [repair_video(v, by_video.get(v["id"], ()), images, log) if _has_id(v) else v for v in videos]
    sound = _sound(videos)
    if isinstance(tracks, list):
        repaired = [repair_track(a, sound[a["video_id"]], log) if _has_id(a) and a.get("video_id") in sound else a
                    for a in tracks]
        tracks = [annotation for annotation in repaired if annotation is not None]
    copy = {**data, "categories": categories, "videos": videos}
    return {**copy, "annotations": tracks} if "annotations" in data else copy


def _name(category: object, index: int, log: RepairLog) -> object:
    if not _has_id(category) or (isinstance(category.get("name"), str) and category["name"]):
        return category
    old = category.get("name")
    name = f"class {category['id']}" if old in (None, "") else str(old)
    log.add(f"categories[{index}].name", f"{short(old)} became {name!r}")
    return {**category, "name": name}


def _scalars(
    annotations: Sequence[object], videos: IdMap, categories: IdMap, names: Mapping[str, int], log: RepairLog
) -> list[object]:
    """Ids, class and crowd mark of each annotation; without those of no video."""
    numbers = [as_int(a.get("id")) if isinstance(a, Mapping) else None for a in annotations]
    free = max((number for number in numbers if number is not None), default=0) + 1
    seen: set[int] = set()
    repaired: list[object] = []
    for index, (annotation, number) in enumerate(zip(annotations, numbers)):
        if not isinstance(annotation, Mapping):
            repaired.append(annotation)
            continue
        video = videos.find(annotation.get("video_id"))
        if video is None:
            log.add(f"annotations[{index}]", f"dropped, no video has the id {short(annotation.get('video_id'))}",
                    annotation=number)
            continue
        if number is None or number <= 0 or number in seen:
            number, free = max(free, 1), max(free, 1) + 1
        seen.add(number)
        fields = {"id": number, "video_id": video}
        category = categories.find(annotation.get("category_id"))
        if category is None and isinstance(annotation.get("category_id"), str):
            category = names.get(annotation["category_id"])
        if category is not None:
            fields["category_id"] = category
        crowd = annotation.get("iscrowd")
        if not is_int(crowd) and (isinstance(crowd, bool) or crowd is None or crowd in ("0", "1")):
            fields["iscrowd"] = CROWD[crowd] if not isinstance(crowd, bool) else int(crowd)
        for key, value in fields.items():
            old = annotation.get(key)
            if old != value or type(old) is not type(value):
                log.add(key, f"{short(old)} became {short(value)}", video=video, annotation=number)
        repaired.append({**annotation, **fields})
    return repaired


def _by_video(annotations: Sequence[object]) -> dict[int, list[Mapping]]:
    by_video: dict[int, list[Mapping]] = {}
    for annotation in annotations:
        if _has_id(annotation) and is_int(annotation.get("video_id")):
            by_video.setdefault(annotation["video_id"], []).append(annotation)
    return by_video


def _sound(videos: Sequence[object]) -> dict[int, Mapping]:
    """Videos that tracks can be measured against, by id."""
    faults = json_faults({"videos": list(videos), "categories": [{"id": 1, "name": "any"}]}) if videos else ()
    broken = {fault.video for fault in faults}
    return {video["id"]: video for video in videos if _has_id(video) and video["id"] not in broken}


def _has_id(record: object) -> bool:
    return isinstance(record, Mapping) and is_int(record.get("id"))
