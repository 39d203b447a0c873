"""Boxes of Yolact: their coding relative to anchors, and overlaps of pairs.

Boxes are xyxy or cxcywh in any unit; here they come as fractions of the padded image. Letters: P boxes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

VARIANCES = (0.1, 0.2)
MAX_LOG_SIZE = 10.0  # of a side relative to the anchor's: 22026 times as long or short, where nothing overflows yet


def center_form(boxes: Tensor) -> Tensor:
    """xyxy (..., 4) -> cxcywh."""
    return torch.cat([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], dim=-1)


def corner_form(boxes: Tensor) -> Tensor:
    """cxcywh (..., 4) -> xyxy."""
    half = boxes[..., 2:] / 2
    return torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], dim=-1)


def encode_boxes(boxes: Tensor, anchors: Tensor, variances: Sequence[float] = VARIANCES) -> Tensor:
    """Deltas that bring anchors to boxes: ((c_b - c_a) / (v_0 s_a), log(s_b / s_a) / v_1) for centre c and size s.

    Args:
        boxes: xyxy (..., 4), of positive size.
        anchors: cxcywh (..., 4).
        variances: (v_0, v_1).
    """
    boxes = center_form(boxes)
    centers = (boxes[..., :2] - anchors[..., :2]) / (variances[0] * anchors[..., 2:])
    return torch.cat([centers, torch.log(boxes[..., 2:] / anchors[..., 2:]) / variances[1]], dim=-1)


def decode_boxes(deltas: Tensor, anchors: Tensor, variances: Sequence[float] = VARIANCES) -> Tensor:
    """The inverse of `encode_boxes`: xyxy boxes (..., 4), not clamped to the image."""
    centers = anchors[..., :2] + variances[0] * deltas[..., :2] * anchors[..., 2:]
    sizes = anchors[..., 2:] * size_factor(variances[1] * deltas[..., 2:])
    return corner_form(torch.cat([centers, sizes], dim=-1))


def size_factor(log_size: Tensor) -> Tensor:
    """exp, held within what a float can still square."""
    return torch.exp(log_size.clamp(-MAX_LOG_SIZE, MAX_LOG_SIZE))


def enlarge_boxes(boxes: Tensor, factor: float) -> Tensor:
    """xyxy (..., 4) with width and height times `factor`, clamped to [1e-5, 1], about the same centre."""
    boxes = center_form(boxes)
    return corner_form(torch.cat([boxes[..., :2], (factor * boxes[..., 2:]).clamp(1e-5, 1.0)], dim=-1))


def table_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """IoU of all pairs, xyxy (..., n, 4) and (..., m, 4) -> (..., n, m); 0 where two boxes do not overlap."""
    top_left = torch.max(boxes[..., :, None, :2], others[..., None, :, :2])
    bottom_right = torch.min(boxes[..., :, None, 2:], others[..., None, :, 2:])
    intersection = (bottom_right - top_left).clamp(min=0).prod(dim=-1)
    areas, other_areas = (b[..., 2:].sub(b[..., :2]).prod(dim=-1) for b in (boxes, others))
    union = areas[..., :, None] + other_areas[..., None, :] - intersection
    return torch.where(intersection > 0, intersection / union.clamp(min=1e-12), 0.0)


def paired_diou(boxes: Tensor, others: Tensor) -> Tensor:
    """Distance IoU of each pair (Zheng et al. 2020, eq. 7): IoU - d^2 / c^2.

    d is the distance of the centres, c the diagonal of the smallest box around both.

    Args:
        boxes, others: xyxy (P, 4).

    Returns:
        (P,) in [-1, 1].
    """
    top_left, bottom_right = torch.max(boxes[:, :2], others[:, :2]), torch.min(boxes[:, 2:], others[:, 2:])
    intersection = (bottom_right - top_left).clamp(min=0).prod(dim=1)
    areas, other_areas = ((b[:, 2:] - b[:, :2]).prod(dim=1) for b in (boxes, others))
    iou = intersection / (areas + other_areas - intersection).clamp(min=1e-12)
    around = torch.max(boxes[:, 2:], others[:, 2:]) - torch.min(boxes[:, :2], others[:, :2])
    apart = (boxes[:, :2] + boxes[:, 2:] - others[:, :2] - others[:, 2:]) / 2
    return iou - apart.pow(2).sum(dim=1) / around.pow(2).sum(dim=1).clamp(min=1e-12)
