"""Instance annotations in COCO's json format."""

import contextlib
import io
import logging
import os

import pycocotools.mask as mask_util

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.data.catalog import DatasetCatalog, MetadataCatalog
from detectron2.structures import BoxMode
from detectron2.utils.file_io import PathManager

__all__ = ["load_coco_json", "register_coco_instances"]

__getattr__ = placeholder_getattr(__name__, ("convert_to_coco_dict", "convert_to_coco_json", "load_sem_seg"))

logger = logging.getLogger(__name__)


def load_coco_json(json_file, image_root, dataset_name=None, extra_annotation_keys=None):
    """Read a json file of instance annotations.

    Args:
        json_file: path.
        image_root: folder of the images; their "file_name" is relative to it.
        dataset_name: name whose metadata get thing_classes and thing_dataset_id_to_contiguous_id; class numbers are
            then contiguous, in order of the category ids. None keeps the category ids of the file.
        extra_annotation_keys: keys of an annotation to keep beside "iscrowd", "bbox", "keypoints" and "category_id".

    Returns:
        a record for each image, ordered by image id: file_name, height, width, image_id, annotations.

    Raises:
        ValueError: an annotation with an empty "bbox".
        KeyError: a category id that the file does not define.
        AssertionError: annotation ids that are not unique, an annotation at the wrong image, or an ignored one.
    """
    # Imported here: pulls in matplotlib where that is installed.
    from pycocotools.coco import COCO

    path = PathManager.get_local_path(json_file)
    with contextlib.redirect_stdout(io.StringIO()):
        coco_api = COCO(path)
    id_map = _set_class_metadata(coco_api, json_file, dataset_name) if dataset_name is not None else None
    image_ids = sorted(coco_api.imgs)
    _check_annotation_ids(coco_api, json_file)
    keep = ["iscrowd", "bbox", "keypoints", "category_id", *(extra_annotation_keys or [])]
    records, dropped = [], 0
    for image_id in image_ids:
        image = coco_api.imgs[image_id]
        record = {
            "file_name": os.path.join(image_root, image["file_name"]),
            "height": image["height"],
            "width": image["width"],
            "image_id": image_id,
        }
        objects = []
        for anno in coco_api.imgToAnns[image_id]:
            assert anno["image_id"] == image_id, f"annotation {anno['id']} in {json_file} is listed at image {image_id}"
            assert (
                anno.get("ignore", 0) == 0
            ), f"annotation {anno['id']} in {json_file} has 'ignore' set, which is not supported; use 'iscrowd'"
            obj = _read_annotation(anno, keep, id_map, json_file)
            if obj is None:
                dropped += 1
            else:
                objects.append(obj)
        record["annotations"] = objects
        records.append(record)
    logger.info("%d images are read from %s", len(records), json_file)
    if dropped:
        logger.warning("%d annotations in %s have no usable polygon and are left out.", dropped, json_file)
    return records


def _set_class_metadata(coco_api, json_file, dataset_name) -> dict[int, int]:
    """Set the classes of a data set; returns contiguous class number by category id."""
    category_ids = sorted(coco_api.getCatIds())
    categories = sorted(coco_api.loadCats(category_ids), key=lambda category: category["id"])
    meta = MetadataCatalog.get(dataset_name)
    meta.thing_classes = [category["name"] for category in categories]
    if category_ids and not (min(category_ids) == 1 and max(category_ids) == len(category_ids)):
        if "coco" not in dataset_name:
            logger.warning("Category ids in %s are not 1 to n; they are renumbered in their order.", json_file)
    id_map = {category_id: number for number, category_id in enumerate(category_ids)}
    meta.thing_dataset_id_to_contiguous_id = id_map
    return id_map


def _check_annotation_ids(coco_api, json_file) -> None:
    # The index of pycocotools would silently keep only the last of equal ids.
    ids = [anno["id"] for annos in coco_api.imgToAnns.values() for anno in annos]
    if "minival" in os.fspath(json_file):  # COCO's own minival files of 2014 repeat ids
        return
    assert len(set(ids)) == len(ids), f"annotation ids in {json_file} are not unique"


def _read_annotation(anno, keep, id_map, json_file) -> dict | None:
    """Return one object of a record; None when it has polygons but none of at least three points."""
    obj = {key: anno[key] for key in keep if key in anno}
    if "bbox" in obj and len(obj["bbox"]) == 0:
        raise ValueError(
            f"annotation {anno['id']} of image {anno['image_id']} in {json_file} has an empty 'bbox'; "
            "give four numbers or remove the annotation"
        )
    segm = anno.get("segmentation")
    if segm:
        segm = _read_segmentation(segm)
        if not segm:
            return None
        obj["segmentation"] = segm
    keypoints = anno.get("keypoints")
    if keypoints:
        # x and y of COCO are indices of pixels; coordinates are half a pixel further. Visibilities stay.
        obj["keypoints"] = [value if i % 3 == 2 else value + 0.5 for i, value in enumerate(keypoints)]
    obj["bbox_mode"] = BoxMode.XYWH_ABS
    if id_map is not None:
        category_id = obj["category_id"]
        if category_id not in id_map:
            raise KeyError(
                f"annotation {anno['id']} in {json_file} has category_id {category_id}, which 'categories' lacks"
            )
        obj["category_id"] = id_map[category_id]
    return obj


def _read_segmentation(segm):
    if isinstance(segm, dict):
        # Uncompressed run lengths become compressed ones.
        return mask_util.frPyObjects(segm, *segm["size"]) if isinstance(segm["counts"], list) else segm
    return [polygon for polygon in segm if len(polygon) % 2 == 0 and len(polygon) >= 6]


def register_coco_instances(name, metadata, json_file, image_root):
    """Register a data set in COCO's json format; the file is read when the data are asked for.

    Args:
        name: name of the data set.
        metadata: dict of further metadata.
        json_file: path of the annotations.
        image_root: folder of the images.

    Raises:
        AssertionError: an argument of the wrong type, or the name is taken.
    """
    assert isinstance(name, str), f"the name must be a str, not {name!r}"
    assert isinstance(json_file, (str, os.PathLike)), f"json_file must be a path, not {json_file!r}"
    assert isinstance(image_root, (str, os.PathLike)), f"image_root must be a path, not {image_root!r}"
    DatasetCatalog.register(name, lambda: load_coco_json(json_file, image_root, name))
    MetadataCatalog.get(name).set(json_file=json_file, image_root=image_root, evaluator_type="coco", **metadata)
