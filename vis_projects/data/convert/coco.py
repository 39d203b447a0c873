"""COCO json of video frames: every annotation carries the id of its object. Reader and writer.

Videos: images carry `video_id`, or the folder of `file_name` is the video. Order of frames: `frame_id` or `frame_index`
where images carry it, otherwise the natural order of `file_name`. Objects: `track_id` or `instance_id`.
"""

import os
from collections.abc import Mapping

from vis_projects.data.convert.builder import YtvisBuilder
from vis_projects.data.convert.coco_file import CocoFile, annotation_rle, load_coco, note_unread_fields
from vis_projects.data.convert.dataset_frames import DatasetFrames, note_other_fields
from vis_projects.data.convert.files import natural_key, source_error, video_folders
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.convert.ytvis import write_json
from vis_projects.data.faults import is_int

TRACK_KEYS = ("track_id", "instance_id")
FRAME_KEYS = ("frame_id", "frame_index")
VIDEO_KEYS = {"id", "height", "width", "length", "file_names"}


def read_coco(source: str, options: ConvertOptions, notes: ConvertNotes) -> dict:
    """YouTube-VIS dict; ids of videos, categories and, where no two videos share one, of objects are kept.

    Raises:
        FileNotFoundError: the file is not there.
        DatasetError: a fault of the file, of the order of frames, or of the ids of objects.
    """
    coco = load_coco(source)
    builder = YtvisBuilder("COCO with track ids", notes)
    places = {image_id: place for video in _videos(coco).values() for image_id, place in _enter(video, coco, builder)}
    seen: set[tuple] = set()
    kinds: dict[tuple, tuple] = {}
    for index in options.progress(range(len(coco.annotations)), "COCO"):
        annotation, place = coco.annotations[index], f"annotations[{index}]"
        video_id, t = places[annotation["image_id"]]
        track = _track_of(coco, index)
        if (video_id, track, t) in seen:
            raise source_error(source, place, f"object {track!r} is in image {annotation['image_id']} twice",
                               "unite the two masks, or give one of them another track_id")
        seen.add((video_id, track, t))
        kind = annotation["category_id"], annotation.get("iscrowd", 0)
        if kinds.setdefault((video_id, track), kind) != kind:
            raise source_error(source, place, f"object {track!r} has category and iscrowd {kind}, before they were "
                               f"{kinds[video_id, track]}", "give an object one category and one iscrowd")
        own_id = track if isinstance(track, int) and track > 0 else None
        builder.add_mask(video_id, track, t, annotation_rle(coco, index, options), kind[0], crowd=bool(kind[1]),
                         own_id=own_id, source_id=None if own_id is not None else track)
    note_unread_fields(coco, notes)
    if options.images:
        notes.image_root = options.images
    return {**builder.build(coco.categories.records), "info": dict(coco.info)}


def write_coco(data: Mapping, target: str, options: ConvertOptions, notes: ConvertNotes) -> None:
    """Writes one image for every frame and one annotation for every mask.

    Images carry `video_id` and `frame_id` (0, 1, ... in a video), annotations `track_id` (the annotation id of the
    YouTube-VIS json) and `video_id`; `videos` holds the records of the videos without their lists of frames.

    Args:
        data: sound YouTube-VIS dict.
        target: file to write; its folder is there.
        options: progress.
        notes: takes the fields of annotations that are left out.
    """
    names = video_folders(data["videos"])
    videos = [{"name": names[video["id"]], **{key: value for key, value in video.items() if key != "file_names"}}
              for video in data["videos"]]
    images, annotations = [], []
    for video, t, present in options.progress(DatasetFrames(data), "COCO"):
        image_id = len(images) + 1
        images.append({"id": image_id, "file_name": video["file_names"][t], "height": video["height"],
                       "width": video["width"], "video_id": video["id"], "frame_id": t})
        for annotation, rle in present:
            annotations.append({
                "id": len(annotations) + 1, "image_id": image_id, "video_id": video["id"],
                "track_id": annotation["id"], "category_id": annotation["category_id"], "segmentation": rle,
                "bbox": annotation["bboxes"][t], "area": annotation["areas"][t], "iscrowd": annotation["iscrowd"]})
    note_other_fields(data, notes)
    write_json({"info": data.get("info") or {}, "licenses": data.get("licenses") or [], "videos": videos,
                "images": images, "annotations": annotations, "categories": data["categories"]}, target)


def _videos(coco: CocoFile) -> dict[int | str, list[Mapping]]:
    """Images of each video, by video id or by folder."""
    keyed = [image for image in coco.images.values() if "video_id" in image]
    if keyed and len(keyed) < len(coco.images):
        stranger = next(image for image in coco.images.values() if "video_id" not in image)
        raise source_error(coco.path, f"image {stranger['id']}, video_id", "is missing, other images have one",
                           "give every image the id of its video, or none")
    videos: dict[int | str, list[Mapping]] = {}
    for image in coco.images.values():
        key = image["video_id"] if keyed else os.path.dirname(image["file_name"])
        if keyed and not is_int(key):
            raise source_error(coco.path, f"image {image['id']}, video_id", f"is {key!r}", "give an integer")
        videos.setdefault(key, []).append(image)
    return videos if keyed else dict(sorted(videos.items(), key=lambda item: natural_key(item[0])))


def _enter(images: list[Mapping], coco: CocoFile, builder: YtvisBuilder) -> list[tuple[int, tuple[int, int]]]:
    """Enters a video and returns image id and (video id, t) of each of its frames."""
    first = images[0]
    for image in images:
        if (image["height"], image["width"]) != (first["height"], first["width"]):
            raise source_error(coco.path, f"image {image['id']}, height and width",
                               f"are {image['height']} and {image['width']}, those of image {first['id']} of the same "
                               f"video {first['height']} and {first['width']}",
                               "give the frames of a video one size, or correct video_id; single images of several "
                               "sizes are --from coco-images")
    ordered = _in_order(images, coco)
    video = coco.videos.get(first.get("video_id"), {})
    extra = {key: value for key, value in video.items() if key not in VIDEO_KEYS}
    video_id = builder.add_video([image["file_name"] for image in ordered], first["height"], first["width"],
                                 video_id=first.get("video_id"), **extra)
    return [(image["id"], (video_id, t)) for t, image in enumerate(ordered)]


def _in_order(images: list[Mapping], coco: CocoFile) -> list[Mapping]:
    for key in FRAME_KEYS:
        if not all(key in image for image in images):
            continue
        numbers: dict[int, int] = {}
        for image in images:
            number = image[key]
            integer = is_int(number)
            if not integer or number in numbers:
                twice = f", as image {numbers[number]} of the same video" if integer else ""
                raise source_error(coco.path, f"image {image['id']}, {key}", f"is {number!r:.60}{twice}",
                                   "number the frames of a video with integers, each once")
            numbers[number] = image["id"]
        return sorted(images, key=lambda image: image[key])
    return sorted(images, key=lambda image: natural_key(image["file_name"]))


def _track_of(coco: CocoFile, index: int) -> int | str:
    annotation = coco.annotations[index]
    track = next((annotation[key] for key in TRACK_KEYS if key in annotation), None)
    if not is_int(track) and not isinstance(track, str):
        seen = "is missing" if track is None else f"is {track!r:.60}"
        raise source_error(coco.path, f"annotations[{index}].track_id", seen, "give every annotation the id of its "
                           "object over the video (track_id or instance_id); single images are --from coco-images")
    return track
