"""Which anchors answer for which object: Yolact's rule, and what the released STMask adds to it.

Letters: A anchors, G objects of one image, C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vis_projects.methods.stmask.targets import FrameTargets
from vis_projects.modeling.yolact import corner_form, table_iou

NEUTRAL, BACKGROUND = -2, -1
SHARED_IOU = 0.45  # what an anchor over several objects counts as: between the thresholds
FORCED_IOU = 2.0


@dataclass(frozen=True)
class AnchorMatcher:
    """An anchor is positive from IoU `positive` on, background below `negative`, and neutral between.

    Every object gets at least one anchor, as long as there are enough.

    Attributes:
        positive, negative: IoU thresholds.
        multi_gt_neutral: anchors that overlap two or more objects by more than `negative` become neutral.
        class_aware: for anchors above `positive`, q = 2p / (1 + p), p the probability of the object's class, is added
            to the IoU, and the mean of these q to both thresholds. An anchor whose class is recognised so stays
            positive with less overlap, and one whose class is not becomes neutral or background.
    """

    positive: float = 0.5
    negative: float = 0.4
    multi_gt_neutral: bool = True
    class_aware: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.negative <= self.positive <= 1:
            raise ValueError(f"MODEL.STMASK.MATCHER has POS {self.positive} and NEG {self.negative}; they need "
                             "0 <= NEG <= POS <= 1")

    @torch.no_grad()
    def __call__(self, anchors: Tensor, logits: Tensor, targets: FrameTargets) -> Tensor:
        """
        Args:
            anchors: (A, 4) cxcywh.
            logits: (A, 1 + C) of this image, column 0 background.
            targets: of this image.

        Returns:
            int64 (A,): the object of each anchor, `BACKGROUND` or `NEUTRAL`.
        """
        if len(targets) == 0:
            return torch.full((len(anchors),), BACKGROUND, device=anchors.device)
        overlaps = table_iou(targets.boxes, corner_form(anchors))
        best, objects = overlaps.max(dim=0)
        positive, negative = self.positive, self.negative
        if self.multi_gt_neutral:
            best = torch.where((overlaps > self.negative).sum(dim=0) > 1, SHARED_IOU, best)
        likely = best > self.positive
        if self.class_aware and likely.any():
            right = logits[likely].float().softmax(dim=1).gather(1, targets.classes[objects[likely], None] + 1)[:, 0]
            quality = 2 * right / (1 + right)
            best = best.masked_scatter(likely, best[likely] + quality)
            positive, negative = positive + float(quality.mean()), negative + float(quality.mean())
        best, objects = _force(overlaps, best, objects)
        matched = torch.where(best < positive, NEUTRAL, objects)
        return torch.where(best < negative, BACKGROUND, matched)


def _force(overlaps: Tensor, best: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
    """Gives each object its best anchor that is still free, the largest overlaps first."""
    overlaps, best, objects = overlaps.clone(), best.clone(), objects.clone()
    for _ in range(min(overlaps.shape)):
        row, column = divmod(int(overlaps.argmax()), overlaps.shape[1])
        best[column], objects[column] = FORCED_IOU, row
        overlaps[row], overlaps[:, column] = -1.0, -1.0
    return best, objects
