"""What the two MOTS forms share: class and object numbers, ignore regions, and where their files lie.

An object's number is 1000 times its class plus its instance, constant over the video; 0 is background and 10000 a
region to ignore. Our writers put `videos.json` beside the labels: the YouTube-VIS json without annotations, so that
names, ids and the lengths of videos come back.
"""

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from vis_projects.data.convert.builder import YtvisBuilder
from vis_projects.data.convert.category_map import CLASS_KEY, CategoryMap
from vis_projects.data.convert.dataset_frames import note_other_fields, objects_by_video
from vis_projects.data.convert.files import source_error
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.convert.ytvis import write_json
from vis_projects.data.ytvis_json import read_ytvis_json

PER_CLASS = 1000
MAX_INSTANCE = PER_CLASS - 1
IGNORE, IGNORE_CLASS = 10000, 10
MAX_CLASS = 64  # 64999 is the last full class in 16 bits
VIDEOS_FILE = "videos.json"
STANDARD = ({"id": 1, "name": "car"}, {"id": 2, "name": "pedestrian"})


def source_folders(source: str, kind: str) -> tuple[str, str | None]:
    """(folder with the labels, our `videos.json` or None).

    Args:
        source: folder with the labels, or the folder that holds them in `kind`.
        kind: "instances" or "instances_txt".
    """
    labels = os.path.join(source, kind)
    labels = labels if os.path.isdir(labels) else source
    for folder in (source, os.path.dirname(os.path.abspath(source))):
        path = os.path.join(folder, VIDEOS_FILE)
        if os.path.isfile(path) and _is_ours(path):
            return labels, path
    return labels, None


def source_categories(options: ConvertOptions, beside: str | None, notes: ConvertNotes) -> CategoryMap:
    """Classes of a source: of `--categories`, of `--videos`, of `videos.json` beside it, or the two of MOTS.

    Args:
        options: `categories` and `videos`.
        beside: our `videos.json`, None where there is none.
        notes: gets what was taken.
    """
    path = options.categories or options.videos or beside
    if path is None:
        notes.assume("no --categories given: class 1 is car and 2 pedestrian, as in MOTS")
        return CategoryMap(STANDARD, "MOTS")
    if path == beside:
        notes.assume(f"names, ids and classes are those of {beside}")
    return CategoryMap.from_file(path)


@dataclass
class MotsObjects:
    """Takes the masks of a source by their numbers and hands them to a builder."""

    builder: YtvisBuilder
    categories: CategoryMap
    notes: ConvertNotes
    _used: set[int] = field(default_factory=set)
    _ignored: list[tuple[int, int, Mapping]] = field(default_factory=list)

    def add(self, video_id: int, t: int, number: int, class_number: int, rle: Mapping, path: str, place: str) -> None:
        """Enters a mask.

        Args:
            video_id, t: frame.
            number: of the object.
            class_number: its class.
            rle: the mask.
            path, place: where it was seen, for errors.

        Raises:
            DatasetError: a class that is unknown, or the class of ignore regions with an instance.
        """
        if number == IGNORE:
            self._ignored.append((video_id, t, rle))
            return
        if class_number in (0, IGNORE_CLASS):
            raise source_error(path, place, f"has object {number} of class {class_number}",
                               f"write 1000 * class + instance with a class that is neither 0 (background) nor "
                               f"{IGNORE_CLASS}; {IGNORE} alone is a region to ignore")
        category_id = self.categories.id_of_class(class_number, path, place)
        self._used.add(category_id)
        self.builder.add_mask(video_id, number, t, rle, category_id, source_id=number)

    def build(self) -> dict:
        """The whole dict. A region to ignore counts for all classes, so each class with objects gets it as a crowd."""
        classes = sorted(self._used) or [self.categories.records[0]["id"]]
        if self._ignored:
            self.notes.assume(f"regions to ignore ({IGNORE}) become a crowd region of every class that has objects")
        for category_id in classes:
            for video_id, t, rle in self._ignored:
                key: Hashable = (IGNORE, category_id)
                self.builder.add_mask(video_id, key, t, rle, category_id, crowd=True, source_id=IGNORE)
        return self.builder.build(self.categories.records)


def class_numbers(categories: Sequence[Mapping]) -> dict[int, int]:
    """Class number of each category id: the id itself where MOTS can hold it, otherwise the lowest free number.

    Raises:
        DatasetError: there are more classes than numbers.
    """
    allowed = [number for number in range(1, MAX_CLASS + 1) if number != IGNORE_CLASS]
    if len(categories) > len(allowed):
        raise source_error("categories", "number", f"there are {len(categories)}, MOTS holds {len(allowed)} classes",
                           "convert to coco, or leave out categories without objects")
    ids = [category["id"] for category in categories]
    kept = {number: number for number in ids if number in allowed}
    free = iter(number for number in allowed if number not in kept)
    return {number: kept[number] if number in kept else next(free) for number in ids}


def object_numbers(data: Mapping, classes: Mapping[int, int]) -> dict[int, int]:
    """Number of each annotation by its id: instances 1, 2, ... of a class in its video; crowd regions share 10000.

    Raises:
        DatasetError: a video has more than 999 objects of a class.
    """
    numbers = {}
    for video_id, annotations in objects_by_video(data).items():
        counts: dict[int, int] = {}
        for annotation in annotations:
            if annotation.get("iscrowd"):
                numbers[annotation["id"]] = IGNORE
                continue
            own_class = classes[annotation["category_id"]]
            counts[own_class] = counts.get(own_class, 0) + 1
            if counts[own_class] > MAX_INSTANCE:
                raise source_error(f"video {video_id}", "annotations", f"more than {MAX_INSTANCE} objects of category "
                                   f"{annotation['category_id']}", "convert to coco, or split the video")
            numbers[annotation["id"]] = PER_CLASS * own_class + counts[own_class]
    return numbers


def prepare_target(data: Mapping, target: str, notes: ConvertNotes) -> dict[int, int]:
    """Writes `videos.json` and returns the number of each annotation by its id.

    Raises:
        DatasetError: as `class_numbers` and `object_numbers`.
    """
    classes = class_numbers(data["categories"])
    numbers = object_numbers(data, classes)
    moved = {key: number for key, number in classes.items() if key != number}
    if moved:
        notes.assume(f"categories that MOTS cannot number get another class, see {VIDEOS_FILE}: {moved}")
    crowds = sum(number == IGNORE for number in numbers.values())
    if crowds:
        notes.assume(f"{crowds} crowd regions become regions to ignore ({IGNORE}), without their class")
    categories = [{**category, CLASS_KEY: classes[category["id"]]} for category in data["categories"]]
    kept = {key: value for key, value in data.items() if key != "annotations"}
    note_other_fields(data, notes)
    os.makedirs(target, exist_ok=True)
    write_json({**kept, "categories": categories}, os.path.join(target, VIDEOS_FILE))
    return numbers


def _is_ours(path: str) -> bool:
    data = read_ytvis_json(path)
    categories = data.get("categories") if isinstance(data, Mapping) else None
    return isinstance(categories, list) and any(isinstance(c, Mapping) and CLASS_KEY in c for c in categories)
