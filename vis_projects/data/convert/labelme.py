"""labelme folders: one json per labelled frame; a folder is a video, so are its sub-folders. Reader.

Which shapes are one object: those with the same label and the same `group_id`, over all frames of the folder; two of
them in one frame are parts of it. A label without `group_id` is one object as long as no frame has two such shapes.
The frames are the images beside the json files, labelled or not; where there are none, the json files themselves.
"""

import base64
import binascii
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vis_projects.data.convert.builder import YtvisBuilder
from vis_projects.data.convert.category_map import CategoryMap
from vis_projects.data.convert.files import (
    IMAGE_SUFFIXES,
    base_name,
    files_in,
    frame_stems,
    image_size,
    natural_key,
    source_error,
    stem_of,
)
from vis_projects.data.convert.frame_lists import FrameList, FrameLists
from vis_projects.data.convert.masks import box_rle, crop_rle, ellipse_rle, polygon_rle
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.faults import is_int, is_number
from vis_projects.data.ytvis_json import read_ytvis_json

WITHOUT_AREA = ("point", "points", "line", "linestrip")
MASK_REMEDY = "save the shape again in labelme"


@dataclass(frozen=True)
class LabelmeFrame:
    """The labels of one frame, without its pixels.

    Attributes:
        path: of the json.
        image: file name of its image.
        size: (height, width), None where the json does not say.
        shapes: those that have an area, by their place in the json.
    """

    path: str
    image: str
    size: tuple[int, int] | None
    shapes: dict[int, Mapping]


def read_labelme(source: str, options: ConvertOptions, notes: ConvertNotes) -> dict:
    """YouTube-VIS dict of a folder of json files, or of a folder of such folders.

    Raises:
        DatasetError: a file is broken, sizes differ within a video, or it is not clear which object a shape is.
    """
    folders = _video_folders(source)
    lists, videos = FrameLists(options, notes), {}
    if notes.image_root is None:
        notes.image_root = os.path.dirname(os.path.abspath(source)) if source in folders.values() else source
    for name in lists.arrange(folders):
        folder = folders[name]
        frames = [read_frame(os.path.join(folder, file), notes) for file in files_in(folder, (".json",))]
        videos[name] = frames, lists.find(name, alone=len(folders) == 1) or _own_frames(name, folder, frames)
    labels = {shape["label"] for frames, _ in videos.values() for frame in frames for shape in frame.shapes.values()}
    categories = CategoryMap.from_file(options.categories) if options.categories else _named(source, labels)
    builder, work = YtvisBuilder("labelme", notes), []
    for name, (frames, listed) in videos.items():
        size = _size_of(name, frames, listed)
        video_id = builder.add_video(listed.file_names, *size, video_id=listed.video_id, **listed.extra)
        note_ungrouped(name, frames, notes)
        work += [(video_id, t, size, frame) for t, frame in _placed(frames, listed)]
    for video_id, t, size, frame in options.progress(work, "labelme"):
        for index, shape in frame.shapes.items():
            key = (shape["label"], shape.get("group_id"))
            source_id = key[0] if key[1] is None else f"{key[0]} {key[1]}"
            category_id = categories.id_of(key[0], frame.path, f"shapes[{index}].label")
            builder.add_mask(video_id, key, t, shape_rle(frame.path, index, shape, size), category_id,
                             source_id=source_id)
    return builder.build(categories.records)


def read_frame(path: str, notes: ConvertNotes) -> LabelmeFrame:
    """Reads a json and checks its shapes; shapes without an area are left out, the picture inside is ignored.

    Raises:
        DatasetError: naming the field.
    """
    data = read_ytvis_json(path)
    if not isinstance(data, Mapping) or not isinstance(data.get("shapes"), list):
        raise source_error(path, "shapes", "is no list", "give json files of labelme only, one for each frame")
    shapes = {}
    for index, shape in enumerate(data["shapes"]):
        place = f"shapes[{index}]"
        if not isinstance(shape, Mapping) or not isinstance(shape.get("label"), str) or not shape["label"]:
            raise source_error(path, f"{place}.label", "is missing or empty", "give every shape a label")
        group = shape.get("group_id")
        if group is not None and not is_int(group) and not isinstance(group, str):
            raise source_error(path, f"{place}.group_id", f"is {group!r:.60}", "write a whole number or null")
        if shape.get("shape_type", "polygon") in WITHOUT_AREA:
            notes.drop(f"shapes of type {shape['shape_type']}, which have no area")
        else:
            shapes[index] = shape
    size = data.get("imageHeight"), data.get("imageWidth")
    if size != (None, None) and not all(is_int(side) and side > 0 for side in size):
        raise source_error(path, "imageHeight, imageWidth", f"are {size[0]!r}, {size[1]!r}", "write the size in pixels")
    image = os.path.basename(str(data.get("imagePath") or "").replace("\\", "/")) or f"{stem_of(path)}.jpg"
    return LabelmeFrame(path, image, None if size == (None, None) else size, shapes)


