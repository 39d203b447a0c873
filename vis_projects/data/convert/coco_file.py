"""A COCO json: images, categories and annotations, checked; shared by the two readers of COCO files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vis_projects.data.convert.category_map import CategoryMap
from vis_projects.data.convert.files import source_error
from vis_projects.data.convert.masks import box_rle, segmentation_rle
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.faults import is_int, is_number, short
from vis_projects.data.mask_faults import mask_problem
from vis_projects.data.ytvis_json import read_ytvis_json

KNOWN_KEYS = {"id", "image_id", "video_id", "category_id", "segmentation", "bbox", "area", "iscrowd", "track_id",
              "instance_id", "frame_id", "frame_index"}


@dataclass(frozen=True)
class CocoFile:
    """A checked file.

    Attributes:
        path: of the json.
        images: records by id, in the order of the file.
        annotations: records whose image and category exist.
        categories: of the file.
        videos: records by id of the key `videos`, empty where there is none.
        info: of the file.
    """

    path: str
    images: dict[int, Mapping]
    annotations: list[Mapping]
    categories: CategoryMap
    videos: dict[int, Mapping]
    info: Mapping


def load_coco(path: str) -> CocoFile:
    """Reads a file and checks ids, sizes and references; masks are checked one by one in `annotation_rle`.

    Raises:
        FileNotFoundError: the file is not there.
        DatasetError: naming the first fault.
    """
    data = read_ytvis_json(path)
    if not isinstance(data, Mapping):
        raise source_error(path, "json", f"the file holds a {type(data).__name__}",
                           "write one object with the keys images, annotations and categories")
    for key in ("images", "annotations", "categories"):
        if not isinstance(data.get(key), list):
            raise source_error(path, key, f"is {short(data.get(key))}", f"give a list as {key!r}")
    images = dict(_by_id(path, "images", data["images"]))
    if not images:
        raise source_error(path, "images", "is []", "give at least one image")
    for image in images.values():
        _check_image(path, image)
    categories = CategoryMap(data["categories"], path)
    known = {record["id"] for record in categories.records}
    for index, annotation in enumerate(data["annotations"]):
        place = f"annotations[{index}]"
        if not isinstance(annotation, Mapping):
            raise source_error(path, place, f"is {short(annotation)}", "write an object")
        for key, among in (("image_id", images), ("category_id", known)):
            if not is_int(annotation.get(key)) or annotation[key] not in among:
                raise source_error(path, f"{place}.{key}", f"is {short(annotation.get(key))}, nothing has this id",
                                   "correct the id, or add what it stands for")
        if annotation.get("iscrowd", 0) not in (0, 1):
            raise source_error(path, f"{place}.iscrowd", f"is {short(annotation['iscrowd'])}", "write 0 or 1")
    videos = dict(_by_id(path, "videos", data.get("videos") or []))
    info = data.get("info") if isinstance(data.get("info"), Mapping) else {}
    return CocoFile(path, images, data["annotations"], categories, videos, info)


def annotation_rle(coco: CocoFile, index: int, options: ConvertOptions) -> dict:
    """Mask of an annotation.

    Args:
        coco: the file.
        index: of the annotation in the file.
        options: `boxes_as_masks`.

    Raises:
        DatasetError: the mask is broken, or there is none and boxes are not to be taken.
    """
    annotation, place = coco.annotations[index], f"annotations[{index}]"
    image, segmentation = coco.images[annotation["image_id"]], annotation.get("segmentation")
    if segmentation:
        problem = mask_problem(segmentation, image)
        if problem:
            raise source_error(coco.path, f"{place}.segmentation{problem[0]}", problem[1], problem[2])
        try:
            return segmentation_rle(segmentation, image["height"], image["width"])
        except ValueError as error:
            raise source_error(coco.path, f"{place}.segmentation", str(error), "draw the mask in pixels") from error
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
        raise source_error(coco.path, f"{place}.segmentation", f"is {short(segmentation)}, bbox is {short(box)}",
                           "draw a mask")
    if not options.boxes_as_masks:
        raise source_error(coco.path, f"{place}.segmentation", f"is {short(segmentation)}, there is a box only",
                           "draw a mask, or take boxes as filled rectangles with --boxes-as-masks")
    try:
        return box_rle(box[0], box[1], box[0] + box[2], box[1] + box[3], image["height"], image["width"])
    except ValueError as error:
        raise source_error(coco.path, f"{place}.bbox", str(error), "write [x, y, width, height] in pixels") from error


def note_unread_fields(coco: CocoFile, notes: ConvertNotes) -> None:
    """Counts the fields of annotations that a YouTube-VIS track has no place for."""
    for annotation in coco.annotations:
        for key in annotation.keys() - KNOWN_KEYS:
            notes.drop(f"fields {key!r} of annotations")


def _by_id(path: str, key: str, records: list) -> Iterator[tuple[int, Mapping]]:
    seen = set()
    for index, record in enumerate(records):
        own = record.get("id") if isinstance(record, Mapping) else None
        if not is_int(own):
            raise source_error(path, f"{key}[{index}].id", f"is {short(own)}", "give every entry an integer id")
        if own in seen:
            raise source_error(path, f"{key}[{index}].id", f"{own} is used twice", "give every entry its own id")
        seen.add(own)
        yield own, record


def _check_image(path: str, image: Mapping) -> None:
    place = f"image {image['id']}"
    for key in ("height", "width"):
        if not is_int(image.get(key)) or image[key] <= 0:
            raise source_error(path, f"{place}, {key}", f"is {short(image.get(key))}",
                               f"write the {key} of the image in pixels")
    if not isinstance(image.get("file_name"), str) or not image["file_name"]:
        raise source_error(path, f"{place}, file_name", f"is {short(image.get('file_name'))}",
                           "name the file of every image")
