"""Selection of proposals out of dense predictions, and the ground truth among them."""

import math
from typing import List, Tuple, Union

import torch

from detectron2.layers import batched_nms, cat
from detectron2.structures import Boxes, Instances

# Logit of the probability 1 - 1e-10: a ground truth that is a proposal is sure.
_SURE_LOGIT = math.log((1.0 - 1e-10) / (1 - (1.0 - 1e-10)))


def find_top_rpn_proposals(
    proposals: List[torch.Tensor], pred_objectness_logits: List[torch.Tensor],
    image_sizes: List[Tuple[int, int]], nms_thresh: float, pre_nms_topk: int, post_nms_topk: int,
    min_box_size: float, training: bool
):
    """Keeps the best proposals of each image.

    The best of every level are clipped to the image, freed of small ones and of
    duplicates within their level (NMS), and the best of all levels remain.

    Args:
        proposals: for each level, float (N, R_l, 4), XYXY in pixels.
        pred_objectness_logits: for each level, float (N, R_l).
        image_sizes: (height, width) of each of the N images, in pixels.
        nms_thresh: IoU above which the worse of two boxes is dropped.
        pre_nms_topk: kept per image and level before NMS.
        post_nms_topk: kept per image after NMS.
        min_box_size: both sides must be larger, in pixels of the network's input.
        training: whether infinite and NaN predictions are an error or are dropped.

    Returns:
        List of N Instances with `proposal_boxes` and `objectness_logits`, best first.

    Raises:
        FloatingPointError: for infinite or NaN predictions in training.
    """
    boxes, scores, levels = _best_of_each_level(proposals, pred_objectness_logits, pre_nms_topk)
    results = []
    for image_boxes, image_scores, image_size in zip(boxes, scores, image_sizes):
        finite = torch.isfinite(image_boxes).all(dim=1) & torch.isfinite(image_scores)
        image_levels = levels
        if not finite.all():
            if training:
                raise FloatingPointError(
                    "the proposal boxes or scores have infinite or NaN values: training has diverged; "
                    "lower SOLVER.BASE_LR or lengthen the warm-up"
                )
            image_boxes, image_scores, image_levels = image_boxes[finite], image_scores[finite], levels[finite]
        clipped = Boxes(image_boxes)
        clipped.clip(image_size)
        large = clipped.nonempty(threshold=min_box_size)
        if not large.all():
            clipped, image_scores, image_levels = clipped[large], image_scores[large], image_levels[large]
        keep = batched_nms(clipped.tensor, image_scores, image_levels, nms_thresh)[:post_nms_topk]
        results.append(
            Instances(image_size, proposal_boxes=clipped[keep], objectness_logits=image_scores[keep])
        )
    return results


def _best_of_each_level(proposals, logits, limit):
    """Top `limit` of each level by logit, levels joined.

    Returns:
        boxes (N, R, 4), scores (N, R) and the level of each column, int64 (R,).
    """
    boxes, scores, levels = [], [], []
    for level, (level_boxes, level_logits) in enumerate(zip(proposals, logits)):
        count = min(level_logits.shape[1], limit)
        best, order = level_logits.topk(count, dim=1)
        boxes.append(level_boxes.gather(1, order[..., None].expand(-1, -1, 4)))
        scores.append(best)
        levels.append(torch.full((count,), level, dtype=torch.int64, device=best.device))
    return cat(boxes, dim=1), cat(scores, dim=1), cat(levels, dim=0)


def add_ground_truth_to_proposals(
    gt: Union[List[Instances], List[Boxes]], proposals: List[Instances]
) -> List[Instances]:
    """Appends each image's ground truth to its proposals.

    Args:
        gt: for each image, Instances with `gt_boxes`, or Boxes.
        proposals: for each image, Instances with `proposal_boxes` and
            `objectness_logits`.

    Returns:
        List of new Instances.

    Raises:
        AssertionError: without ground truth, or when proposals have a field that the
            ground truth lacks.
        ValueError: for lists of different lengths.
    """
    assert gt is not None, "add_ground_truth_to_proposals needs ground truth, got None"
    if len(proposals) != len(gt):
        raise ValueError(f"{len(proposals)} images of proposals for {len(gt)} of ground truth")
    return [add_ground_truth_to_proposals_single_image(*pair) for pair in zip(gt, proposals)]


def add_ground_truth_to_proposals_single_image(gt: Union[Instances, Boxes], proposals: Instances) -> Instances:
    """Does the work of `add_ground_truth_to_proposals` for one image.

    Args:
        gt: Instances with `gt_boxes`, or Boxes.
        proposals: Instances with `proposal_boxes` and `objectness_logits`.

    Returns:
        New Instances: the proposals, then the ground truth.
    """
    if isinstance(gt, Boxes):
        gt = Instances(proposals.image_size, gt_boxes=gt)
    device = proposals.objectness_logits.device
    truth = Instances(proposals.image_size, **gt.get_fields())
    truth.proposal_boxes = gt.gt_boxes
    truth.objectness_logits = torch.full((len(gt.gt_boxes),), _SURE_LOGIT, device=device)
    for name in proposals.get_fields():
        assert truth.has(name), f"the proposals have a field {name!r} that the ground truth lacks; remove or add it"
    return Instances.cat([proposals, truth])
