"""What can be wrong inside a YouTube-VIS json: every check that needs the json alone.

One annotation is one object over the whole video; `segmentations[t]` and `bboxes[t]` are its frame t or null.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vis_projects.data.mask_faults import mask_problem

FATAL, WARNING, NOTE = "fault", "warning", "note"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a data set.

    Attributes:
        video: id of the video, None where the fault concerns no single video.
        field: path of the field, for example `segmentations[2]`.
        message: what is wrong, with the value seen.
        remedy: what to change.
        annotation: id of the annotation, None where the fault concerns none.
        kind: what sort of fault it is, in one or two words, for counting.
        level: `FATAL`; `WARNING` where the data set can be used all the same; `NOTE` where it is as it may be.
    """

    video: int | str | None
    field: str
    message: str
    remedy: str
    annotation: int | None = None
    kind: str = "file"
    level: str = FATAL

    @property
    def fatal(self) -> bool:
        """Whether the data set cannot be used with it."""
        return self.level == FATAL

    def __str__(self) -> str:
        places = [f"video {self.video}"] if self.video is not None else []
        places += [f"annotation {self.annotation}"] if self.annotation is not None else []
        return f"{', '.join([*places, self.field])}: {self.message}. Remedy: {self.remedy}."


def json_faults(data: object) -> Iterator[Fault]:
    """All faults of a parsed json, in the order of the file; at most one per field of an annotation."""
    if not isinstance(data, Mapping):
        yield Fault(None, "json", f"the file holds a {type(data).__name__}",
                    "write one object with the keys videos, categories and annotations")
        return
    broken = False
    for key in ("videos", "categories"):
        if not isinstance(data.get(key), list) or not data[key]:
            broken = True
            yield Fault(None, key, f"is {short(data.get(key))}", f"give a list with at least one entry as {key!r}")
    annotations = data.get("annotations")
    if annotations is not None and not isinstance(annotations, list):
        broken = True
        yield Fault(None, "annotations", f"is {short(annotations)}",
                    "give a list, or leave the key out where there is no ground truth")
    if broken:
        return
    yield from _category_faults(data["categories"])
    yield from _video_faults(data["videos"])
    videos = {v["id"]: v for v in data["videos"] if isinstance(v, Mapping) and is_int(v.get("id"))}
    categories = {c["id"] for c in data["categories"] if isinstance(c, Mapping) and is_int(c.get("id"))}
    seen: set[int] = set()
    for index, annotation in enumerate(annotations or ()):
        yield from _annotation_faults(index, annotation, videos, categories, seen)


def _category_faults(categories: list) -> Iterator[Fault]:
    ids, names = set(), set()
    for index, category in enumerate(categories):
        place = f"categories[{index}]"
        if not isinstance(category, Mapping) or not is_int(category.get("id")):
            yield Fault(None, f"{place}.id", f"is {short(_get(category, 'id'))}", "give every category an integer id",
                        kind="category")
            continue
        if category["id"] in ids:
            yield Fault(None, f"{place}.id", f"{category['id']} is used twice", "give every category its own id",
                        kind="category")
        if not isinstance(category.get("name"), str) or not category["name"]:
            yield Fault(None, f"{place}.name", f"is {short(category.get('name'))}", "give every category a name",
                        kind="category")
        elif category["name"] in names:
            yield Fault(None, f"{place}.name", f"{category['name']!r} is used twice",
                        "give every category its own name", kind="category")
        ids.add(category["id"])
        names.add(category.get("name") if isinstance(category.get("name"), str) else None)


def _video_faults(videos: list) -> Iterator[Fault]:
    seen = set()
    for index, video in enumerate(videos):
        place = f"videos[{index}]"
        if not isinstance(video, Mapping) or not is_int(video.get("id")):
            yield Fault(None, f"{place}.id", f"is {short(_get(video, 'id'))}", "give every video an integer id",
                        kind="video id")
            continue
        video_id = video["id"]
        if video_id in seen:
            yield Fault(video_id, f"{place}.id", f"{video_id} is used twice", "give every video its own id",
                        kind="video id")
        seen.add(video_id)
        for key in ("height", "width"):
            if not is_int(video.get(key)) or video[key] <= 0:
                yield Fault(video_id, key, f"is {short(video.get(key))}", f"write the {key} of the frames in pixels",
                            kind="video size")
        names = video.get("file_names")
        if not isinstance(names, list) or not names or not all(isinstance(n, str) and n for n in names):
            yield Fault(video_id, "file_names", f"is {short(names)}",
                        "list the file of every frame, relative to the image folder", kind="file names")
        elif "length" in video and video["length"] != len(names):
            yield Fault(video_id, "length", f"is {short(video['length'])}, file_names has {len(names)} entries",
                        "make length the number of file_names", kind="video length")


