"""Boxes as offsets from other boxes, the parametrisation that box heads learn."""

import math
from typing import List, Tuple, Union

import torch

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.layers import cat
from detectron2.structures import Boxes

from ._impl.losses import overlap_loss_sum, smooth_l1_sum

__getattr__ = placeholder_getattr(__name__, ("Box2BoxTransformLinear", "Box2BoxTransformRotated"))
__all__ = ["Box2BoxTransform"]

# A side grows at most by this factor (1000 pixels from 16), so that exp stays finite.
_DEFAULT_SCALE_CLAMP = math.log(1000.0 / 16)


class Box2BoxTransform:
    """The transform of R-CNN (arXiv 1311.2524): scaled centre shifts and log size ratios.

    For a source with centre (x, y) and sides (w, h), a target's deltas are
    wx*(x'-x)/w, wy*(y'-y)/h, ww*log(w'/w), wh*log(h'/h).

    Args:
        weights: the four factors (wx, wy, ww, wh).
        scale_clamp: largest log size ratio applied.
    """

    def __init__(self, weights: Tuple[float, float, float, float], scale_clamp: float = _DEFAULT_SCALE_CLAMP):
        self.weights = weights
        self.scale_clamp = scale_clamp

    def get_deltas(self, src_boxes, target_boxes):
        """Computes the deltas that turn sources into targets.

        Args:
            src_boxes: (N, 4) tensor, XYXY in pixels, of positive width and height.
            target_boxes: (N, 4) tensor, XYXY in pixels.

        Returns:
            float (N, 4).

        Raises:
            AssertionError: for inputs that are no tensors and for sources without width.
        """
        for boxes in (src_boxes, target_boxes):
            assert isinstance(boxes, torch.Tensor), f"get_deltas takes tensors (N, 4), not {type(boxes).__name__}"
        x, y, w, h = _centre_and_size(src_boxes)
        tx, ty, tw, th = _centre_and_size(target_boxes)
        wx, wy, ww, wh = self.weights
        columns = (
            wx * (tx - x) / w,
            wy * (ty - y) / h,
            ww * torch.log(tw / w),
            wh * torch.log(th / h),
        )
        assert (w > 0).all().item(), "get_deltas needs source boxes of positive width"
        return torch.stack(columns, dim=1)

    def apply_deltas(self, deltas, boxes):
        """Moves and scales boxes.

        Args:
            deltas: (N, 4k) tensor, k >= 1 sets of deltas for each box.
            boxes: (N, 4) tensor, XYXY in pixels.

        Returns:
            float32 (N, 4k), XYXY in pixels.
        """
        # Half precision would overflow in exp and lose pixels in the centres.
        deltas = deltas.float()
        x, y, w, h = (side[:, None] for side in _centre_and_size(boxes.to(deltas.dtype)))
        wx, wy, ww, wh = self.weights
        dw = torch.clamp(deltas[:, 2::4] / ww, max=self.scale_clamp)
        dh = torch.clamp(deltas[:, 3::4] / wh, max=self.scale_clamp)
        cx = deltas[:, 0::4] / wx * w + x
        cy = deltas[:, 1::4] / wy * h + y
        half_w, half_h = 0.5 * (torch.exp(dw) * w), 0.5 * (torch.exp(dh) * h)
        corners = torch.stack((cx - half_w, cy - half_h, cx + half_w, cy + half_h), dim=-1)
        return corners.reshape(deltas.shape)


def _centre_and_size(boxes):
    """Columns centre x, centre y, width, height of boxes (N, 4) in XYXY."""
    width = boxes[:, 2] - boxes[:, 0]
    height = boxes[:, 3] - boxes[:, 1]
    return boxes[:, 0] + 0.5 * width, boxes[:, 1] + 0.5 * height, width, height


def _dense_box_regression_loss(
    anchors: List[Union[Boxes, torch.Tensor]], box2box_transform: Box2BoxTransform,
    pred_anchor_deltas: List[torch.Tensor], gt_boxes: List[torch.Tensor], fg_mask: torch.Tensor,
    box_reg_loss_type="smooth_l1", smooth_l1_beta=0.0
):
    """Sum of the box loss over the foreground anchors of a batch.

    Args:
        anchors: for each level, R_l boxes in XYXY; the same for all images.
        box2box_transform: has `get_deltas` and `apply_deltas`.
        pred_anchor_deltas: for each level, float (N, R_l, 4).
        gt_boxes: for each of N images, the (R, 4) boxes matched to the R anchors.
        fg_mask: bool (N, R).
        box_reg_loss_type: "smooth_l1" on deltas, or "giou", "diou", "ciou" on boxes.
        smooth_l1_beta: in units of the deltas.

    Returns:
        float scalar.

    Raises:
        ValueError: for another loss type.
    """
    rows = cat([level.tensor if isinstance(level, Boxes) else level for level in anchors])
    deltas = cat(pred_anchor_deltas, dim=1)
    if box_reg_loss_type == "smooth_l1":
        targets = torch.stack([box2box_transform.get_deltas(rows, boxes) for boxes in gt_boxes])
        return smooth_l1_sum(deltas[fg_mask], targets[fg_mask], smooth_l1_beta)
    predicted = torch.stack([box2box_transform.apply_deltas(image, rows) for image in deltas])
    return overlap_loss_sum(box_reg_loss_type, predicted[fg_mask], torch.stack(gt_boxes)[fg_mask])
