"""Box regression losses that look at the distance of centres (Zheng et al. 2020)."""

import math

import torch


def diou_loss(boxes1: torch.Tensor, boxes2: torch.Tensor, reduction: str = "none", eps: float = 1e-7) -> torch.Tensor:
    """1 - IoU + d^2 / c^2, with d the distance of the centres and c the diagonal of the box around both.

    Args:
        boxes1, boxes2: N x 4 XYXY, matched by position. AssertionError when a box of ``boxes1`` is turned inside out.
        reduction: "none", "mean" (0 with gradient when N is 0) or "sum".
        eps: added to denominators.
    """
    iou, distance = _iou_and_distance(boxes1, boxes2, eps)
    return _reduce(1 - iou + distance, reduction)


def ciou_loss(boxes1: torch.Tensor, boxes2: torch.Tensor, reduction: str = "none", eps: float = 1e-7) -> torch.Tensor:
    """DIoU loss + alpha * v, where v compares the aspect ratios: 4/pi^2 (atan(w2/h2) - atan(w1/h1))^2.

    alpha = v / (1 - IoU + v) is a constant for the gradient. The arguments are those of ``diou_loss``.
    """
    iou, distance = _iou_and_distance(boxes1, boxes2, eps)
    side1, side2 = boxes1[:, 2:] - boxes1[:, :2], boxes2[:, 2:] - boxes2[:, :2]
    angle1 = torch.atan(side1[:, 0] / side1[:, 1])
    angle2 = torch.atan(side2[:, 0] / side2[:, 1])
    aspect = (4 / math.pi**2) * (angle2 - angle1).pow(2)
    with torch.no_grad():
        alpha = aspect / (1 - iou + aspect + eps)
    return _reduce(1 - iou + distance + alpha * aspect, reduction)


def _iou_and_distance(boxes1, boxes2, eps):
    assert (boxes1[:, 2:] >= boxes1[:, :2]).all(), "a box has its right or bottom before its left or top"
    sides = torch.minimum(boxes1[:, 2:], boxes2[:, 2:]) - torch.maximum(boxes1[:, :2], boxes2[:, :2])
    # Boxes overlap where both sides are positive; elsewhere the zero carries no gradient.
    overlap = torch.where((sides > 0).all(dim=1), _area(sides), 0.0)
    union = _area(boxes1[:, 2:] - boxes1[:, :2]) + _area(boxes2[:, 2:] - boxes2[:, :2]) - overlap
    around = torch.maximum(boxes1[:, 2:], boxes2[:, 2:]) - torch.minimum(boxes1[:, :2], boxes2[:, :2])
    centre1, centre2 = (boxes1[:, :2] + boxes1[:, 2:]) / 2, (boxes2[:, :2] + boxes2[:, 2:]) / 2
    distance = (centre1 - centre2).pow(2).sum(dim=1) / (around.pow(2).sum(dim=1) + eps)
    return overlap / (union + eps), distance


def _area(sides):
    return sides[:, 0] * sides[:, 1]


def _reduce(loss, reduction):
    if reduction == "mean":
        return loss.mean() if loss.numel() > 0 else 0.0 * loss.sum()
    return loss.sum() if reduction == "sum" else loss
