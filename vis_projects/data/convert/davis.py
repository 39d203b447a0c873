"""DAVIS palette png, `<folder>/<video>/<frame>.png`: value k is object k, 0 background, 255 void. Reader and writer.

Void pixels belong to no object and are left out, with a count. A source that holds 0 and 255 only is a set of binary
masks (DAVIS 2016): 255 is then object 1.
"""

import os
from collections.abc import Mapping

import numpy as np
from PIL import Image

from vis_projects.data.convert.builder import YtvisBuilder
from vis_projects.data.convert.category_map import CategoryMap
from vis_projects.data.convert.dataset_frames import DatasetFrames, note_other_fields, objects_by_video
from vis_projects.data.convert.files import frame_stems, source_error, video_folders
from vis_projects.data.convert.frame_lists import FrameLists
from vis_projects.data.convert.label_maps import list_label_maps, masks_of, paint, read_label_map, stacking_order
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.layers import rle_area

VOID = 255
MAX_OBJECTS = 254  # 8 bits without background and void
REMEDY = "write an 8-bit palette or grey png whose values are the numbers of the objects, not colours"
DEFAULT_CLASS = "object"


def read_davis(source: str, options: ConvertOptions, notes: ConvertNotes) -> dict:
    """YouTube-VIS dict of a folder of videos, or of the folder of one video.

    Raises:
        DatasetError: a file is broken, or an object has no class.
    """
    if options.categories:
        categories = CategoryMap.from_file(options.categories)
    else:
        notes.assume(f"no --categories given: every object is of one class {DEFAULT_CLASS!r}")
        categories = CategoryMap.from_names([DEFAULT_CLASS], "the default")
    builder = YtvisBuilder("DAVIS png", notes)
    maps = list_label_maps(source, builder, FrameLists(options, notes), notes)
    void: list[tuple] = []  # kept until it is known whether the source has other values
    numbered = False
    for label_map in options.progress(maps, "DAVIS png"):
        for number, rle in masks_of(read_label_map(label_map, ("P", "L"), REMEDY)):
            if number == VOID:
                void.append((label_map, rle))
                continue
            numbered = True
            category_id = categories.id_of_object(label_map.video, number, label_map.path)
            builder.add_mask(label_map.video_id, number, label_map.t, rle, category_id, source_id=number)
    if void and not numbered:
        notes.assume(f"the only value beside 0 is {VOID}: taken as binary masks of one object a video")
        for label_map, rle in void:
            category_id = categories.id_of_object(label_map.video, 1, label_map.path)
            builder.add_mask(label_map.video_id, 1, label_map.t, rle, category_id, source_id=1)
    else:
        notes.drop(f"void pixels (value {VOID})", int(rle_area([rle for _, rle in void]).sum()))
    return builder.build(categories.records)


def write_davis(data: Mapping, target: str, options: ConvertOptions, notes: ConvertNotes) -> None:
    """Writes `<target>/<video>/<frame>.png`; objects are numbered 1, 2, ... in the order of their annotations.

    A png holds one object a pixel: where masks overlap the smaller one stays, and the lost pixels are counted. Crowd
    regions and classes cannot be written.

    Args:
        data: sound YouTube-VIS dict.
        target: folder to make.
        options: progress.
        notes: takes what is lost.

    Raises:
        DatasetError: a video has more than 254 objects.
    """
    notes.drop("classes (DAVIS png has none)", len(data["categories"]))
    note_other_fields(data, notes)
    folders, numbers = video_folders(data["videos"]), _object_numbers(data, notes)
    stems = {video["id"]: frame_stems(video["file_names"]) for video in data["videos"]}
    colours = palette()
    for video, t, present in options.progress(DatasetFrames(data), "DAVIS png"):
        present = [(numbers[annotation["id"]], rle) for annotation, rle in present if annotation["id"] in numbers]
        rles = [rle for _, rle in present]
        ranks = stacking_order(rle_area(rles).tolist(), [0] * len(rles))
        values, lost, gone = paint(rles, [number for number, _ in present], ranks, (video["height"], video["width"]),
                                   np.uint8)
        notes.drop("pixels that a smaller object covers", lost)
        notes.drop("masks that smaller objects cover altogether", gone)
        path = os.path.join(target, folders[video["id"]], f"{stems[video['id']][t]}.png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        image = Image.fromarray(values)
        image.putpalette(colours)
        image.save(path)


def _object_numbers(data: Mapping, notes: ConvertNotes) -> dict[int, int]:
    """Number of each annotation that is no crowd region, by its id: 1, 2, ... in its video."""
    numbers = {}
    for video_id, annotations in objects_by_video(data).items():
        own = [annotation["id"] for annotation in annotations if not annotation["iscrowd"]]
        notes.drop("crowd regions (DAVIS png has none)", len(annotations) - len(own))
        if len(own) > MAX_OBJECTS:
            raise source_error(f"video {video_id}", "annotations", f"has {len(own)} objects, 8 bits hold {MAX_OBJECTS} "
                               "beside background and void", "convert to mots-png or coco")
        numbers.update({own_id: number for number, own_id in enumerate(own, 1)})
    return numbers


def palette() -> list[int]:
    """The colours of PASCAL VOC and DAVIS: the bits of the index spread over red, green, blue from the top bit down."""
    colours = []
    for index in range(256):
        channels = [0, 0, 0]
        for bit in range(8):
            channels[bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
        colours += channels
    return colours
