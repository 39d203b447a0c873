"""What CrossVIS learns across the two frames of a pair: crossover masks and embeddings.

Letters: P positive locations of a frame, N objects of a frame (of all clips of the batch), n identities, D size of an
embedding. Objects of the two frames are the same where clip and `gt_ids` agree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from detectron2.structures import Instances
from fvcore.nn import sigmoid_focal_loss
from torch import Tensor
from torch.nn import functional as F

from vis_projects.modeling import positions_of
from vis_projects.modeling.condinst import FramePositives, MaskQueries
from vis_projects.tracking import match_logits

ALPHA, GAMMA = 0.25, 2.0  # of the focal loss
CROSS_LOCATIONS = ("random", "best", "all")


def partner_index(instances: Sequence[Instances], partners: Sequence[Instances]) -> Tensor:
    """Where each object of one frame is in the other.

    Args:
        instances, partners: the B clips' objects of the two frames, with `gt_ids`.

    Returns:
        int64 (N,): row in the list of all objects of `partners`, -1 where the object is not there.
    """
    found, offset = [], 0
    for ours, theirs in zip(instances, partners, strict=True):
        position = positions_of(ours.gt_ids, theirs.gt_ids)
        found.append(torch.where(position >= 0, position + offset, -1))
        offset += len(theirs)
    return torch.cat(found)


def draw_partner_locations(positives: FramePositives, partner: FramePositives, partners: Tensor) -> Tensor:
    """For each positive of one frame a location of the same object in the other, uniformly at random.

    Args:
        positives, partner: of the two frames.
        partners: (N,) of `partner_index`.

    Returns:
        int64 (P,): positive of `partner`, -1 where the object is not there or has no positive there.
    """
    same = _same_object(positives.gt_index, partner, partners)
    return _highest(same, torch.rand(same.shape, device=same.device))


def central_partner_locations(positives: FramePositives, partner: FramePositives, partners: Tensor) -> Tensor:
    """As `draw_partner_locations`: the location nearest to the mean of all locations of the object there."""
    places, where = partner.queries.locations, partner.gt_index
    counts = where.bincount()[:, None].clamp(min=1)
    means = places.new_zeros(len(counts), 2).index_add(0, where, places) / counts
    away = (places - means[where]).square().sum(dim=1)
    return _highest(_same_object(positives.gt_index, partner, partners), -away)


def partner_pairs(
    positives: FramePositives, partner: FramePositives, partners: Tensor, how: str, most: int
) -> tuple[Tensor, Tensor]:
    """Filters of one frame with locations of the same object in the other.

    Args:
        positives, partner: of the two frames; `positives.sample` takes part.
        partners: (N,) of `partner_index`.
        how: one location for each filter, a "random" one or the "best", most central one; or "all".
        most: of "all", a random subset of so many pairs; 0 for no bound.

    Returns:
        int64 (K,) rows of `positives`, and (K,) rows of `partner`.
    """
    if how != "all":
        place = (draw_partner_locations if how == "random" else central_partner_locations)(positives, partner, partners)
        rows = positives.sample[place[positives.sample] >= 0]
        return rows, place[rows]
    same = _same_object(positives.gt_index[positives.sample], partner, partners)
    rows, place = torch.nonzero(same, as_tuple=True)
    if 0 < most < len(rows):
        chosen = torch.randperm(len(rows), device=rows.device)[:most]
        rows, place = rows[chosen], place[chosen]
    return positives.sample[rows], place


def _same_object(gt_index: Tensor, partner: FramePositives, partners: Tensor) -> Tensor:
    """bool (K, P'): whether the objects (K,) of one frame are those of the other frame's positives."""
    return partners[gt_index][:, None] == partner.gt_index[None, :]


def _highest(allowed: Tensor, worth: Tensor) -> Tensor:
    """int64 (K,): per row of bool (K, P') the allowed column of the highest worth, (K, P') or (P',); -1 without any."""
    if allowed.numel() == 0:
        return torch.full(allowed.shape[:1], -1, device=allowed.device)
    return torch.where(allowed.any(dim=1), torch.where(allowed, worth, -torch.inf).argmax(dim=1), -1)


def crossover_loss(
    positives: FramePositives,
    partner: FramePositives,
    partners: Tensor,
    partner_features: Tensor,
    mask_loss: Callable[[Tensor, MaskQueries, Tensor], Tensor],
    *,
    location: str = "random",
    most: int = 0,
) -> Tensor:
    """Filters of one frame on the features of the other (CrossVIS eq. 6 or 7, and 8).

    The filter of a positive location runs over the other frame's features, with coordinates relative to a location of
    the same object there, and has to give the object's mask there. Objects without a partner are left out.

    Args:
        positives: of the frame whose filters are used; its `sample` takes part.
        partner: of the frame whose features, locations and masks are used.
        partners: (N,) of `partner_index`.
        partner_features: (B, C, H, W) mask features of the other frame.
        mask_loss: (features, queries, masks) -> scalar, 0 without queries.
        location, most: `how` and `most` of `partner_pairs`.
    """
    rows, place = partner_pairs(positives, partner, partners, location, most)
    queries = MaskQueries(
        params=positives.queries.params[rows], locations=partner.queries.locations[place],
        levels=partner.queries.levels[place], image_index=partner.queries.image_index[place],
    )
    return mask_loss(partner_features, queries, partner.masks[partner.gt_index[place]])


@dataclass
class EmbeddedPositives:
    """The positives of one frame with what embeddings are learnt from.

    Attributes:
        embeddings: (P, D).
        gt_index: int64 (P,), object of each in the list of all objects of the frame.
        identities: int64 (P,), identity in the training set, -1 where unknown.
        clip_index: int64 (P,), clip of each.
    """

    embeddings: Tensor
    gt_index: Tensor
    identities: Tensor
    clip_index: Tensor


def global_embedding_loss(
    frames: Sequence[EmbeddedPositives], classifier: Callable[[Tensor], Tensor], *, focal: bool
) -> Tensor:
    """Every positive against all identities of the training set (eqs. 11-14).

    Args:
        frames: the two frames.
        classifier: (P, D) -> (P, n) logits.
        focal: eqs. 13 and 14, the sum over positives and identities divided by the number of positives; otherwise
            cross-entropy, eq. 12.
    """
    embeddings = torch.cat([frame.embeddings for frame in frames])
    identities = torch.cat([frame.identities for frame in frames])
    logits = classifier(embeddings).float()
    connected = 0.0 * logits.sum()
    known = identities >= 0
    if not known.any():
        return connected
    _check_identities(identities, logits.shape[1])
    logits, identities = logits[known], identities[known]
    if not focal:
        return F.cross_entropy(logits, identities) + connected
    target = F.one_hot(identities, logits.shape[1]).to(logits)
    return sigmoid_focal_loss(logits, target, alpha=ALPHA, gamma=GAMMA, reduction="sum") / len(logits) + connected


def pairwise_embedding_loss(
    positives: EmbeddedPositives, partner: EmbeddedPositives, partners: Tensor, *, focal: bool
) -> Tensor:
    """Positives of one frame against the objects of the other, as MaskTrack R-CNN learns (eqs. 9 and 10).

    An object of the other frame is the mean of the embeddings of its positive locations there.

    Args:
        positives, partner: of the two frames.
        partners: (N,) of `partner_index`.
        focal: focal loss of each product on its own; otherwise cross-entropy over the objects and "not there".
    """
    objects, where = partner.gt_index.unique(return_inverse=True)
    sums = partner.embeddings.new_zeros((len(objects), partner.embeddings.shape[1])).float()
    sums = sums.index_add(0, where, partner.embeddings.float())
    proxies = sums / where.bincount(minlength=len(objects)).clamp(min=1)[:, None]
    clip_of = where.new_zeros(len(objects)).scatter(0, where, partner.clip_index)
    total = 0.0 * (positives.embeddings.float().sum() + proxies.sum())
    count, losses = 0, []
    for clip in positives.clip_index.unique().tolist():
        mine, theirs = positives.clip_index == clip, clip_of == clip
        if not theirs.any():
            continue  # only "not there" is left: nothing to tell apart
        logits = match_logits(positives.embeddings[mine], proxies[theirs])
        same = partners[positives.gt_index[mine]][:, None] == objects[theirs][None, :]
        losses.append(_pairwise_sum(logits, same, focal))
        count += int(mine.sum())
    return total + (sum(losses) / count if count else 0.0)


def _pairwise_sum(logits: Tensor, same: Tensor, focal: bool) -> Tensor:
    """Summed loss of (P, 1 + m) logits, column 0 "not there", against bool (P, m)."""
    if focal:
        return sigmoid_focal_loss(logits[:, 1:], same.to(logits), alpha=ALPHA, gamma=GAMMA, reduction="sum")
    target = torch.where(same.any(dim=1), same.to(torch.int64).argmax(dim=1) + 1, 0)
    return F.cross_entropy(logits, target, reduction="sum")


def _check_identities(identities: Tensor, count: int) -> None:
    largest = int(identities.max())
    if largest >= count:
        raise ValueError(
            f"an object has identity {largest}, the classifier knows {count}; set MODEL.VIS.NUM_IDENTITIES to 0 (taken "
            "from the training sets) or to the number of their annotations"
        )
