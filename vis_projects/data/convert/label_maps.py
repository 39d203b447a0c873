"""Label maps: one image per frame whose pixel values number the objects (DAVIS, MOTS png)."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vis_projects.data.convert.builder import YtvisBuilder
from vis_projects.data.convert.files import base_name, files_in, folders_in, image_size, source_error
from vis_projects.data.convert.frame_lists import FrameLists, match_label_files
from vis_projects.data.convert.masks import cut_overlaps
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.layers import rle_decode, rle_encode


@dataclass(frozen=True)
class LabelMap:
    """A label map that is to be read.

    Attributes:
        video: name of its video.
        video_id: id of its video in the result.
        t: its frame.
        path: file.
        size: (height, width) that it must have.
    """

    video: str
    video_id: int
    t: int
    path: str
    size: tuple[int, int]


def png_videos(source: str) -> dict[str, str]:
    """Folder of each video's label maps by the video's name.

    Args:
        source: a folder of png, or a folder of such folders.

    Raises:
        DatasetError: there is no png, or there are some on both levels.
    """
    folders = {name: os.path.join(source, name) for name in folders_in(source)}
    videos = {name: folder for name, folder in folders.items() if files_in(folder, (".png",))}
    if files_in(source, (".png",)):
        if videos:
            raise source_error(source, "folder", f"holds png files and folders with png files ({next(iter(videos))})",
                               "give the folder of one video, or move all videos into folders of their own")
        return {base_name(source): source}
    if not videos:
        raise source_error(source, "folder", "neither it nor a folder in it holds png files",
                           "give the folder with one folder of label maps for each video")
    return videos


def list_label_maps(source: str, builder: YtvisBuilder, frame_lists: FrameLists, notes: ConvertNotes) -> list[LabelMap]:
    """Enters the videos below a folder into a builder and lists their label maps.

    Args:
        source: as for `png_videos`.
        builder: gets the videos.
        frame_lists: knows the frames where the user says which they are.
        notes: takes what is left out.

    Raises:
        DatasetError: as `png_videos`, `FrameLists.find` and `match_label_files`.
    """
    folders, maps = png_videos(source), []
    for name in frame_lists.arrange(folders):
        folder = folders[name]
        known = frame_lists.find(name, alone=len(folders) == 1)
        frames, pairs = match_label_files(known, files_in(folder, (".png",)), folder, name, notes)
        size = frames.size or image_size(os.path.join(folder, pairs[0][1]))
        video_id = builder.add_video(frames.file_names, *size, video_id=frames.video_id, **frames.extra)
        maps += [LabelMap(name, video_id, t, os.path.join(folder, file), size) for t, file in pairs]
    return maps


def read_label_map(label_map: LabelMap, modes: Collection[str], remedy: str) -> np.ndarray:
    """Pixel values as they are in the file: palette indices, not colours.

    Args:
        label_map: which one.
        modes: PIL modes that are allowed.
        remedy: for another mode.

    Returns:
        (H, W) integers.

    Raises:
        DatasetError: no image, another mode or another size.
    """
    path = label_map.path
    try:
        with Image.open(path) as image:
            mode, values = image.mode, np.asarray(image)
    except (OSError, SyntaxError) as error:
        raise source_error(path, "image", f"cannot be decoded ({error})", "write the file again") from error
    if mode not in modes:
        raise source_error(path, "pixel format", f"is {mode} (Pillow's name)", remedy)
    if values.shape != label_map.size:
        raise source_error(path, "size", f"is {values.shape[0]} x {values.shape[1]} (height x width), the video is "
                           f"{label_map.size[0]} x {label_map.size[1]}", "give every label map the size of the frames")
    return values


def masks_of(values: np.ndarray) -> Iterator[tuple[int, dict]]:
    """(value, RLE) of each value but 0, rising.

    Args:
        values: (H, W) integers.
    """
    # counting is several times faster than sorting, but needs memory up to the largest value
    numbers = np.flatnonzero(np.bincount(values.ravel())) if values.itemsize <= 2 else np.unique(values)
    for number in numbers[numbers > 0].tolist():
        yield number, rle_encode((values == number)[None])[0]


def paint(rles: Sequence[Mapping], numbers: Sequence[int], ranks: Sequence[float], size: tuple[int, int],
          dtype: type) -> tuple[np.ndarray, int, int]:
    """Draws masks into one label map.

    Args:
        rles: masks of a frame.
        numbers: value of each, several masks may share one.
        ranks: of each; where masks overlap the one of the highest rank is seen.
        size: (height, width).
        dtype: of the map.

    Returns:
        the map, the number of pixels that other masks hide, and the number of masks that are hidden altogether.
    """
    values = np.zeros(size, dtype=dtype)
    parts, lost = cut_overlaps(rles, ranks)
    masks = rle_decode(parts).numpy()
    for mask, number in zip(masks, numbers):
        values[mask] = number
    return values, lost, sum(not mask.any() for mask in masks)


def stacking_order(areas: Sequence[float], crowds: Sequence[int]) -> list[int]:
    """Ranks for masks without a depth: crowd regions lowest, then the larger below the smaller, then the first below.

    Args:
        areas: pixels of each mask.
        crowds: 1 for a crowd region.
    """
    order = sorted(range(len(areas)), key=lambda place: (-crowds[place], -areas[place], place))
    ranks = [0] * len(order)
    for rank, place in enumerate(order):
        ranks[place] = rank
    return ranks
