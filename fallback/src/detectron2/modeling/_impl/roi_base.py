"""What all ROI heads share: matching and sampling of proposals for training."""

from typing import Dict, List, Optional, Tuple

import torch
from torch import nn

from detectron2.config import configurable
from detectron2.layers import nonzero_tuple
from detectron2.structures import ImageList, Instances, pairwise_iou
from detectron2.utils.events import get_event_storage

from ..matcher import Matcher
from ..proposal_generator.proposal_utils import add_ground_truth_to_proposals
from ..sampling import subsample_labels


def select_foreground_proposals(
    proposals: List[Instances], bg_label: int
) -> Tuple[List[Instances], List[torch.Tensor]]:
    """Keeps the rows whose `gt_classes` is neither background nor -1.

    Args:
        proposals: list or tuple of Instances with `gt_classes`.
        bg_label: class number of the background.

    Returns:
        (foreground, masks): Instances and bool (R_i,) of each image.

    Raises:
        AssertionError: for other inputs.
    """
    assert isinstance(proposals, (list, tuple)) and proposals and isinstance(proposals[0], Instances), (
        "select_foreground_proposals takes a list of Instances"
    )
    assert proposals[0].has("gt_classes"), "the proposals have no gt_classes; label them first"
    masks = [(p.gt_classes != -1) & (p.gt_classes != bg_label) for p in proposals]
    kept = [p[nonzero_tuple(mask)[0]] for p, mask in zip(proposals, masks)]
    return kept, masks


class ROIHeads(nn.Module):
    """Base of the networks that work on proposals one by one.

    Args:
        num_classes: K; class K means background.
        batch_size_per_image: proposals drawn per image for training.
        positive_fraction: largest share of foreground among them.
        proposal_matcher: labels proposals by their IoU with ground truth.
        proposal_append_gt: whether ground truth joins the proposals in training.
    """

    @configurable
    def __init__(
        self, *, num_classes, batch_size_per_image, positive_fraction, proposal_matcher,
        proposal_append_gt=True
    ):
        super().__init__()
        self.num_classes = num_classes
        self.batch_size_per_image = batch_size_per_image
        self.positive_fraction = positive_fraction
        self.proposal_matcher = proposal_matcher
        self.proposal_append_gt = proposal_append_gt

    @classmethod
    def from_config(cls, cfg):
        node = cfg.MODEL.ROI_HEADS
        return {
            "num_classes": node.NUM_CLASSES,
            "batch_size_per_image": node.BATCH_SIZE_PER_IMAGE,
            "positive_fraction": node.POSITIVE_FRACTION,
            "proposal_append_gt": node.PROPOSAL_APPEND_GT,
            "proposal_matcher": Matcher(node.IOU_THRESHOLDS, node.IOU_LABELS, allow_low_quality_matches=False),
        }

    def forward(
        self, images: ImageList, features: Dict[str, torch.Tensor], proposals: List[Instances],
        targets: Optional[List[Instances]] = None
    ) -> Tuple[List[Instances], Dict[str, torch.Tensor]]:
        """Runs the heads; for subclasses to implement.

        Args:
            images: the batch.
            features: name -> float map (N, C, H, W).
            proposals: for each image, Instances with `proposal_boxes`.
            targets: for each image, Instances of ground truth; in training.

        Returns:
            (instances, losses): in training the drawn proposals and a dict of scalars,
            in testing the detections and an empty dict.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `forward`")

    @torch.no_grad()
    def label_and_sample_proposals(
        self, proposals: List[Instances], targets: List[Instances]
    ) -> List[Instances]:
        """Matches proposals to ground truth and draws those to train on.

        Args:
            proposals: for each image, Instances with `proposal_boxes`.
            targets: for each image, Instances with `gt_boxes`, `gt_classes` and other
                `gt_*` fields.

        Returns:
            For each image, the drawn proposals with `gt_classes` (K for background) and
            every `gt_*` field of their match; images without ground truth have
            `gt_classes` only. Logs the mean numbers of both kinds.
        """
        if self.proposal_append_gt:
            proposals = add_ground_truth_to_proposals(targets, proposals)
        drawn, num_foreground, num_background = [], [], []
        for candidates, truth in zip(proposals, targets):
            quality = pairwise_iou(truth.gt_boxes, candidates.proposal_boxes)
            matches, labels = self.proposal_matcher(quality)
            rows, classes = self._sample_proposals(matches, labels, truth.gt_classes)
            chosen = candidates[rows]
            chosen.gt_classes = classes
            if len(truth):
                source = matches[rows]
                for name, value in truth.get_fields().items():
                    if name.startswith("gt_") and not chosen.has(name):
                        chosen.set(name, value[source])
            background = int((classes == self.num_classes).sum())
            num_background.append(background)
            num_foreground.append(classes.numel() - background)
            drawn.append(chosen)
        if drawn:
            storage = get_event_storage()
            storage.put_scalar("roi_head/num_fg_samples", sum(num_foreground) / len(drawn))
            storage.put_scalar("roi_head/num_bg_samples", sum(num_background) / len(drawn))
        return drawn

    def _sample_proposals(
        self, matched_idxs: torch.Tensor, matched_labels: torch.Tensor, gt_classes: torch.Tensor
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Draws rows by their matches.

        Args:
            matched_idxs: int64 (R,), ground truth of each proposal.
            matched_labels: int8 (R,) in {1, 0, -1}.
            gt_classes: int64 (G,).

        Returns:
            (rows, classes): int64 (S,), foreground first, and the class of each, K for
            background.
        """
        if gt_classes.numel() > 0:
            classes = gt_classes[matched_idxs]
            classes[matched_labels == 0] = self.num_classes
            classes[matched_labels == -1] = -1
        else:
            classes = torch.full_like(matched_idxs, self.num_classes)
        rows = torch.cat(
            subsample_labels(classes, self.batch_size_per_image, self.positive_fraction, self.num_classes)
        )
        return rows, classes[rows]

    def _require_given_boxes(self, instances: List[Instances]) -> None:
        """AssertionError unless this is a model in testing and the instances are detections with classes."""
        assert not self.training, "forward_with_given_boxes is for testing; call eval() first"
        assert instances[0].has("pred_boxes") and instances[0].has("pred_classes"), (
            "forward_with_given_boxes needs pred_boxes and pred_classes"
        )
