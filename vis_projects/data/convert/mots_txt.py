"""MOTS txt, `<folder>/instances_txt/<video>.txt`: a line for each mask. Reader and writer; numbers as in `mots`.

A line is `frame object class height width rle`. The frame is the number at the end of the name of the frame's file,
where the names of a video have rising numbers, otherwise its position from 0 on.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from vis_projects.data.convert.builder import YtvisBuilder
from vis_projects.data.convert.dataset_frames import DatasetFrames
from vis_projects.data.convert.files import files_in, frame_numbers, source_error, stem_of, video_folders
from vis_projects.data.convert.frame_lists import FrameList, FrameLists
from vis_projects.data.convert.label_maps import stacking_order
from vis_projects.data.convert.masks import cut_overlaps, unite_rles
from vis_projects.data.convert.mots import (
    PER_CLASS,
    MotsObjects,
    prepare_target,
    source_categories,
    source_folders,
)
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.mask_faults import mask_problem
from vis_projects.layers import rle_area

FOLDER = "instances_txt"
FIELDS = ("frame", "object", "class", "height", "width")


@dataclass(frozen=True)
class MotsLine:
    """One mask: numbers of its frame, object and class, its RLE, and where it was read."""

    frame: int
    number: int
    class_number: int
    rle: Mapping
    place: str


def read_mots_txt(source: str, options: ConvertOptions, notes: ConvertNotes) -> dict:
    """YouTube-VIS dict of a txt file, or of a folder of them.

    Raises:
        DatasetError: a line is broken, a class is unknown, or the length or size of a video cannot be known.
    """
    labels, beside = source_folders(source, FOLDER)
    files = [labels] if os.path.isfile(labels) else [os.path.join(labels, file) for file in files_in(labels, (".txt",))]
    if not files:
        raise source_error(labels, "folder", "holds no txt file", "give the folder with one txt file for each video")
    objects = MotsObjects(YtvisBuilder("MOTS txt", notes), source_categories(options, beside, notes), notes)
    frame_lists = FrameLists(options, notes, beside)
    paths = {stem_of(path): path for path in files}
    for name in options.progress(frame_lists.arrange(paths), "MOTS txt"):
        path = paths[name]
        lines = read_lines(path)
        frames = frame_lists.find(name, alone=len(files) == 1) or _own_frames(path, lines, notes)
        size = _size_of(path, lines, frames)
        video_id = objects.builder.add_video(frames.file_names, *size, video_id=frames.video_id, **frames.extra)
        positions = {number: t for t, number in enumerate(frame_numbers(frames.file_names))}
        for line in lines:
            if line.frame not in positions:
                raise source_error(path, line.place, f"is of frame {line.frame}, the video has {len(positions)} frames "
                                   f"from {min(positions)} to {max(positions)}",
                                   "give the images or the json that the labels belong to")
            objects.add(video_id, positions[line.frame], line.number, line.class_number, line.rle, path, line.place)
    return objects.build()


def read_lines(path: str) -> list[MotsLine]:
    """All masks of a file.

    Raises:
        DatasetError: naming the first broken line.
    """
    lines, seen, classes = [], set(), {}
    try:
        with open(path, encoding="ascii") as file:
            texts = file.read().splitlines()
    except UnicodeDecodeError as error:
        raise source_error(path, "text", f"is not plain text ({error})", "give a MOTS txt file") from error
    for count, text in enumerate(texts, 1):
        if not text.strip():
            continue
        line = _parse(path, f"line {count}", text.split())
        if (line.frame, line.number) in seen:
            raise source_error(path, line.place, f"object {line.number} is in frame {line.frame} twice",
                               "unite the two masks, or give one of them another number")
        seen.add((line.frame, line.number))
        if classes.setdefault(line.number, line.class_number) != line.class_number:
            raise source_error(path, line.place, f"object {line.number} has class {line.class_number}, before it was "
                               f"{classes[line.number]}", "give an object one class")
        lines.append(line)
    return lines


def write_mots_txt(data: Mapping, target: str, options: ConvertOptions, notes: ConvertNotes) -> None:
    """Writes a txt file for every video and `videos.json`.

    The masks of a MOTS frame must not overlap: where they do the smaller one stays, any object before a crowd region,
    and the lost pixels are counted.

    Args:
        data: sound YouTube-VIS dict.
        target: folder to make.
        options: progress; with `keep_overlaps` overlaps stay, which MOTS tools refuse.
        notes: takes what is lost.

    Raises:
        DatasetError: too many classes or objects.
    """
    numbers = prepare_target(data, target, notes)
    folders, lines = video_folders(data["videos"]), {video["id"]: [] for video in data["videos"]}
    frame_of = {video["id"]: frame_numbers(video["file_names"]) for video in data["videos"]}
    for video, t, present in options.progress(DatasetFrames(data), "MOTS txt"):
        rles = [rle for _, rle in present]
        if not options.keep_overlaps:
            crowds = [annotation["iscrowd"] for annotation, _ in present]
            rles, lost = cut_overlaps(rles, stacking_order(rle_area(rles).tolist(), crowds))
            notes.drop("pixels that a smaller object covers", lost)
        masks: dict[int, list[Mapping]] = {}
        for (annotation, _), rle, area in zip(present, rles, rle_area(rles).tolist()):
            if area:
                masks.setdefault(numbers[annotation["id"]], []).append(rle)
            else:
                notes.drop("masks that smaller objects cover altogether")
        for number in sorted(masks):
            rle = unite_rles(masks[number])
            words = frame_of[video["id"]][t], number, number // PER_CLASS, *rle["size"], rle["counts"]
            lines[video["id"]].append(" ".join(map(str, words)))
    os.makedirs(os.path.join(target, FOLDER), exist_ok=True)
    for video_id, texts in lines.items():
        with open(os.path.join(target, FOLDER, f"{folders[video_id]}.txt"), "w", encoding="ascii") as file:
            file.writelines(f"{text}\n" for text in texts)


def _parse(path: str, place: str, words: list[str]) -> MotsLine:
    remedy = "write `frame object class height width rle`, all but the last whole numbers"
    if len(words) != len(FIELDS) + 1:
        raise source_error(path, place, f"has {len(words)} fields", remedy)
    for name, word in zip(FIELDS, words):
        if not word.isdigit():
            raise source_error(path, f"{place}, {name}", f"is {word!r}", remedy)
    frame, number, class_number, height, width = map(int, words[:-1])
    rle = {"size": [height, width], "counts": words[-1]}
    problem = mask_problem(rle, {"height": height, "width": width})
    if problem:
        raise source_error(path, f"{place}, rle", problem[1], problem[2])
    return MotsLine(frame, number, class_number, rle, place)


def _own_frames(path: str, lines: list[MotsLine], notes: ConvertNotes) -> FrameList:
    """Frames of a file that nothing but itself tells about: from 0, or from 1 where there is no 0, to the last."""
    if not lines:
        raise source_error(path, "lines", "there is none, so the length of the video is not known",
                           "give the frames with --images or --videos")
    numbers = [line.frame for line in lines]
    first = 0 if 0 in numbers else 1
    notes.assume("no --images and no --videos given: frames are called <video>/<number>.jpg; "
                 f"{stem_of(path)} has frames {first} to {max(numbers)}")
    return FrameList([f"{stem_of(path)}/{number:06d}.jpg" for number in range(first, max(numbers) + 1)])


def _size_of(path: str, lines: list[MotsLine], frames: FrameList) -> tuple[int, int]:
    size = frames.size or tuple(lines[0].rle["size"])
    for line in lines:
        if tuple(line.rle["size"]) != size:
            raise source_error(path, f"{line.place}, height and width", f"are {line.rle['size']}, the video is "
                               f"{list(size)}", "encode every mask at the size of the frames")
    return size
