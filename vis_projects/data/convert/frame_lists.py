"""Which frames a video has: from a YouTube-VIS json, from a folder of images, or from the labels alone."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vis_projects.data.convert.files import (
    IMAGE_SUFFIXES,
    base_name,
    files_in,
    folders_in,
    frame_stems,
    image_size,
    source_error,
    stem_of,
    video_folders,
)
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.faults import json_faults
from vis_projects.data.ytvis_json import read_ytvis_json

RECORD_KEYS = ("id", "width", "height", "length", "file_names")


@dataclass(frozen=True)
class FrameList:
    """The frames of one video.

    Attributes:
        file_names: as the result shall name them.
        height, width: in pixels, None where not known.
        video_id: id to keep, None where there is none.
        extra: further fields of the video's record.
    """

    file_names: list[str]
    height: int | None = None
    width: int | None = None
    video_id: int | None = None
    extra: Mapping = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width)."""
        return None if self.height is None else (self.height, self.width)


class FrameLists:
    """Finds the frames of the videos of one source, where `--videos` or `--images` say which they are."""

    def __init__(self, options: ConvertOptions, notes: ConvertNotes, videos: str | None = None) -> None:
        """
        Args:
            options: `videos` and `images` are used.
            notes: gets the folder of the images.
            videos: json to use where `options` name none.

        Raises:
            FileNotFoundError: the json of `videos` is not there.
            DatasetError: that json is broken, or the folder of `images` is not there.
        """
        self._images, self._videos_file, self._notes = options.images, options.videos or videos, notes
        self._records: dict[str, Mapping] = {}
        if self._videos_file:
            data = read_ytvis_json(self._videos_file)
            for fault in json_faults({**data, "annotations": None} if isinstance(data, Mapping) else data):
                raise source_error(self._videos_file, fault.field, fault.message, fault.remedy)
            names = video_folders(data["videos"])
            self._records = {names[video["id"]]: video for video in data["videos"]}
        if self._images and not os.path.isdir(self._images):
            raise source_error(self._images, "--images", "is no folder", "name the folder with the frames")
        self._single = bool(self._images) and bool(files_in(self._images, IMAGE_SUFFIXES))
        if self._images:
            notes.image_root = os.path.dirname(os.path.abspath(self._images)) if self._single else self._images

    def arrange(self, names: Iterable[str]) -> list[str]:
        """The videos of the source in the order of the json where one is given; counts videos without labels.

        Args:
            names: of all videos of the source.
        """
        names = list(names)
        if self._videos_file:
            places = {name: place for place, name in enumerate(self._records)}
            if not (len(names) == len(places) == 1):
                self._notes.drop(f"videos of {self._videos_file} that the source does not have",
                                 len(set(places) - set(names)))
            return sorted(names, key=lambda name: places.get(name, len(places)))
        if self._images and not self._single:
            self._notes.drop(f"folders in {self._images} that the source does not have",
                             len(set(folders_in(self._images)) - set(names)))
        return names

    def find(self, name: str, *, alone: bool) -> FrameList | None:
        """The frames of a video, None where neither a json nor a folder was given.

        Args:
            name: of the video in the source.
            alone: whether the source has no other video; its name then need not agree.

        Raises:
            DatasetError: the video is in neither, or the folder has no image.
        """
        if self._videos_file:
            return self._from_json(name, alone)
        return self._from_folder(name, alone) if self._images else None

    def _from_json(self, name: str, alone: bool) -> FrameList:
        record = self._records.get(name)
        if record is None and alone and len(self._records) == 1:
            record = next(iter(self._records.values()))
        if record is None:
            raise source_error(self._videos_file, "videos", f"there is no {name!r} among {_some(self._records)}",
                               "give the json of these labels, or rename the video")
        extra = {key: value for key, value in record.items() if key not in RECORD_KEYS}
        return FrameList(list(record["file_names"]), record["height"], record["width"], record["id"], extra)

    def _from_folder(self, name: str, alone: bool) -> FrameList:
        if self._single:
            if not alone:
                raise source_error(self._images, "--images", "holds frames, and the source has several videos",
                                   "give the folder that holds one folder of frames for each video")
            folder, name = self._images, base_name(self._images)
        else:
            folder = os.path.join(self._images, name)
        files = files_in(folder, IMAGE_SUFFIXES) if os.path.isdir(folder) else []
        if not files:
            raise source_error(folder, "frames", "there is no image", "put the frames of the video there, or correct "
                               "--images, which is the folder above it")
        return FrameList([f"{name}/{file}" for file in files], *image_size(os.path.join(folder, files[0])))


def match_label_files(frames: FrameList | None, labels: Sequence[str], folder: str, name: str,
                      notes: ConvertNotes) -> tuple[FrameList, list[tuple[int, str]]]:
    """Pairs the label files of a video with its frames by their stems.

    A json names frames that all have a label file; other label files are left out. A folder of images may hold frames
    without labels; these are left out. Without either the label files are the frames, and the names of the images are
    made up.

    Args:
        frames: of the video, None where they are not known.
        labels: names of the label files.
        folder: of the label files.
        name: of the video.
        notes: takes what is left out.

    Returns:
        the frames, and (t, label file) of each.

    Raises:
        DatasetError: frames and label files do not match.
    """
    if frames is None:
        notes.assume("no --images and no --videos given: frames are called <video>/<stem of the label file>.jpg")
        frames = FrameList([f"{name}/{stem_of(label)}.jpg" for label in labels])
    by_stem = {stem_of(label): label for label in labels}
    stems = frame_stems(frames.file_names)
    if frames.video_id is not None:
        missing = [stem for stem in stems if stem not in by_stem]
        if missing:
            raise source_error(os.path.join(folder, f"{missing[0]}.png"), "frame", "does not exist",
                               "put the label file there, or give a json of the frames that have one")
        notes.drop("label files of frames that --videos does not list", len(labels) - len(stems))
    else:
        strangers = sorted(set(by_stem) - set(stems))
        if strangers:
            raise source_error(os.path.join(folder, by_stem[strangers[0]]), "frame",
                               f"no image is called {strangers[0]}", "put the image there, or correct --images")
        notes.drop("images without a label file", len(stems) - len(labels))
        listed = [file for file, stem in zip(frames.file_names, stems) if stem in by_stem]
        frames = FrameList(listed, frames.height, frames.width, None, frames.extra)
    return frames, [(t, by_stem[stem]) for t, stem in enumerate(stem for stem in stems if stem in by_stem)]


def _some(names: Mapping[str, object]) -> str:
    shown = ", ".join(sorted(names)[:5])
    return f"{shown}, ..." if len(names) > 5 else shown
