"""Cost terms of association: appearance, overlap, class, and their sum.

Letters: n detections of this frame, m remembered tracks, D embedding size. In every (n, 1 + m)
table column 0 stands for "a new object" and column 1 + k for remembered track k.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def match_logits(embeddings: Tensor, memory: Tensor) -> Tensor:
    """Dot products of detections with remembered tracks, after a constant 0 for "new object".

    Args:
        embeddings: (n, D) float.
        memory: (m, D) float.

    Returns:
        (n, 1 + m) float32: the arguments of the exponentials of eq. 2 of the MaskTrack R-CNN paper,
        where exp(0) is the 1 of the denominator.
    """
    # Sums over D products reach the hundreds: half precision would lose the differences.
    with torch.autocast(device_type=embeddings.device.type, enabled=False):
        products = embeddings.float() @ memory.float().t()
    return with_new_column(products, 0.0)


def match_log_probs(logits: Tensor) -> Tensor:
    """log p_i(n) of eq. 2: log-softmax of (n, 1 + m) logits over the columns."""
    return logits.log_softmax(dim=1)


def pairwise_box_iou(boxes: Tensor, others: Tensor, *, inclusive: bool = False) -> Tensor:
    """Intersection over union of each pair of boxes.

    Args:
        boxes: (n, 4) xyxy in pixels.
        others: (m, 4) xyxy in the same coordinates.
        inclusive: sides are ``x1 - x0 + 1``, the legacy convention in which x1 is the last pixel
            inside; otherwise ``x1 - x0``, Detectron2's.

    Returns:
        (n, m) float in [0, 1]; 0 where a pair does not overlap, also for two empty boxes.
    """
    extra = 1.0 if inclusive else 0.0
    top_left = torch.max(boxes[:, None, :2], others[None, :, :2])
    bottom_right = torch.min(boxes[:, None, 2:], others[None, :, 2:])
    intersection = (bottom_right - top_left + extra).clamp(min=0).prod(dim=2)
    union = _areas(boxes, extra)[:, None] + _areas(others, extra)[None, :] - intersection
    return torch.where(intersection > 0, intersection / union, torch.zeros_like(intersection))


def label_agreement(labels: Tensor, memory_labels: Tensor) -> Tensor:
    """Kronecker delta of classes: (n,) and (m,) integers to (n, m) float32 of 0 and 1."""
    return (labels[:, None] == memory_labels[None, :]).float()


def matching_scores(
    log_probs: Tensor,
    scores: Tensor,
    ious: Tensor,
    agreement: Tensor,
    *,
    coefficients: Sequence[float] = (1.0, 2.0, 10.0),
    new_iou: float = 0.0,
    new_agreement: float = 1.0,
) -> Tensor:
    """Eq. 3: v_i(n) = log p_i(n) + alpha log s_i + beta IoU(b_i, b_n) + gamma delta(c_i, c_n).

    A coefficient of 0 takes its cue out of every column, that of "new object" included.

    Args:
        log_probs: (n, 1 + m), see ``match_log_probs``.
        scores: (n,) detection scores s_i in [0, 1].
        ious: (n, m), see ``pairwise_box_iou``.
        agreement: (n, m), see ``label_agreement``.
        coefficients: (alpha, beta, gamma).
        new_iou: IoU of the "new object" column, which the paper leaves open.
        new_agreement: delta of the "new object" column, which the paper leaves open.

    Returns:
        (n, 1 + m) float: v_i(n).
    """
    alpha, beta, gamma = coefficients
    total = log_probs
    if alpha != 0:
        # A score of exactly 0 has no logarithm; the smallest normal number stands in for it.
        smallest = torch.finfo(scores.dtype).tiny
        total = total + alpha * scores.clamp(min=smallest).log()[:, None]
    if beta != 0:
        total = total + beta * with_new_column(ious, new_iou)
    if gamma != 0:
        total = total + gamma * with_new_column(agreement, new_agreement)
    return total


def check_cues(
    section: str, match_coeff: Sequence[float], min_iou: float | None = None
) -> tuple[float, float, float]:
    """Refuses weights and threshold of eq. 3 that mean nothing, and returns the weights.

    Args:
        section: of the config, for the error.
        match_coeff: (alpha, beta, gamma).
        min_iou: least overlap of a match; None where there is none.

    Raises:
        ValueError: not three weights, or a threshold out of (0, 1].
    """
    if len(match_coeff) != 3:
        raise ValueError(
            f"{section}.MATCH_COEFF is {tuple(match_coeff)}; give three numbers, the weights of score, IoU and class"
        )
    if min_iou is not None and not 0 < min_iou <= 1:
        raise ValueError(f"{section}.MIN_IOU is {min_iou}; give an overlap above 0 and up to 1")
    return tuple(match_coeff)


def with_new_column(table: Tensor, value: float) -> Tensor:
    """Puts a constant column for "new object" before an (n, m) table: (n, 1 + m)."""
    return torch.cat([table.new_full((table.shape[0], 1), value), table], dim=1)


def _areas(boxes: Tensor, extra: float) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2] + extra).prod(dim=1)