def _annotation_faults(index: int, annotation: object, videos: dict, categories: set, seen: set) -> Iterator[Fault]:
    place = f"annotations[{index}]"
    if not isinstance(annotation, Mapping) or not is_int(annotation.get("id")) or annotation["id"] < 0:
        yield Fault(_get(annotation, "video_id"), f"{place}.id", f"is {short(_get(annotation, 'id'))}",
                    "give every annotation an integer id >= 0", kind="annotation id")
        return
    own, video_id = annotation["id"], annotation.get("video_id")
    if own in seen:
        yield Fault(video_id, f"{place}.id", f"{own} is used twice",
                    "give every annotation its own id; one annotation is one object over the whole video", own,
                    kind="annotation id")
    seen.add(own)
    if not is_int(video_id) or video_id not in videos:
        yield Fault(_plain(video_id), "video_id", f"is {short(video_id)}, no video has this id",
                    "add the video or drop the annotation", own, kind="unknown video")
        return
    if not is_int(annotation.get("category_id")) or annotation["category_id"] not in categories:
        yield Fault(video_id, "category_id",
                    f"is {short(annotation.get('category_id'))}, known are {short(sorted(categories))}",
                    "add the category to 'categories' or correct the id", own, kind="unknown category")
    if annotation.get("iscrowd", 0) not in (0, 1):
        yield Fault(video_id, "iscrowd", f"is {short(annotation['iscrowd'])}", "write 0 or 1", own, kind="iscrowd")
    yield from _list_faults(annotation, videos[video_id])


def _list_faults(annotation: Mapping, video: Mapping) -> Iterator[Fault]:
    """Faults of the lists over frames; the first bad frame of each list stands for the others."""
    own, names = annotation["id"], video.get("file_names")
    if not isinstance(names, list):
        return  # reported with the video
    for key in ("segmentations", "bboxes", "areas"):
        values = annotation.get(key)
        if values is None and key != "segmentations":
            continue  # derived from the masks
        if not isinstance(values, list) or len(values) != len(names):
            seen = f"has {len(values)} entries" if isinstance(values, list) else f"is {short(values)}"
            yield Fault(video["id"], key, f"{seen}, the video has {len(names)} frames",
                        "write one entry per frame, null where the object is absent", own, kind="list length")
            continue
        if key == "areas":
            continue  # only the evaluator reads them, see track_faults
        for t, value in enumerate(values):
            problem = mask_problem(value, video) if key == "segmentations" else box_problem(value)
            if problem:
                where, message, remedy = problem
                kind = "mask size" if where == ".size" else "mask" if key == "segmentations" else "box"
                yield Fault(video["id"], f"{key}[{t}]{where}", message, remedy, own, kind=kind)
                break


def box_problem(box: object) -> tuple[str, str, str] | None:
    """(sub-field, message, remedy) where a box entry is broken."""
    if box is None or box == []:
        return None
    remedy = "write [x, y, width, height] in pixels, or null where the object is absent"
    if not isinstance(box, list) or len(box) != 4 or not all(is_number(value) for value in box):
        return "", f"is {short(box)}", remedy
    if box[2] < 0 or box[3] < 0:
        return "", f"is {short(box)}, its width or height is negative", remedy
    return None


def is_number(value: object) -> bool:
    """Whether a json value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_int(value: object) -> bool:
    """Whether a json value is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def _get(entry: object, key: str) -> object:
    return _plain(entry.get(key)) if isinstance(entry, Mapping) else None


def _plain(value: object) -> int | str | None:
    return value if isinstance(value, (int, str)) else None


def short(value: object) -> str:
    """A value as it is quoted in a message."""
    text = "missing or null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
