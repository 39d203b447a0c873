"""RoIAlign whose boxes keep their precision when the maps are of half precision."""

import torch
from detectron2.layers import ROIAlign
from torch import Tensor

HALF_TYPES = (torch.float16, torch.bfloat16)


class PreciseROIAlign(ROIAlign):
    """Detectron2's RoIAlign turns boxes into the type of the maps, in which a coordinate of 1000 pixels is rounded to
    0.5 (float16) or 4 pixels (bfloat16). Here maps of these types are pooled in float32 instead."""

    def forward(self, maps: Tensor, rois: Tensor) -> Tensor:
        """
        Args:
            maps: (B, C, H, W) of any floating-point type.
            rois: (R, 5) float32 or float64: index of the map, then xyxy before `spatial_scale`.

        Returns:
            (R, C, *output_size) of the type of the maps.
        """
        if maps.dtype in HALF_TYPES:
            return super().forward(maps.float(), rois.float()).to(maps.dtype)
        return super().forward(maps, rois.to(maps.dtype))
