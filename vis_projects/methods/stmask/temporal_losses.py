"""Training losses of temporal fusion: shift of boxes and of masks from the earlier to the later frame of a pair.

Letters: B pairs, A anchors, R positives that both frames of their pair show, K prototypes, G objects of the later
frames, H x W the padded image. Boxes are xyxy, fractions of the padded image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vis_projects.methods.stmask.frame import TemporalFeatures
from vis_projects.methods.stmask.targets import FrameTargets
from vis_projects.methods.stmask.temporal import TemporalNet
from vis_projects.modeling.correspondence import positions_of
from vis_projects.modeling.yolact import center_form, cropped_mask_loss, encode_boxes


@dataclass
class PairPositives:
    """Positives of the earlier frames whose object the later frame of the pair shows too.

    Attributes:
        pair_index: int64 (R,).
        boxes: (R, 4), predicted in the earlier frame, without gradient.
        coefficients: (R, K), predicted in the earlier frame, before the tanh, without gradient.
        earlier_boxes: (R, 4), the object in the earlier frame.
        later_boxes: (R, 4), the object in the later frame.
        later_index: int64 (R,), the object in the list of all objects of the B later frames.
    """

    pair_index: Tensor
    boxes: Tensor
    coefficients: Tensor
    earlier_boxes: Tensor
    later_boxes: Tensor
    later_index: Tensor

    def __len__(self) -> int:
        return self.pair_index.shape[0]


def pair_positives(
    anchor_object: Sequence[Tensor],
    boxes: Tensor,
    coefficients: Tensor,
    earlier: Sequence[FrameTargets],
    later: Sequence[FrameTargets],
) -> PairPositives:
    """Selects the positives of B pairs.

    Objects without id (-1) are nobody's partner; those without extent in one of the frames have no motion.

    Args:
        anchor_object: B times int64 (A,), row of the anchor's object among those of the earlier frame; -1: not
            positive.
        boxes: (B, A, 4), decoded predictions of the earlier frames.
        coefficients: (B, A, K) of the earlier frames.
        earlier, later: of the B pairs.
    """
    parts = []
    first = 0
    for pair, (objects, before, after) in enumerate(zip(anchor_object, earlier, later)):
        partner = positions_of(before.ids, after.ids)
        partner = torch.where(before.ids >= 0, partner, -1)
        anchors = (objects >= 0).nonzero()[:, 0]
        anchors = anchors[partner[objects[anchors]] >= 0]
        rows = objects[anchors]
        target, position = before.boxes[rows], partner[rows]
        found = after.boxes[position]
        solid = _has_extent(target) & _has_extent(found)
        anchors, target, position, found = anchors[solid], target[solid], position[solid], found[solid]
        parts.append((
            torch.full_like(anchors, pair), boxes[pair, anchors].detach(), coefficients[pair, anchors].detach(),
            target, found, position + first,
        ))
        first += len(after.ids)
    return PairPositives(*(torch.cat(column) for column in zip(*parts)))


def temporal_losses(
    net: TemporalNet,
    earlier: TemporalFeatures,
    later: TemporalFeatures,
    positives: PairPositives,
    later_prototypes: Tensor,
    later_masks: Tensor,
) -> dict[str, Tensor]:
    """Unweighted losses: the mean over the positives of a pair, summed over pairs, divided by B.

    The box target is the motion of the annotated object, also where the predicted box, from which the features come,
    lies elsewhere. The mask is that of the later frame's prototypes, cut by the later frame's annotated box.

    Args:
        net: whose parameters all get a gradient, also where no positive is given.
        earlier, later: of B pairs.
        positives: of these pairs.
        later_prototypes: (B, h, w, K); no gradient flows into them.
        later_masks: bool (G, H, W).

    Returns:
        `loss_box_shift`, `loss_mask_shift`; 0 without positives.
    """
    count = len(later_prototypes)
    connected = 0.0 * sum(parameter.sum() for parameter in net.parameters())
    if len(positives) == 0:
        return {"loss_box_shift": connected, "loss_mask_shift": connected}
    deltas, change = net(earlier, later, positives.boxes, positives.pair_index)
    share = _share_of_pair(positives.pair_index, count) / count
    targets = encode_boxes(positives.later_boxes, center_form(positives.earlier_boxes), net.variances)
    box_losses = F.smooth_l1_loss(deltas.float(), targets, reduction="none", beta=1.0).sum(dim=1)
    mask_losses = cropped_mask_loss(
        later_prototypes.detach(), positives.pair_index, positives.coefficients.float() + change.float(),
        positives.later_boxes, later_masks, positives.later_index,
    )
    return {
        "loss_box_shift": (share * box_losses).sum() + connected,
        "loss_mask_shift": (share * mask_losses).sum() + connected,
    }


def _has_extent(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] > boxes[:, :2]).all(dim=1)


def _share_of_pair(pair_index: Tensor, count: int) -> Tensor:
    """float32 (R,): 1 over the number of rows of the same pair."""
    return 1.0 / torch.bincount(pair_index, minlength=count)[pair_index].float()
