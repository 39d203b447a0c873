"""Python face of each op with its slow, obvious reference beside it: tensors in, tensors out."""

from vis_projects.layers.aligned_bilinear import aligned_bilinear
from vis_projects.layers.depthwise_xcorr import depthwise_xcorr
from vis_projects.layers.dynamic_mask_head import dynamic_mask_head, mask_head_params
from vis_projects.layers.local_correlation import local_correlation
from vis_projects.layers.mask_iou import mask_iou
from vis_projects.layers.native import has_native, ops_status
from vis_projects.layers.rle import rle_area, rle_boxes, rle_decode, rle_encode, rle_iou, to_compressed
from vis_projects.layers.rle_table import MaskTable, pack_masks
from vis_projects.layers.roi_align import PreciseROIAlign
from vis_projects.layers.st_attention import SupportCache, st_attention

__all__ = [
    "MaskTable", "PreciseROIAlign", "SupportCache", "aligned_bilinear", "depthwise_xcorr", "dynamic_mask_head",
    "has_native", "local_correlation", "mask_head_params", "mask_iou", "ops_status", "pack_masks", "rle_area",
    "rle_boxes", "rle_decode", "rle_encode", "rle_iou", "st_attention", "to_compressed",
]
