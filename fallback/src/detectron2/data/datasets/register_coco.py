"""``register_coco_instances`` under an older path."""

from detectron2._impl.placeholders import placeholder_getattr

from .coco import register_coco_instances

__getattr__ = placeholder_getattr(__name__, ("register_coco_panoptic_separated",))

__all__ = ["register_coco_instances"]
