"""Losses of one frame of one clip: eq. 9 and the auxiliary losses of MaX-DeepLab.

Letters: K objects, L slots, E width of pixel embeddings, h x w the map at stride 4.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vis_projects.methods.hitf.targets import FrameTargets

SMOOTH = 1.0  # in numerator and denominator of the Dice coefficient


def dice_coefficient(masks: Tensor, targets: Tensor, counted: Tensor) -> Tensor:
    """(2 sum(m g) + 1) / (sum m + sum g + 1) over the pixels that count.

    Args:
        masks: (K, h, w) probabilities. targets: (K, h, w) 0 or 1. counted: bool (h, w).

    Returns:
        float32 (K,), 1 for a perfect mask.
    """
    masks, targets = (masks.float() * counted).flatten(1), (targets * counted).flatten(1)
    common, total = (masks * targets).sum(dim=1), masks.sum(dim=1) + targets.sum(dim=1)
    return (2 * common + SMOOTH) / (total + SMOOTH)


def instance_losses(
    class_logits: Tensor, masks: Tensor, target: FrameTargets, slots: Tensor, *, dynamic: bool, floor: float
) -> dict[str, Tensor]:
    """L_pos, split into its two terms, and L_neg of eq. 9, each divided by L.

    Args:
        class_logits: (L, classes + 1). masks: (L, h, w) probabilities.
        target: of the frame. slots: int64 (K,) of `match_slots`; a slot whose object is absent here is a negative.
        dynamic: k_mask is the probability of the right class and k_cls the Dice coefficient, without gradients; else
            both are 1.
        floor: least value of both.

    Returns:
        scalars `mask`, `cls`, `neg`.
    """
    log_probs = class_logits.float().log_softmax(dim=1)
    present = target.present
    slots, classes = slots[present], target.classes[present]
    dice = dice_coefficient(masks[slots], target.masks[present], target.counted)
    right = log_probs[slots, classes]
    k_mask, k_cls = torch.ones_like(dice), torch.ones_like(dice)
    if dynamic:
        k_mask, k_cls = (x.detach().clamp(min=floor) for x in (right.exp(), dice))
    empty = torch.ones(len(log_probs), dtype=torch.bool, device=slots.device)
    empty[slots] = False
    count = len(log_probs)
    return {
        "mask": (k_mask * (1 - dice)).sum() / count,
        "cls": -(k_cls * right).sum() / count,
        "neg": -log_probs[empty, -1].sum() / count,
    }


def mask_id_loss(mask_logits: Tensor, target: FrameTargets, slots: Tensor, *, with_background: bool) -> Tensor:
    """Cross entropy of the slot of each pixel, the mean over pixels that count.

    Args:
        mask_logits: (L or L + 1, h, w).
        target: of the frame. slots: int64 (K,) of its objects.
        with_background: whether the last logit is the background's. Without it, background pixels may go to any
            unmatched slot, and do not count where every slot is matched.
    """
    log_probs = mask_logits.float().log_softmax(dim=0)
    free = torch.ones(len(log_probs), dtype=torch.bool, device=slots.device)
    if with_background:
        free[:-1] = False
    else:
        free[slots[target.present]] = False
    owners = target.owners()
    counted, is_object = target.counted, owners < len(slots)
    if not bool(free.any()):
        counted = counted & is_object
    wanted = torch.cat([slots, slots.new_zeros(1)])[owners]
    right = log_probs.gather(0, wanted[None])[0]
    if bool(free.any()):
        right = torch.where(is_object, right, log_probs[free].logsumexp(dim=0))
    return -(right * counted).sum() / counted.sum().clamp(min=1)


def discrimination_loss(embeddings: Tensor, target: FrameTargets, temperature: float) -> Tensor:
    """Instance discrimination: pixels of an object are closest to its own mean embedding.

    Candidates are the means of all objects and of the background; 0 where the frame shows no object.

    Args:
        embeddings: (E, h, w) of length 1.
        target: of the frame.
        temperature: of the cosine.
    """
    owners = torch.where(target.counted, target.owners(), -1).flatten()
    pixels = embeddings.float().flatten(1).T
    count = len(target.classes) + 1
    belongs = F.one_hot(owners.clamp(min=0), count).float() * (owners >= 0)[:, None]
    sizes = belongs.sum(dim=0)
    on_object = (owners >= 0) & (owners < count - 1)
    with torch.autocast(pixels.device.type, enabled=False):  # sums over thousands of pixels
        means = F.normalize(belongs.T @ pixels, dim=1, eps=1e-6)
        logits = (pixels @ means.T / temperature).masked_fill(sizes == 0, float("-inf"))
    # rows of other pixels are replaced, not removed: an object's pixel always has a finite logit for its own mean
    losses = F.cross_entropy(torch.where(on_object[:, None], logits, 0.0), owners.clamp(min=0), reduction="none")
    return (losses * on_object).sum() / on_object.sum().clamp(min=1)


def semantic_loss(logits: Tensor, target: FrameTargets) -> Tensor:
    """Cross entropy of the class of each pixel, background last, the mean over pixels that count.

    Args:
        logits: (classes + 1, h, w). target: of the frame.
    """
    labels = torch.cat([target.classes, target.classes.new_full((1,), len(logits) - 1)])[target.owners()]
    losses = F.cross_entropy(logits.float()[None], labels[None], reduction="none")[0]
    return (losses * target.counted).sum() / target.counted.sum().clamp(min=1)
