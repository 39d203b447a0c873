"""Merging what the detector finds in a frame with what temporal fusion carries over from the frame before.

Letters: n detections, m remembered objects. The remembered ones have boxes and masks that were shifted to this frame,
and the embeddings of their latest sight (section 3.2 of the paper, eq. 15 to 17).
"""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from vis_projects.tracking import matching_scores, with_new_column

MASK_THRESHOLD = 0.5


def merge_scores(
    embeddings: Tensor,
    memory_embeddings: Tensor,
    scores: Tensor,
    mask_ious: Tensor,
    box_ious: Tensor,
    agreement: Tensor,
    *,
    coefficients: Sequence[float] = (0.0, 1.0, 2.0, 0.0),
    dummy_iou: float = 0.3,
    cos_rescale: bool = True,
) -> Tensor:
    """Eq. 15 with the terms of the published code: how well each detection fits each remembered object.

    `S = cos' + a score + b mask IoU + c box IoU + d [same class]`, cos' being (cos + 1) / 2 or cos itself. The column
    of "new object" is the same sum for a cosine of 0, both IoUs at `dummy_iou`, and the same class: the threshold
    epsilon of eq. 16, which the paper leaves open. The paper's alpha and beta are 1 and b, with c = d = 0 and
    cos' = cos.

    Args:
        embeddings: (n, D). memory_embeddings: (m, D). Of any length; zero vectors have the cosine 0.
        scores: (n,) of the detections. They raise all columns of a row alike, so they decide nothing.
        mask_ious, box_ious: (n, m).
        agreement: (n, m), 1 for the same class, see `label_agreement`.
        coefficients: (a, b, c, d).
        dummy_iou: IoU of the "new object" column.
        cos_rescale: bring the cosine to [0, 1].

    Returns:
        float32 (n, 1 + m); column 0 is "new object". Not finite where an embedding or a score is not.
    """
    by_score, by_mask, by_box, by_class = coefficients
    embeddings = embeddings.float()
    cosines = F.normalize(embeddings, dim=1) @ F.normalize(memory_embeddings.float(), dim=1).t()
    table = with_new_column(cosines, 0.0)
    if cos_rescale:
        table = (table + 1) / 2
    table = table + by_mask * with_new_column(mask_ious, dummy_iou)
    table = matching_scores(
        table, scores, box_ious, agreement, coefficients=(0.0, by_box, by_class), new_iou=dummy_iou, new_agreement=1.0
    )
    # also against an empty memory, and with a coefficient of 0, an inf or nan has to show
    return table + (by_score * scores.float() + 0.0 * embeddings.sum(dim=1))[:, None]


def shown(
    scores: Tensor,
    ages: Tensor,
    masks: Tensor,
    *,
    score_threshold: float,
    max_propagate: int,
    min_mask_pixels: int,
) -> Tensor:
    """Which remembered objects are part of this frame's result (eq. 17 with the limits of the published code).

    Args:
        scores: (m,), decayed once for each frame that an object was carried over.
        ages: (m,) int64, frames since the detector saw it; 0: in this frame.
        masks: (m, h, w) soft masks.
        score_threshold: lower bound of the score, itself excluded.
        max_propagate: largest age; below 0: no limit, as in the paper.
        min_mask_pixels: lower bound of the number of pixels above 0.5, itself excluded.

    Returns:
        bool (m,).
    """
    keep = (scores > score_threshold) & (binary(masks).flatten(1).sum(dim=1) > min_mask_pixels)
    return keep & (ages <= max_propagate) if max_propagate >= 0 else keep


def binary(masks: Tensor) -> Tensor:
    """bool (m, h, w) of soft masks."""
    return masks > MASK_THRESHOLD


def in_a_crowd(mask_ious: Tensor, threshold: float = 0.3) -> Tensor:
    """bool (n,): detections that overlap two remembered masks or more by an IoU above the threshold."""
    return (mask_ious > threshold).sum(dim=1) >= 2
