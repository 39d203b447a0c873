"""Python face of each op with its slow, obvious reference beside it: tensors in, tensors out."""

from vis_projects.layers.mask_iou import mask_iou
from vis_projects.layers.native import has_native, ops_status
from vis_projects.layers.rle import rle_area, rle_decode, rle_encode, rle_iou, to_compressed

__all__ = ["has_native", "mask_iou", "ops_status", "rle_area", "rle_decode", "rle_encode", "rle_iou", "to_compressed"]
