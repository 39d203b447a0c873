"""Losses of FCOS: focal loss of the classes, GIoU of the boxes, cross-entropy of the centerness."""

from collections.abc import Sequence

import torch
from fvcore.nn import sigmoid_focal_loss
from torch import Tensor
from torch.nn import functional as F

from vis_projects.modeling.distributed import mean_over_processes
from vis_projects.modeling.fcos.head import FCOSOutputs
from vis_projects.modeling.fcos.targets import FCOSTargets


class FCOSLosses:
    """Losses over all locations of a batch; sums divided by the number of positives, which processes share."""

    def __init__(self, *, alpha: float = 0.25, gamma: float = 2.0) -> None:
        """
        Args:
            alpha, gamma: of the focal loss.
        """
        self.alpha, self.gamma = alpha, gamma

    def __call__(self, outputs: FCOSOutputs, targets: FCOSTargets) -> dict[str, Tensor]:
        """`loss_fcos_cls`, `loss_fcos_loc` and `loss_fcos_ctr`.

        A batch without positives gives 0 for the last two, with gradients that are 0.
        """
        rows = targets.positives
        logits = flatten_levels(outputs.logits)
        one_hot = torch.zeros_like(logits)
        one_hot[rows, targets.labels[rows]] = 1
        num_positive = mean_over_processes(logits.new_tensor([len(rows)])).clamp(min=1)
        focal = sigmoid_focal_loss(logits, one_hot, alpha=self.alpha, gamma=self.gamma, reduction="sum")
        weights = targets.centerness(rows)
        total_weight = mean_over_processes(weights.sum()).clamp(min=1e-6)
        _, giou = ltrb_iou(flatten_levels(outputs.ltrb)[rows], targets.ltrb[rows])
        centerness = flatten_levels(outputs.centerness)[rows, 0]
        bce = F.binary_cross_entropy_with_logits(centerness, weights, reduction="sum")
        return {
            "loss_fcos_cls": (focal / num_positive).squeeze(0),
            "loss_fcos_loc": (weights * (1 - giou)).sum() / total_weight,
            "loss_fcos_ctr": (bce / num_positive).squeeze(0),
        }


def ltrb_iou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU of boxes around one and the same point.

    Args:
        a, b: (P, 4) distances left, top, right, bottom, >= 0. In units of the level's stride, since
            IoU = (intersection + 1) / (union + 1): a box without extent has a gradient too.

    Returns:
        IoU (P,) and GIoU (P,).
    """
    area_a, area_b = ((x[:, 0] + x[:, 2]) * (x[:, 1] + x[:, 3]) for x in (a, b))
    small, large = torch.minimum(a, b), torch.maximum(a, b)
    intersection = (small[:, 0] + small[:, 2]) * (small[:, 1] + small[:, 3])
    around = (large[:, 0] + large[:, 2]) * (large[:, 1] + large[:, 3])
    union = area_a + area_b - intersection
    iou = (intersection + 1) / (union + 1)
    return iou, iou - (around - union) / around


def flatten_levels(maps: Sequence[Tensor]) -> Tensor:
    """L maps (B, C, H, W) -> (M, C), rows level-major."""
    return torch.cat([level.permute(0, 2, 3, 1).reshape(-1, level.shape[1]) for level in maps])
