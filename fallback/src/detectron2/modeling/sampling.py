"""Random choice of a balanced subset of labelled predictions."""

import torch

from detectron2.layers import nonzero_tuple

__all__ = ["subsample_labels"]


def subsample_labels(labels: torch.Tensor, num_samples: int, positive_fraction: float, bg_label: int):
    """Draws positives up to a quota, then fills up with negatives.

    Two permutations are drawn from torch's generator of the labels' device: first over
    the positives, then over the negatives.

    Args:
        labels: int (N,); `bg_label` is negative, -1 ignored, everything else positive.
        num_samples: how many to draw; fewer come back where there are not enough.
        positive_fraction: largest share of positives, in [0, 1].
        bg_label: the label of negatives.

    Returns:
        (positives, negatives): int64 indices into `labels`, in random order.
    """
    positive = nonzero_tuple((labels != -1) & (labels != bg_label))[0]
    negative = nonzero_tuple(labels == bg_label)[0]
    num_positive = min(positive.numel(), int(num_samples * positive_fraction))
    num_negative = min(negative.numel(), num_samples - num_positive)
    return _draw(positive, num_positive), _draw(negative, num_negative)


def _draw(indices, count):
    order = torch.randperm(indices.numel(), device=indices.device)
    return indices[order[:count]]
