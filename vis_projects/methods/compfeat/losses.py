"""The pseudo likelihood map that a correlation map is taught, and the loss on it."""

import torch
from torch import Tensor
from torch.nn import functional as F

MAP_LOSSES = ("bce", "mse", "focal")


def gaussian_targets(boxes: Tensor, size: tuple[int, int], stride: float, sigma: float = 0.25) -> Tensor:
    """A two-dimensional Gaussian at the centre of each box, 1 at its centre.

    t(y, x) = exp(-((x + 1/2) s - c_x)^2 / 2 s_x^2 - ((y + 1/2) s - c_y)^2 / 2 s_y^2) with s_x = max(sigma w, s) and
    s_y = max(sigma h, s). The floor of one cell keeps the peak of the sampled map at exp(-1/4) or above, wherever in a
    cell the centre is.

    Args:
        boxes: (N, 4) xyxy in network pixels.
        size: (H, W) of the map.
        stride: s, pixels of a cell.
        sigma: standard deviation as a part of the box's sides.

    Returns:
        (N, H, W) in [0, 1], dtype of the boxes.
    """
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    deviations = ((boxes[:, 2:] - boxes[:, :2]) * sigma).clamp(min=stride)
    falls = []
    for axis, cells in ((0, size[1]), (1, size[0])):
        place = (torch.arange(cells, device=boxes.device, dtype=boxes.dtype) + 0.5) * stride
        falls.append(((place - centers[:, axis, None]) / deviations[:, axis, None]).square() / 2)
    return torch.exp(-falls[1][:, :, None] - falls[0][:, None, :])


def map_loss(logits: Tensor, targets: Tensor, kind: str = "bce") -> Tensor:
    """Loss of each map.

    "bce": cross entropy less the entropy of the target, mean over cells; 0 exactly where sigmoid(logits) = targets.
    "mse": squared difference after the sigmoid, mean over cells. "focal": that of CenterNet, sum over cells, where the
    peak of a target is its one positive cell.

    Args:
        logits: (N, H, W).
        targets: (N, H, W) in [0, 1].
        kind: of `MAP_LOSSES`.

    Returns:
        (N,) float32, 0 or more; N may be 0.
    """
    logits, targets = logits.float(), targets.float()
    if kind == "bce":
        entropy = -torch.special.xlogy(targets, targets) - torch.special.xlogy(1 - targets, 1 - targets)
        cells = F.binary_cross_entropy_with_logits(logits, targets, reduction="none") - entropy
        return cells.flatten(1).mean(1)
    if kind == "mse":
        return (logits.sigmoid() - targets).square().flatten(1).mean(1)
    if kind != "focal":
        raise ValueError(f"MODEL.COMPFEAT.TRACK.MAP_LOSS is {kind!r}; choose from {MAP_LOSSES}")
    peak = (targets > 0) & (targets == targets.amax((1, 2), keepdim=True))
    chance = logits.sigmoid()
    found = (1 - chance).square() * -F.logsigmoid(logits)
    quiet = (1 - targets) ** 4 * chance.square() * -F.logsigmoid(-logits)
    return torch.where(peak, found, quiet).flatten(1).sum(1)


def mean_map_loss(losses: Tensor, present: Tensor, absent_map: bool = True) -> Tensor:
    """Mean over objects, a scalar; 0, still connected, where no object counts.

    Args:
        losses: (N,), see `map_loss`.
        present: (N,) bool, objects that are in the current frame.
        absent_map: the others count too.
    """
    kept = losses if absent_map else losses[present]
    return kept.sum() / max(len(kept), 1) + losses.sum() * 0.0
