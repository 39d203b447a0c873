"""`CondInstNetwork`: FCOS, mask branch, controller and dynamic mask head, for images and under video models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from detectron2.structures import ImageList, Instances
from torch import Tensor, nn

from vis_projects.modeling.condinst.mask_branch import MaskBranch
from vis_projects.modeling.condinst.mask_head import DynamicMaskHead, MaskQueries
from vis_projects.modeling.condinst.mask_loss import dice_loss, masks_at_stride
from vis_projects.modeling.condinst.paste import paste_dynamic_masks
from vis_projects.modeling.fcos import FCOS, FCOSPredictions, FCOSTargets
from vis_projects.modeling.fcos.decode import gather_rows


@dataclass
class FrameHeads:
    """What the network says about B frames.

    Attributes:
        features: L times (B, C, H, W), what the detector's head reads.
        fcos: of the detector.
        params: L times (B, 169, H, W), the controller's output.
        mask_features: (B, C, H, W) at the mask branch's stride.
    """

    features: list[Tensor]
    fcos: FCOSPredictions
    params: list[Tensor]
    mask_features: Tensor


@dataclass
class FramePositives:
    """The locations of B frames that answer for an object, with the masks they have to give.

    Attributes:
        rows: int64 (P,), rows of `flatten_levels`, ascending.
        gt_index: int64 (P,), object of each, in the list of all objects of the B frames.
        queries: P instances for the mask head.
        masks: float32 (N, H, W), the masks of all objects at the output stride.
        sample: int64, the rows of the P that mask losses use: all of them, or a random subset.
    """

    rows: Tensor
    gt_index: Tensor
    queries: MaskQueries
    masks: Tensor
    sample: Tensor


class CondInstNetwork(nn.Module):
    """Everything of CondInst behind the backbone. A meta-architecture inherits it beside its base and has `backbone`.

    Its parts are attributes of the model itself, which gives parameters the names of published checkpoints.
    """

    def __init__(
        self,
        *,
        proposal_generator: FCOS,
        mask_branch: MaskBranch,
        controller: nn.Conv2d,
        mask_head: DynamicMaskHead,
        in_features: Sequence[str],
        mask_in_features: Sequence[str],
        max_proposals: int = 500,
        gradient_scale: float = 1.0,
        **kwargs: Any,
    ) -> None:
        """
        Args:
            proposal_generator: the detector; the name is that of published checkpoints.
            mask_branch, mask_head: of the masks.
            controller: box tower to filters.
            in_features: levels of the detector, finest first.
            mask_in_features: levels of the mask branch, finest first.
            max_proposals: locations of a batch of frames that the mask losses use at most; <= 0: all.
            gradient_scale: factor on the gradient that goes into the backbone.
            kwargs: of the meta-architecture's other base.
        """
        super().__init__(**kwargs)
        self.proposal_generator = proposal_generator
        self.mask_branch = mask_branch
        self.controller = controller
        self.mask_head = mask_head
        self.in_features = tuple(in_features)
        self.mask_in_features = tuple(mask_in_features)
        self.max_proposals = max_proposals
        self.gradient_scale = gradient_scale

    def run_heads(self, images: Tensor) -> FrameHeads:
        """All predictions for B normalised and padded frames (B, 3, H, W)."""
        features = self.backbone(images)
        if self.training and self.gradient_scale != 1.0:
            scale = self.gradient_scale
            features = {name: scale * f + (1 - scale) * f.detach() for name, f in features.items()}
        levels = [features[name] for name in self.in_features]
        fcos = self.proposal_generator(levels)
        params = [self.controller(level) for level in fcos.outputs.box_tower]
        return FrameHeads(levels, fcos, params, self.mask_branch([features[name] for name in self.mask_in_features]))

    def frame_losses(
        self, heads: FrameHeads, instances: Sequence[Instances], padded_size: tuple[int, int]
    ) -> tuple[dict[str, Tensor], FramePositives]:
        """Losses of B fully annotated frames, and their positives for what a method learns beyond.

        Args:
            heads: of these frames.
            instances: with `gt_boxes`, `gt_classes`, `gt_masks` (BitMasks at the size of the image).
            padded_size: (H, W) of the batch.

        Returns:
            `loss_fcos_cls`, `loss_fcos_loc`, `loss_fcos_ctr`, `loss_mask`; the positives.
        """
        targets = self.proposal_generator.assign(heads.fcos, instances)
        losses = self.proposal_generator.losses(heads.fcos.outputs, targets)
        positives = self._positives(heads, targets, instances, padded_size)
        losses["loss_mask"] = self.mask_loss(heads.mask_features, positives.queries[positives.sample],
                                             positives.masks[positives.gt_index[positives.sample]])
        return losses, positives

    def mask_loss(self, mask_features: Tensor, queries: MaskQueries, masks: Tensor) -> Tensor:
        """Mean dice loss of P queries against their masks (P, H, W) at the output stride; 0 without any."""
        connected = 0.0 * (mask_features.sum() + queries.params.sum())  # DDP wants a gradient for every parameter
        if len(queries) == 0:
            return connected
        return dice_loss(self.mask_head(mask_features, queries), masks).mean() + connected

    def _positives(
        self, heads: FrameHeads, targets: FCOSTargets, instances: Sequence[Instances], padded_size: tuple[int, int]
    ) -> FramePositives:
        rows = targets.positives
        stride = self.mask_head.out_stride
        masks = [masks_at_stride(image.gt_masks.tensor, padded_size, stride) for image in instances]
        queries = MaskQueries(gather_rows(heads.params, rows), targets.locations[rows], targets.level[rows],
                              targets.image_index[rows])
        sample = torch.arange(len(rows), device=rows.device)
        if 0 < self.max_proposals < len(rows):
            sample = torch.randperm(len(rows), device=rows.device)[: self.max_proposals]
        return FramePositives(rows, targets.gt_index[rows], queries, torch.cat(masks), sample)

    def detect_in(
        self, heads: FrameHeads, images: ImageList, output_sizes: Sequence[tuple[int, int]]
    ) -> list[Instances]:
        """Detections of B frames.

        Args:
            heads: of these frames.
            images: for their sizes before padding.
            output_sizes: B times (height, width) in pixels.

        Returns:
            B `Instances` of the output size, best score first: `pred_boxes`, `scores`, `pred_classes`, `pred_masks`
            bool (n, height, width), and `rows` of `flatten_levels` for a method's own fields.
        """
        found = self.proposal_generator.detect(heads.fcos, images)
        return [self._with_masks(heads, instances, b, output_sizes[b]) for b, instances in enumerate(found)]

    def _with_masks(
        self, heads: FrameHeads, found: Instances, image_index: int, output_size: tuple[int, int]
    ) -> Instances:
        height, width = found.image_size
        boxes = found.pred_boxes
        boxes.scale(output_size[1] / width, output_size[0] / height)
        boxes.clip(output_size)
        found = found[boxes.nonempty()]
        queries = MaskQueries(gather_rows(heads.params, found.rows), found.locations, found.levels,
                              torch.full_like(found.levels, image_index))
        logits = self.mask_head(heads.mask_features, queries)
        masks = paste_dynamic_masks(logits, self.mask_head.out_stride, (height, width), output_size)
        fields = {name: found.get(name) for name in ("pred_boxes", "scores", "pred_classes", "rows")}
        fields["scores"] = fields["scores"].float()
        return Instances(output_size, **fields, pred_masks=masks)
