"""Boxes, masks, instances and batches of images as plain containers of tensors."""

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.structures.boxes import Boxes, BoxMode, pairwise_ioa, pairwise_iou, pairwise_point_box_distance
from detectron2.structures.image_list import ImageList
from detectron2.structures.instances import Instances
from detectron2.structures.keypoints import Keypoints
from detectron2.structures.masks import BitMasks, PolygonMasks, ROIMasks, polygons_to_bitmask

__all__ = [
    "BitMasks",
    "BoxMode",
    "Boxes",
    "ImageList",
    "Instances",
    "Keypoints",
    "PolygonMasks",
    "ROIMasks",
    "pairwise_ioa",
    "pairwise_iou",
    "pairwise_point_box_distance",
    "polygons_to_bitmask",
]

__getattr__ = placeholder_getattr(__name__, ("RotatedBoxes", "heatmaps_to_keypoints", "pairwise_iou_rotated"))
