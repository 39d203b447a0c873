"""MOTS png, `<folder>/instances/<video>/<frame>.png`: 16-bit label maps. Reader and writer; numbers as in `mots`."""

import os
from collections.abc import Mapping

import numpy as np
from PIL import Image

from vis_projects.data.convert.builder import YtvisBuilder
from vis_projects.data.convert.dataset_frames import DatasetFrames
from vis_projects.data.convert.files import frame_stems, source_error, video_folders
from vis_projects.data.convert.frame_lists import FrameLists
from vis_projects.data.convert.label_maps import list_label_maps, masks_of, paint, read_label_map, stacking_order
from vis_projects.data.convert.mots import (
    PER_CLASS,
    MotsObjects,
    prepare_target,
    source_categories,
    source_folders,
)
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.layers import rle_area

FOLDER = "instances"
MODES = ("I;16", "I;16B", "I;16L", "I")
REMEDY = "write a 16-bit grey png with values 1000 * class + instance; 8-bit palette png are --from davis"


def read_mots_png(source: str, options: ConvertOptions, notes: ConvertNotes) -> dict:
    """YouTube-VIS dict of a folder of videos, or of the folder of one video.

    Raises:
        DatasetError: a file is broken, or a class is unknown.
    """
    labels, beside = source_folders(source, FOLDER)
    categories = source_categories(options, beside, notes)
    objects = MotsObjects(YtvisBuilder("MOTS png", notes), categories, notes)
    maps = list_label_maps(labels, objects.builder, FrameLists(options, notes, beside), notes)
    for label_map in options.progress(maps, "MOTS png"):
        for number, rle in masks_of(read_label_map(label_map, MODES, REMEDY)):
            objects.add(label_map.video_id, label_map.t, number, number // PER_CLASS, rle, label_map.path, "pixels")
    return objects.build()


def write_mots_png(data: Mapping, target: str, options: ConvertOptions, notes: ConvertNotes) -> None:
    """Writes a png for every frame and `videos.json`.

    A png holds one object a pixel: where masks overlap the smaller one stays, any object before a crowd region, and
    the lost pixels are counted.

    Args:
        data: sound YouTube-VIS dict.
        target: folder to make.
        options: progress; `keep_overlaps` is refused.
        notes: takes what is lost.

    Raises:
        DatasetError: too many classes or objects, or `keep_overlaps`.
    """
    if options.keep_overlaps:
        raise source_error(target, "--keep-overlaps", "a png holds one object a pixel", "convert to mots-txt or coco")
    numbers = prepare_target(data, target, notes)
    folders = video_folders(data["videos"])
    stems = {video["id"]: frame_stems(video["file_names"]) for video in data["videos"]}
    for video, t, present in options.progress(DatasetFrames(data), "MOTS png"):
        rles = [rle for _, rle in present]
        crowds = [annotation["iscrowd"] for annotation, _ in present]
        values, lost, gone = paint(rles, [numbers[annotation["id"]] for annotation, _ in present],
                                   stacking_order(rle_area(rles).tolist(), crowds), (video["height"], video["width"]),
                                   np.uint16)
        notes.drop("pixels that a smaller object covers", lost)
        notes.drop("masks that smaller objects cover altogether", gone)
        path = os.path.join(target, FOLDER, folders[video["id"]], f"{stems[video['id']][t]}.png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(values).save(path)
