"""Slots of one frame -> instances at output size.

Letters: L slots, h x w the map of mask logits at stride 4.
"""

import torch
from detectron2.structures import BitMasks, Instances
from torch import Tensor
from torch.nn import functional as F

from vis_projects.methods.hitf.heads import SlotPredictions
from vis_projects.methods.hitf.matcher import match_slots, similarities
from vis_projects.methods.hitf.targets import MASK_STRIDE, FrameTargets

MASK_RULES = ("argmax", "thr")


def output_probabilities(
    mask_logits: Tensor, image_size: tuple[int, int], output_size: tuple[int, int]
) -> Tensor:
    """Whose pixel is it: probabilities of slots and background at output size.

    Probabilities are enlarged so that those at pixels 0, 4, 8, ... stay as they are, the padding is cut off, and what
    is left is resized.

    Args:
        mask_logits: (n, h, w).
        image_size: of the frame that the network saw, before padding, at most (4 h - 3, 4 w - 3).
        output_size: (height, width).

    Returns:
        float32 (n, height, width), sums to 1 over n.
    """
    probs = mask_logits.float().softmax(dim=0)[None]
    full = tuple((side - 1) * MASK_STRIDE + 1 for side in probs.shape[-2:])
    probs = F.interpolate(probs, size=full, mode="bilinear", align_corners=True)
    probs = probs[:, :, : image_size[0], : image_size[1]]
    if tuple(probs.shape[-2:]) != tuple(output_size):
        probs = F.interpolate(probs, size=tuple(output_size), mode="bilinear", align_corners=False)
    return probs[0]


def slot_instances(
    predictions: SlotPredictions,
    image_size: tuple[int, int],
    output_size: tuple[int, int],
    *,
    rule: str = "argmax",
    mask_score: bool = False,
) -> Instances:
    """Instances of the slots that are not empty: their likeliest class is an object's, and they own a pixel.

    Args:
        predictions: of one frame.
        image_size, output_size: of `output_probabilities`.
        rule: a slot's pixels are those where it is the likeliest ("argmax"), or also above 1/2 ("thr").
        mask_score: multiply scores by the mean probability of the slot's pixels.

    Returns:
        `pred_boxes`, `scores`, `pred_classes`, `pred_masks` (n, height, width) bool, disjoint, and `slots` (n,) int64.
    """
    class_probs = predictions.class_logits[0].softmax(dim=-1)
    num_slots = len(class_probs)
    probs = output_probabilities(predictions.mask_logits[0], image_size, output_size)
    best, owner = probs.max(dim=0)
    if rule == "thr":
        owner = torch.where(best > 0.5, owner, num_slots)
    scores, classes = class_probs[:, :-1].max(dim=1)
    slots = (scores > class_probs[:, -1]).nonzero()[:, 0]
    masks = owner[None] == slots[:, None, None]
    areas = masks.flatten(1).sum(dim=1)
    masks, slots, areas = masks[areas > 0], slots[areas > 0], areas[areas > 0]
    instances = Instances(tuple(output_size))
    instances.pred_boxes = BitMasks(masks).get_bounding_boxes().to(masks.device)
    instances.scores = scores[slots]
    if mask_score:
        sums = (masks * best).flatten(1).sum(dim=1)
        instances.scores = instances.scores * sums / areas
    instances.pred_classes, instances.pred_masks, instances.slots = classes[slots], masks, slots
    return instances


def given_slots(predictions: SlotPredictions, instances: Instances, image_size: tuple[int, int]) -> Tensor:
    """The slot that answers for each of some given instances, by the similarity that training matches with (eq. 6).

    Args:
        predictions: of one frame.
        instances: with `pred_masks` (n, height, width) bool and `pred_classes` (n,).
        image_size: of the frame that the network saw, before padding.

    Returns:
        int64 (n,), all different, but -1 for the smallest instances where there are more than slots.
    """
    probs = predictions.class_logits[0].softmax(dim=-1)
    masks = output_probabilities(predictions.mask_logits[0], image_size, tuple(instances.image_size))[: len(probs)]
    slots = torch.full((len(instances),), -1, dtype=torch.int64, device=probs.device)
    kept = instances.pred_masks.flatten(1).sum(dim=1).argsort(descending=True, stable=True)[: len(probs)]
    counted = torch.ones_like(masks[0], dtype=torch.bool)
    target = FrameTargets(instances.pred_masks[kept].float(), instances.pred_classes[kept], counted)
    slots[kept] = match_slots(similarities([probs], [masks], [target]))
    return slots