def shape_rle(path: str, index: int, shape: Mapping, size: tuple[int, int]) -> dict:
    """Mask of a shape.

    Args:
        path: of its json, for errors.
        index: place in the json.
        shape: with `shape_type` polygon, rectangle, circle (centre and a point on it) or mask.
        size: (height, width).

    Raises:
        DatasetError: another type, or its points do not suit the type.
    """
    kind, points = shape.get("shape_type", "polygon"), _points(path, index, shape)
    wanted = 2 if kind in ("rectangle", "circle", "mask") else None
    if wanted and len(points) != wanted:
        raise source_error(path, f"shapes[{index}].points", f"has {len(points)} points, a {kind} has {wanted}",
                           "draw the shape again")
    try:
        if kind == "polygon":
            return polygon_rle(points, *size)
        if kind == "rectangle":
            return box_rle(*points.min(axis=0), *points.max(axis=0), *size)
        if kind == "circle":
            radius = float(np.hypot(*(points[1] - points[0])))
            return ellipse_rle(points[0], (radius, radius), *size)
        if kind == "mask":
            left, top = points.min(axis=0).round().astype(int).tolist()
            return crop_rle(_embedded_mask(path, index, shape), left, top, *size)
    except ValueError as error:
        raise source_error(path, f"shapes[{index}] ({kind})", str(error), "draw the shape again") from error
    raise source_error(path, f"shapes[{index}].shape_type", f"is {kind!r:.60}",
                       "draw a polygon, rectangle, circle or mask")


def note_ungrouped(name: str, frames: list[LabelmeFrame], notes: ConvertNotes) -> None:
    """Says which labels without `group_id` are taken as one object over the video.

    Args:
        name: of the video.
        frames: its labels.
        notes: gets the remark.

    Raises:
        DatasetError: a frame has two shapes of one label without `group_id`.
    """
    alone = set()
    for frame in frames:
        seen: dict[str, int] = {}
        for index, shape in frame.shapes.items():
            label = shape["label"]
            if shape.get("group_id") is not None:
                continue
            if label in seen:
                raise source_error(frame.path, f"shapes[{index}].group_id", f"is null, and shapes[{seen[label]}] "
                                   f"is {label!r} without it too: one object or two?",
                                   "give each object a group_id, the same in every frame; parts of one object share it")
            seen[label] = index
        alone |= set(seen)
    if alone:
        labels = ", ".join(sorted(alone))
        notes.assume(f"video {name}: shapes without group_id are one object for each label ({labels})")


def _video_folders(source: str) -> dict[str, str]:
    """Folder of each video by its path below the source, or by the name of the source where that is the only one."""
    found = {}
    for folder, below, _ in os.walk(source):
        below[:] = [name for name in below if not name.startswith(".")]
        if files_in(folder, (".json",)):
            found[os.path.relpath(folder, source).replace(os.sep, "/")] = folder
    found = {name: found[name] for name in sorted(found, key=natural_key)}
    if not found:
        raise source_error(source, "folder", "there is no json file below it", "give the folder of the labelme files")
    if "." in found:
        if len(found) > 1:
            other = next(name for name in found if name != ".")
            raise source_error(source, "folder", f"holds json files and a folder with json files ({other})",
                               "give the folder of one video, or move all videos into folders of their own")
        return {base_name(source): source}
    return found


def _own_frames(name: str, folder: str, frames: list[LabelmeFrame]) -> FrameList:
    images = files_in(folder, IMAGE_SUFFIXES)
    if images:
        return FrameList([f"{name}/{image}" for image in images], *image_size(os.path.join(folder, images[0])))
    return FrameList(list(dict.fromkeys(f"{name}/{frame.image}" for frame in frames)))


def _placed(frames: list[LabelmeFrame], listed: FrameList) -> list[tuple[int, LabelmeFrame]]:
    """(t, labels) of each labelled frame, by the stem of its image."""
    places = {stem: t for t, stem in enumerate(frame_stems(listed.file_names))}
    taken: dict[str, str] = {}
    for frame in frames:
        stem = stem_of(frame.image)
        if stem not in places:
            raise source_error(frame.path, "imagePath", f"is {frame.image!r}, the video has no such frame",
                               "put the image there, or remove the json")
        if stem in taken:
            raise source_error(frame.path, "imagePath", f"is {frame.image!r}, and so it is in {taken[stem]}",
                               "keep one json for each frame")
        taken[stem] = frame.path
    return [(places[stem_of(frame.image)], frame) for frame in frames]


def _size_of(name: str, frames: list[LabelmeFrame], listed: FrameList) -> tuple[int, int]:
    size = listed.size
    for frame in frames:
        size = size or frame.size
        if frame.size and frame.size != size:
            raise source_error(frame.path, "imageHeight, imageWidth", f"are {frame.size[0]}, {frame.size[1]}, the "
                               f"video {name} is {size[0]}, {size[1]}",
                               "the frames of a video have one size; move others away")
    if size is None:
        raise source_error(frames[0].path, "imageHeight, imageWidth", "are missing", "give the frames with --images")
    return size


def _named(source: str, labels: set[str]) -> CategoryMap:
    if not labels:
        raise source_error(source, "shapes", "there is no shape with an area, so no class",
                           "name the classes with --categories")
    return CategoryMap.from_names(sorted(labels), source)


def _points(path: str, index: int, shape: Mapping) -> np.ndarray:
    points = shape.get("points")
    pairs = isinstance(points, list) and all(
        isinstance(p, list) and len(p) == 2 and all(map(is_number, p)) for p in points)
    if not pairs or not points:
        raise source_error(path, f"shapes[{index}].points", f"is {points!r:.60}", "write [[x, y], ...] in pixels")
    return np.array(points, dtype=np.float64)


def _embedded_mask(path: str, index: int, shape: Mapping) -> np.ndarray:
    """bool (h, w) of the png inside a shape of type mask."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(shape.get("mask") or "", validate=True))) as image:
            return np.asarray(image.convert("L")) > 0
    except (OSError, SyntaxError, binascii.Error, TypeError) as error:
        raise source_error(path, f"shapes[{index}].mask", f"is no png in base64 ({error})", MASK_REMEDY) from error
