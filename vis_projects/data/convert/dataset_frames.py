"""A YouTube-VIS dict frame by frame, as writers of other formats need it."""

from collections.abc import Mapping, Sequence

from vis_projects.data.convert.notes import ConvertNotes

WRITTEN_KEYS = {"id", "video_id", "category_id", "iscrowd", "segmentations", "bboxes", "areas", "height", "width",
                "length"}


class DatasetFrames(Sequence):
    """Every frame of a dict as (video, t, [(annotation, RLE) of each object in it]), videos and frames in order."""

    def __init__(self, data: Mapping) -> None:
        """
        Args:
            data: sound YouTube-VIS dict whose absent masks are None.
        """
        self._objects = objects_by_video(data)
        self._places = [(video, t) for video in data["videos"] for t in range(len(video["file_names"]))]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> tuple[Mapping, int, list[tuple[Mapping, Mapping]]]:
        video, t = self._places[index]
        present = [a for a in self._objects[video["id"]] if a["segmentations"][t] is not None]
        return video, t, [(annotation, annotation["segmentations"][t]) for annotation in present]


def objects_by_video(data: Mapping) -> dict[int, list[Mapping]]:
    """Annotations of each video by its id, in the order of the file."""
    objects: dict[int, list[Mapping]] = {video["id"]: [] for video in data["videos"]}
    for annotation in data["annotations"]:
        objects[annotation["video_id"]].append(annotation)
    return objects


def note_other_fields(data: Mapping, notes: ConvertNotes) -> None:
    """Counts the fields of annotations that no other format has a place for, such as `attributes`."""
    for annotation in data["annotations"]:
        for key in annotation.keys() - WRITTEN_KEYS:
            notes.drop(f"fields {key!r} of annotations")
