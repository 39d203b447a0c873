"""Finds everything that is wrong with a data set before it is used: the json, the image files, their sizes."""

import os
from collections.abc import Callable, Mapping

from vis_projects.data.errors import DatasetError
from vis_projects.data.faults import Fault, is_int, json_faults
from vis_projects.data.image_check import ImageFolder, image_faults, unused_images
from vis_projects.data.set_faults import set_notes, shared_frames
from vis_projects.data.track_faults import track_faults
from vis_projects.data.ytvis_json import read_ytvis_json

# kinds of faults with which the frames of a track cannot be looked at
BLOCKING = frozenset(("annotation id", "unknown video", "list length", "mask", "mask size", "box"))
ANY_CATEGORY = {"id": 1, "name": "any"}


def check_dataset(
    json_file: str, image_root: str | None = None, *, on_progress: Callable[[int, int], None] | None = None
) -> list[Fault]:
    """All faults of a YouTube-VIS data set; an empty list means that it can be used.

    Args:
        json_file: path of the annotations.
        image_root: folder that `file_names` are relative to; None takes `JPEGImages` beside the json where that is
            there, and looks at no image elsewhere.
        on_progress: called at the start and after each video with the number of frames that are done, and of all.

    Returns:
        faults, in the order: the json alone, then video by video, then the whole set. Those with `fatal` false do not
        keep the data set from being used.

    Raises:
        FileNotFoundError: if the json is not there.
    """
    try:
        data = read_ytvis_json(json_file)
    except DatasetError as error:
        return [Fault(None, "json", str(error), "write or download the file again")]
    faults = list(json_faults(data))
    if not isinstance(data, Mapping):
        return faults
    images, videos = find_images(json_file, image_root), _sound_videos(data)
    tracks = _readable_tracks(data, videos, faults)
    done, total = 0, sum(len(video["file_names"]) for video in videos.values())
    if on_progress is not None:
        on_progress(0, total)
    for video_id, video in videos.items():
        if images is not None:
            faults += image_faults(video, images)
        for annotation in tracks[video_id]:
            faults += track_faults(annotation, video)
        done += len(video["file_names"])
        if on_progress is not None:
            on_progress(done, total)
    return faults + list(shared_frames(list(videos.values())))


def dataset_notes(json_file: str, image_root: str | None = None) -> list[Fault]:
    """What is as it may be in a data set, but might not be meant so; nothing where the json is broken.

    Args:
        json_file, image_root: as of `check_dataset`.

    Raises:
        FileNotFoundError: if the json is not there.
    """
    try:
        data = read_ytvis_json(json_file)
    except DatasetError:
        return []
    lists = {key: data.get(key) for key in ("videos", "categories")} if isinstance(data, Mapping) else {}
    if not isinstance(data, Mapping) or any(True for _ in json_faults(lists)):
        return []
    images = find_images(json_file, image_root)
    return [*set_notes(data), *(unused_images(data["videos"], images) if images is not None else ())]


def find_images(json_file: str, image_root: str | None) -> ImageFolder | None:
    """The given folder of images, or `JPEGImages` beside the json where that is there."""
    if image_root is None:
        beside = os.path.join(os.path.dirname(os.path.abspath(json_file)), "JPEGImages")
        image_root = beside if os.path.isdir(beside) else None
    return None if image_root is None else ImageFolder(image_root)


def _readable_tracks(data: Mapping, videos: Mapping[int, Mapping], faults: list[Fault]) -> dict[int, list[Mapping]]:
    """Annotations whose frames can be looked at, by video."""
    blocked = {fault.annotation for fault in faults if fault.kind in BLOCKING}
    tracks: dict[int, list[Mapping]] = {video_id: [] for video_id in videos}
    annotations = data.get("annotations")
    for annotation in annotations if isinstance(annotations, list) else ():
        if isinstance(annotation, Mapping) and is_int(annotation.get("id")) and annotation["id"] not in blocked:
            if annotation["video_id"] in videos:
                tracks[annotation["video_id"]].append(annotation)
    return tracks


def _sound_videos(data: Mapping) -> dict[int, Mapping]:
    """Videos whose own fields are fine, by id."""
    videos = data.get("videos")
    if not isinstance(videos, list) or not videos:
        return {}
    broken = {fault.video for fault in json_faults({"videos": videos, "categories": [ANY_CATEGORY]})}
    with_id = [video for video in videos if isinstance(video, Mapping) and isinstance(video.get("id"), int)]
    return {video["id"]: video for video in with_id if video["id"] not in broken}
