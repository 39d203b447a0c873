"""Anchors of the first code."""

from collections.abc import Sequence

from detectron2.modeling import ANCHOR_GENERATOR_REGISTRY
from detectron2.modeling.anchor_generator import DefaultAnchorGenerator
from torch import Tensor


@ANCHOR_GENERATOR_REGISTRY.register()
class WholePixelAnchorGenerator(DefaultAnchorGenerator):
    """Detectron2's anchors with half sides rounded to whole pixels, as published weights of mmdetection expect them.

    With ``MODEL.ANCHOR_GENERATOR.OFFSET`` 0.5 they are the first code's: there a box (x0, y0, x1, y1) holds its last
    pixel, so that it is (x0, y0, x1 + 1, y1 + 1) here.
    """

    def generate_cell_anchors(
        self, sizes: Sequence[float] = (32, 64, 128, 256, 512), aspect_ratios: Sequence[float] = (0.5, 1, 2)
    ) -> Tensor:
        """(sizes x ratios, 4) float32 boxes xyxy around the origin; ratios, height / width, vary fastest."""
        return super().generate_cell_anchors(sizes, aspect_ratios).round()
