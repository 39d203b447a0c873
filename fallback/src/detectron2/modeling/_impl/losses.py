"""Element losses that the heads share, summed over their elements."""

import torch
import torch.nn.functional as F
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from detectron2.layers import ciou_loss, diou_loss

# Below this the quadratic part is so narrow that its slope would overflow.
_SMALLEST_BETA = 1e-5

_OVERLAP_LOSSES = {
    "giou": generalized_box_iou_loss,
    "diou": diou_loss,
    "ciou": ciou_loss,
}


def smooth_l1_sum(prediction: torch.Tensor, target: torch.Tensor, beta: float) -> torch.Tensor:
    """Sum of the Huber-like loss of arXiv 1504.08083 over all elements.

    Args:
        prediction: float tensor.
        target: float tensor of the same shape.
        beta: |difference| at which the quadratic turns linear; below 1e-5 it is plain L1.

    Returns:
        float scalar.
    """
    if beta < _SMALLEST_BETA:
        return F.l1_loss(prediction, target, reduction="sum")
    distance = torch.abs(prediction - target)
    return torch.where(distance < beta, 0.5 * distance**2 / beta, distance - 0.5 * beta).sum()


def focal_loss_sum(logits: torch.Tensor, target: torch.Tensor, alpha: float, gamma: float) -> torch.Tensor:
    """Sum of the focal loss of arXiv 1708.02002 over all elements.

    Args:
        logits: float tensor.
        target: float tensor of the same shape, 0 or 1.
        alpha: weight of the positives, 1 - alpha of the negatives; negative for none.
        gamma: exponent that weakens easy elements.

    Returns:
        float scalar.
    """
    return sigmoid_focal_loss(logits, target, alpha=alpha, gamma=gamma, reduction="sum")


def overlap_loss_sum(kind: str, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Sum of an IoU loss over paired boxes (arXiv 1902.09630, 1911.08287).

    Args:
        kind: "giou", "diou" or "ciou".
        prediction: float (N, 4), XYXY in pixels.
        target: float (N, 4), XYXY in pixels.

    Returns:
        float scalar.

    Raises:
        ValueError: for another kind.
        AssertionError: for predictions whose corners are not in order, such as NaN.
    """
    if kind not in _OVERLAP_LOSSES:
        raise ValueError(f"unknown box loss {kind!r}; known are smooth_l1 and {sorted(_OVERLAP_LOSSES)}")
    assert (prediction[:, 2:] >= prediction[:, :2]).all(), "a box has its corners out of order, or is NaN"
    return _OVERLAP_LOSSES[kind](prediction, target, reduction="sum")
