"""The identity target and the loss of a track head (eq. 2 of the MaskTrack R-CNN paper and L_track)."""

from collections.abc import Sequence

import torch
from detectron2.structures import Instances
from torch import Tensor
from torch.nn import functional as F

from vis_projects.modeling.correspondence import positions_of


def reference_pids(key_ids: Tensor, reference_ids: Tensor) -> Tensor:
    """Where each object of the key frame is in the reference frame.

    Args:
        key_ids: (n,) int64 identities of the key frame's objects.
        reference_ids: (m,) int64 identities of the reference frame's objects.

    Returns:
        (n,) int64: 1 + the object's position in the reference frame, or 0 if it is not there.
    """
    return positions_of(key_ids, reference_ids) + 1  # "not there", -1, becomes column NEW_TRACK, 0


def with_reference_pids(key: Instances, reference: Instances) -> Instances:
    """The key frame's objects with ``gt_pids``, see ``reference_pids``; the proposals sampled from them inherit it."""
    pids = reference_pids(key.gt_ids, reference.gt_ids)
    return Instances(key.image_size, **key.get_fields(), gt_pids=pids)


def track_loss(logits: Sequence[Tensor], pids: Sequence[Tensor]) -> Tensor:
    """Cross entropy of positive RoIs against the reference frame's objects.

    The mean over an image's RoIs, then the mean over images. An image whose reference frame is
    empty has only the column "new object", so nothing to learn: it is left out of both means. An
    image with objects in the reference but no positive RoI counts as 0.

    Args:
        logits: per image (r, 1 + m), see ``match_logits``; positive RoIs only.
        pids: per image (r,) int64 in [0, m], see ``reference_pids``.

    Returns:
        Scalar float32, connected to every element of ``logits`` (DDP wants a gradient for each
        parameter in each step), 0 when no image can teach anything.
    """
    if not logits:
        raise ValueError("track_loss needs the logits of at least one image")
    connected = torch.stack([table.float().sum() for table in logits]).sum() * 0.0
    total, count = connected, 0
    for table, target in zip(logits, pids, strict=True):
        if table.shape[1] == 1:
            continue
        count += 1
        if table.shape[0] > 0:
            total = total + F.cross_entropy(table.float(), target)
    return total / max(count, 1)


@torch.no_grad()
def track_accuracy(logits: Sequence[Tensor], pids: Sequence[Tensor]) -> float | None:
    """Fraction of positive RoIs whose largest logit is their own object's; None without any.

    Args:
        logits: per image (r, 1 + m).
        pids: per image (r,) int64.
    """
    if sum(len(target) for target in pids) == 0:
        return None
    right = torch.cat([table.argmax(dim=1) == target for table, target in zip(logits, pids)])
    return right.float().mean().item()
