"""Readers of annotation files. No data set is registered by importing this package."""

from detectron2._impl.placeholders import placeholder_getattr

from .coco import load_coco_json, register_coco_instances

__getattr__ = placeholder_getattr(
    __name__,
    (
        "convert_to_coco_json",
        "get_lvis_instances_meta",
        "load_lvis_json",
        "load_sem_seg",
        "load_voc_instances",
        "register_coco_panoptic",
        "register_coco_panoptic_separated",
        "register_lvis_instances",
        "register_pascal_voc",
    ),
)

__all__ = ["load_coco_json", "register_coco_instances"]
