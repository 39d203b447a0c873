"""CVAT for video xml: one track per object. Reader; which frames a track is in is told in `cvat_shapes`.

Where objects of different `z_order` overlap in a frame the higher one covers the lower one, unless overlaps are kept.
"""

import os
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from vis_projects.data.convert.builder import YtvisBuilder
from vis_projects.data.convert.category_map import CategoryMap
from vis_projects.data.convert.cvat_shapes import (
    DRAWN,
    WITHOUT_AREA,
    CvatShape,
    draw_shape,
    is_full_export,
    parse_shape,
    present_shapes,
)
from vis_projects.data.convert.cvat_xml import CvatTask, label_names, parse_xml, read_tasks
from vis_projects.data.convert.files import frame_numbers, source_error
from vis_projects.data.convert.frame_lists import FrameList, FrameLists
from vis_projects.data.convert.masks import cut_overlaps
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions

XML_NAME = "annotations.xml"


def read_cvat(source: str, options: ConvertOptions, notes: ConvertNotes) -> dict:
    """YouTube-VIS dict of an xml file, or of the folder that CVAT's zip unpacks to.

    Raises:
        DatasetError: the file is broken, boxes are not to be taken as masks, or frames and images do not match.
    """
    path = os.path.join(source, XML_NAME) if os.path.isdir(source) else source
    root = parse_xml(path)
    tasks, lists = read_tasks(root, path), FrameLists(options, notes)
    categories = CategoryMap.from_file(options.categories) if options.categories else _labels(root, path)
    builder = YtvisBuilder("CVAT for video", notes)
    videos = _enter_videos(tasks, lists, builder, path, notes)
    tracks = root.findall("track")
    fill = not is_full_export(shape for track in tracks for shape in track)
    by_frame: dict[tuple[int, int], list[_Drawn]] = defaultdict(list)
    for place, track in options.progress(list(enumerate(tracks)), "CVAT tracks"):
        video_id, task, size = _video_of(track, videos, path)
        category_id = categories.id_of(track.get("label", ""), path, f"track {_id(track)}, label")
        for shape in _shapes_of(track, task, fill, options, path, notes):
            drawn = _Drawn(place, category_id, shape.z_order, draw_shape(shape, size, path))
            by_frame[video_id, task.numbers.index(shape.frame)].append(drawn)
    for (video_id, t), entries in options.progress(list(by_frame.items()), "CVAT frames"):
        rles = [entry.rle for entry in entries]
        if not options.keep_overlaps:
            rles, lost = cut_overlaps(rles, [entry.z_order for entry in entries])
            notes.drop("pixels that an object of higher z_order covers", lost)
        for rle, entry in zip(rles, entries):
            builder.add_mask(video_id, entry.track, t, rle, entry.category_id, source_id=_id(tracks[entry.track]))
    return builder.build(categories.records)


@dataclass(frozen=True)
class _Drawn:
    """A mask of a frame: place of its track in the file, category, depth and RLE."""

    track: int
    category_id: int
    z_order: int
    rle: Mapping


def _enter_videos(tasks: list[CvatTask], lists: FrameLists, builder: YtvisBuilder, path: str,
                  notes: ConvertNotes) -> dict[str | None, tuple[int, CvatTask, tuple[int, int]]]:
    """Enters the videos; (id, task, size) of each by `task_id`."""
    by_name, videos = {task.name: task for task in tasks}, {}
    if len(by_name) < len(tasks):
        raise source_error(path, "meta, name", "two tasks of the project have one name", "rename one in CVAT")
    for task in (by_name[name] for name in lists.arrange(by_name)):
        frames = _frames_of(task, lists.find(task.name, alone=len(tasks) == 1), path, notes)
        size = frames.size or task.size
        if size is None:
            raise source_error(path, "meta, original_size", "is missing", "give the frames with --images")
        if task.size and task.size != size:
            raise source_error(path, "meta, original_size", f"is {task.size[0]} x {task.size[1]} (height x width), the "
                               f"frames are {size[0]} x {size[1]}", "give the frames that were labelled")
        video_id = builder.add_video(frames.file_names, *size, video_id=frames.video_id, **frames.extra)
        videos[task.task_id] = video_id, task, size
    return videos


