"""Losses of single frames: class with hard negatives, box, mask, centerness, track embedding.

Letters: N images, A anchors, P positive anchors of the batch, P_i of image i, C classes. A positive of image i weighs
w_p = 1 / P_i. All losses are sums over positives divided by N, so that every image with objects counts alike.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vis_projects.methods.stmask.matching import BACKGROUND
from vis_projects.modeling.yolact import paired_diou

TINY = 1e-10


@dataclass
class Positives:
    """The positive anchors of N images, image after image.

    Attributes:
        image: int64 (P,).
        anchor: int64 (P,).
        target: int64 (P,), row in the list of all objects of the N images.
        weight: (P,), w_p.
    """

    image: Tensor
    anchor: Tensor
    target: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.image)

    def of(self, table: Tensor) -> Tensor:
        """Rows (P, ...) of an (N, A, ...) output."""
        return table[self.image, self.anchor]


def positives_of(matched: Tensor, first_targets: Tensor) -> Positives:
    """
    Args:
        matched: int64 (N, A), see `AnchorMatcher`.
        first_targets: int64 (N,), where the objects of each image begin in the list of all.
    """
    image, anchor = (matched >= 0).nonzero(as_tuple=True)
    counts = (matched >= 0).sum(dim=1)
    return Positives(image, anchor, matched[image, anchor] + first_targets[image], 1.0 / counts[image])


def class_loss(
    logits: Tensor, matched: Tensor, labels: Tensor, positives: Positives, *, ratio: int, weight_order: str
) -> Tensor:
    """Cross-entropy of all positives and of the `ratio` * P hardest background anchors of the batch.

    Positives weigh w_p, the n negatives ratio * N / n each, all of it divided by (1 + ratio) N.

    Args:
        logits: (N, A, 1 + C).
        matched: int64 (N, A).
        labels: int64 (P,), classes of the positives from 0.
        positives: of the batch.
        ratio: negatives per positive.
        weight_order: "aligned", or "official": the released code makes the list of weights with all positives first
            but that of the anchors in their order, which mixes up weights where images have different P_i.
    """
    count = len(logits)
    if len(positives) == 0:
        return 0.0 * logits.sum()
    with torch.no_grad():
        hardness = logits.logsumexp(dim=2) - logits[..., 0]
        hardness = torch.where(matched == BACKGROUND, hardness, -torch.inf).flatten()
        wanted = min(ratio * len(positives), int((matched == BACKGROUND).sum()))
        negatives = hardness.argsort(descending=True, stable=True)[:wanted]
    classes = torch.zeros_like(matched)
    classes[positives.image, positives.anchor] = labels + 1
    weights = torch.zeros_like(logits[..., 0])
    weights[positives.image, positives.anchor] = positives.weight.to(weights)
    weights.view(-1)[negatives] = ratio * count / max(wanted, 1)
    kept = torch.zeros_like(matched, dtype=torch.bool)
    kept[positives.image, positives.anchor] = True
    kept.view(-1)[negatives] = True
    omega = weights[kept]
    if weight_order == "official":
        omega = torch.cat([positives.weight.to(weights), weights.view(-1)[negatives]])
    cross = F.cross_entropy(logits[kept], classes[kept], reduction="none")
    return (omega * cross).sum() / ((1 + ratio) * count)


def diou_loss(boxes: Tensor, targets: Tensor, positives: Positives, count: int) -> Tensor:
    """Sum of w_p (1 - DIoU) over N, for xyxy boxes (P, 4)."""
    return (positives.weight * (1 - paired_diou(boxes, targets))).sum() / count


def smooth_l1_loss(deltas: Tensor, targets: Tensor, positives: Positives, count: int) -> Tensor:
    """Sum of w_p smooth-L1 over N, for coded boxes (P, 4)."""
    return (positives.weight * F.smooth_l1_loss(deltas, targets, reduction="none").sum(dim=1)).sum() / count


def centerness_loss(centerness: Tensor, diou: Tensor, positives: Positives, count: int) -> Tensor:
    """Sum of w_p smooth-L1 of centerness (P,) to the DIoU (P,) of its box over N."""
    return (positives.weight * F.smooth_l1_loss(centerness, diou, reduction="none")).sum() / count


def track_loss(embeddings: Tensor, identities: Tensor, weights: Tensor) -> Tensor:
    """Pairs of positives of the whole batch: -log s for one identity, -log(1 - s) for two, s = (cosine + 1) / 2.

    A pair weighs w_p w_q; the sum is divided by that of the weights. 0 for fewer than two positives.

    Args:
        embeddings: (P, D) of length 1.
        identities: int64 (P,), unique over the videos of the batch.
        weights: (P,), w_p.
    """
    connected = 0.0 * embeddings.sum()
    if len(embeddings) < 2:
        return connected
    p, q = torch.triu_indices(len(embeddings), len(embeddings), offset=1, device=embeddings.device)
    with torch.autocast(device_type=embeddings.device.type, enabled=False):
        similarity = ((embeddings.float() @ embeddings.float().T + 1) / 2)[p, q]
    same = identities[p] == identities[q]
    # the floor bounds the loss where a pair is as wrong as can be
    right = torch.where(same, similarity, 1 - similarity).clamp(min=TINY)
    pairs = weights[p] * weights[q]
    return (pairs * -right.log()).sum() / pairs.sum() + connected
