"""The loss of a mask, with the object's pixels and the others balanced."""

from torch import Tensor
from torch.nn import functional as F


def balanced_mask_loss(logits: Tensor, targets: Tensor, valid: Tensor) -> Tensor:
    """Half the mean cross-entropy of the object's pixels plus half that of the others.

    The balanced cross-entropy beta t log p + (1 - beta) (1 - t) log(1 - p), beta the part of background, weighs both
    kinds of pixels in the same ratio; here each object counts alike, whatever its size.

    Args:
        logits: float (N, H, W).
        targets: bool (N, H, W).
        valid: bool (N, H, W); other pixels, the padding, do not count.

    Returns:
        the mean over the objects, 0 without any.
    """
    losses = F.binary_cross_entropy_with_logits(logits.float(), targets.float(), reduction="none")
    halves = [_mean_where(losses, where) for where in (targets & valid, ~targets & valid)]
    return (halves[0] + halves[1]).sum() / (2 * max(len(losses), 1))


def _mean_where(values: Tensor, where: Tensor) -> Tensor:
    """(N,) mean of the chosen pixels, 0 where there is none."""
    weights = where.float()
    return (values * weights).flatten(1).sum(dim=1) / weights.flatten(1).sum(dim=1).clamp(min=1)