def _labels(root: ElementTree.Element, path: str) -> CategoryMap:
    """Labels of the head, or those that tracks use where the head has none."""
    names = label_names(root) or list(dict.fromkeys(track.get("label", "") for track in root.findall("track")))
    if not names:
        raise source_error(path, "meta, labels", "there is none", "name the classes with --categories")
    return CategoryMap.from_names(names, path)


def _frames_of(task: CvatTask, known: FrameList | None, path: str, notes: ConvertNotes) -> FrameList:
    """One frame for each number of a task.

    As many frames as the task has are taken in their order; more of them by the numbers in their names.
    """
    if not task.numbers:
        raise source_error(path, "meta, size", f"the video {task.name!r} has no frame", "export the task again")
    if known is None:
        notes.assume("no --images and no --videos given: frames are called <task>/<frame number>.jpg")
        return FrameList([f"{task.name}/{number:06d}.jpg" for number in task.numbers])
    if len(known.file_names) == len(task.numbers):
        return known
    by_number = dict(zip(frame_numbers(known.file_names), known.file_names))
    missing = [number for number in task.numbers if number not in by_number]
    if missing:
        raise source_error(path, "meta, size", f"the video {task.name!r} has {len(task.numbers)} frames, "
                           f"{len(known.file_names)} are given, none of them with the number {missing[0]}",
                           "give the frames of the task, one file each")
    notes.drop("images of frames that the task does not have", len(by_number) - len(task.numbers))
    return FrameList([by_number[number] for number in task.numbers], known.height, known.width, known.video_id,
                     known.extra)


def _video_of(track: ElementTree.Element, videos: dict, path: str) -> tuple:
    key = None if None in videos else track.get("task_id")
    if key not in videos:
        raise source_error(path, f"track {_id(track)}, task_id", f"is {key!r}, the head has {', '.join(videos)}",
                           "export the project again")
    return videos[key]


def _shapes_of(track: ElementTree.Element, task: CvatTask, fill: bool, options: ConvertOptions, path: str,
               notes: ConvertNotes) -> list[CvatShape]:
    """Shapes of the frames in which an object is seen, filled in where the file has key frames only."""
    elements = [element for element in track if element.tag in DRAWN]
    others = {element.tag for element in track} - set(DRAWN)
    if others - set(WITHOUT_AREA):
        raise source_error(path, f"track {_id(track)}", f"has a <{sorted(others - set(WITHOUT_AREA))[0]}>",
                           "draw the object as polygon, mask, box or ellipse")
    notes.drop("shapes without an area (polyline, points, skeleton)", sum(e.tag in WITHOUT_AREA for e in track))
    if not options.boxes_as_masks and any(element.tag == "box" for element in elements):
        raise source_error(path, f"track {_id(track)}", "is drawn as boxes, which say nothing about the mask",
                           "draw polygons or masks, or take boxes as filled rectangles with --boxes-as-masks")
    shapes = sorted((parse_shape(e, path, _id(track)) for e in elements), key=lambda shape: shape.frame)
    for shape, after in zip(shapes, shapes[1:]):
        if shape.frame == after.frame:
            raise source_error(path, after.place, "the track has two shapes in this frame", "keep one of them")
    inside = [shape for shape in shapes if shape.frame in task.numbers]
    beyond = [shape for shape in shapes if shape.frame not in task.numbers and not shape.outside]
    if beyond:
        raise source_error(path, beyond[0].place, f"the video {task.name!r} has frames {task.numbers[0]} to "
                           f"{task.numbers[-1]} in steps of {task.numbers.step}", "export the task again")
    present = present_shapes(inside, task.numbers, fill=fill, path=path)
    filled = len(present) - sum(not shape.outside for shape in inside)
    if filled:
        notes.assume("no shape has keyframe=\"0\", so these are key frames only: the frames between and after them are "
                     "filled in")
    return present


def _id(track: ElementTree.Element) -> str:
    return track.get("id", "?")
