"""All losses of a batch of pairs.

Letters: B pairs, N = 2B images, A anchors, P positive anchors, K prototypes, (H, W) the padded image.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vis_projects.methods.stmask.head import HeadOutputs
from vis_projects.methods.stmask.losses import (
    Positives,
    centerness_loss,
    class_loss,
    diou_loss,
    positives_of,
    smooth_l1_loss,
    track_loss,
)
from vis_projects.methods.stmask.matching import AnchorMatcher
from vis_projects.methods.stmask.targets import FrameTargets, stack_targets
from vis_projects.modeling.yolact import (
    cropped_mask_loss,
    decode_boxes,
    encode_boxes,
    enlarge_boxes,
    paired_diou,
)

BOX_TYPES = ("diou", "smooth_l1")
MASK_CROPS = ("pred_x1.2", "pred", "gt")
WEIGHT_ORDERS = ("official", "aligned")
ENLARGED = 1.2


@dataclass(frozen=True)
class Criterion:
    """Attributes:
    matcher: of anchors and objects.
    weights: of each loss by name; a loss of weight 0 is left out.
    box_type: "diou" or "smooth_l1".
    mask_crop: what masks are cut with: "pred_x1.2", the predicted box enlarged; "pred"; or "gt".
    detach_center_target: the DIoU that centerness learns gives no gradient to the boxes.
    ohem_ratio: background anchors per positive.
    ohem_weight_order: see `class_loss`.
    shift_mask_loss: whether temporal fusion learns from masks.
    box_variances: of the box coding.
    """

    matcher: AnchorMatcher = AnchorMatcher()
    weights: dict[str, float] = field(default_factory=dict)
    box_type: str = "diou"
    mask_crop: str = "pred_x1.2"
    detach_center_target: bool = False
    ohem_ratio: int = 3
    ohem_weight_order: str = "official"
    shift_mask_loss: bool = True
    box_variances: Sequence[float] = (0.1, 0.2)

    def __post_init__(self) -> None:
        for key, value, known in (
            ("BOX_TYPE", self.box_type, BOX_TYPES), ("MASK_CROP", self.mask_crop, MASK_CROPS),
            ("OHEM_WEIGHT_ORDER", self.ohem_weight_order, WEIGHT_ORDERS),
        ):
            if value not in known:
                raise ValueError(f"MODEL.STMASK.LOSS.{key} is {value!r}; choose from {known}")

    def match(self, outputs: HeadOutputs, targets: Sequence[FrameTargets]) -> Tensor:
        """int64 (N, A): the object of each anchor in its image's own list, or what `AnchorMatcher` gives otherwise."""
        rows = zip(outputs.logits, targets, strict=True)
        return torch.stack([self.matcher(outputs.anchors, logits, image) for logits, image in rows])

    def frame_losses(
        self, outputs: HeadOutputs, prototypes: Tensor, matched: Tensor, targets: Sequence[FrameTargets], clips: Tensor
    ) -> dict[str, Tensor]:
        """Weighted losses of N images.

        Args:
            outputs: of the head.
            prototypes: (N, Hp, Wp, K).
            matched: of `match`.
            targets: of the N images.
            clips: int64 (N,), the pair of each image: ids are unique within a pair only.

        Returns:
            `loss_cls`, `loss_box`, `loss_mask`, `loss_track` and, where there is such an output, `loss_center`; zeros
            that are connected to the network where there is no positive anchor.
        """
        objects, first = stack_targets(list(targets))
        positives = positives_of(matched, first)
        count = len(targets)
        truth = objects.boxes[positives.target]
        deltas, anchors = positives.of(outputs.deltas), outputs.anchors[positives.anchor]
        boxes = decode_boxes(deltas, anchors, self.box_variances)
        losses = {
            "loss_cls": class_loss(
                outputs.logits, matched, objects.classes[positives.target], positives, ratio=self.ohem_ratio,
                weight_order=self.ohem_weight_order,
            ),
            "loss_box": self._box_loss(boxes, deltas, truth, anchors, positives, count),
            "loss_mask": self._mask_loss(outputs, prototypes, boxes, truth, objects, positives, count),
            "loss_track": track_loss(
                positives.of(outputs.embeddings), _identities(objects.ids[positives.target], clips[positives.image]),
                positives.weight,
            ),
        }
        if outputs.centerness is not None:
            overlap = paired_diou(boxes, truth)
            overlap = overlap.detach() if self.detach_center_target else overlap
            losses["loss_center"] = centerness_loss(positives.of(outputs.centerness), overlap, positives, count)
        # every output takes part, so that all processes have a gradient for every parameter
        connected = 0.0 * sum(x.sum() for x in (outputs.deltas, outputs.coefficients, outputs.embeddings, prototypes))
        if outputs.centerness is not None:
            connected = connected + 0.0 * outputs.centerness.sum()
        losses["loss_box"] = losses["loss_box"] + connected
        return self.weighted(losses)

    def weighted(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses times their weights."""
        off = () if self.shift_mask_loss else ("loss_mask_shift",)
        return {name: self.weights.get(name, 1.0) * (0.0 if name in off else 1.0) * value
                for name, value in losses.items()}

    def _box_loss(
        self, boxes: Tensor, deltas: Tensor, truth: Tensor, anchors: Tensor, positives: Positives, count: int
    ) -> Tensor:
        if self.box_type == "diou":
            return diou_loss(boxes, truth, positives, count)
        return smooth_l1_loss(deltas, encode_boxes(truth, anchors, self.box_variances), positives, count)

    def _mask_loss(
        self, outputs: HeadOutputs, prototypes: Tensor, boxes: Tensor, truth: Tensor, objects: FrameTargets,
        positives: Positives, count: int,
    ) -> Tensor:
        crops = truth if self.mask_crop == "gt" else boxes.detach()
        if self.mask_crop == "pred_x1.2":
            crops = enlarge_boxes(crops, ENLARGED)
        losses = cropped_mask_loss(
            prototypes, positives.image, positives.of(outputs.coefficients), crops, objects.masks, positives.target
        )
        return (positives.weight * losses).sum() / count


def _identities(ids: Tensor, clips: Tensor) -> Tensor:
    """Numbers that agree where id and clip do; an object without an id (-1) is only the same as itself in its image."""
    return torch.stack([clips, ids], dim=1).unique(dim=0, return_inverse=True)[1]
