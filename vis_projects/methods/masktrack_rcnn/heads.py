"""The track head, and Detectron2's standard ROI heads with that head beside box and mask.

Parameter names of box and mask branch are those of Mask R-CNN, so its checkpoints load by name;
the new ones are ``roi_heads.track_head.fcs.<k>``.
"""

from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.layers import ShapeSpec
from detectron2.modeling import ROI_HEADS_REGISTRY
from detectron2.modeling.roi_heads import StandardROIHeads, select_foreground_proposals
from detectron2.structures import Boxes, ImageList, Instances
from detectron2.structures.boxes import matched_pairwise_iou
from detectron2.utils.events import get_event_storage, has_event_storage
from torch import Tensor, nn

from vis_projects.tracking import match_logits

from vis_projects.methods.masktrack_rcnn.losses import track_accuracy, track_loss

Features = dict[str, Tensor]


class TrackHead(nn.Module):
    """Fully connected layers from a pooled RoI to its embedding (section 5.2 of the paper)."""

    def __init__(
        self, input_shape: ShapeSpec, *, fc_dim: int = 1024, num_fc: int = 2, final_relu: bool = False
    ) -> None:
        """
        Args:
            input_shape: channels, height and width of a pooled RoI.
            fc_dim: width of each layer, D.
            num_fc: number of layers, at least one.
            final_relu: ReLU after the last layer too, not only between layers.
        """
        super().__init__()
        if num_fc < 1:
            raise ValueError(f"MODEL.MASKTRACK.NUM_FC is {num_fc}; the track head needs at least 1")
        in_dim = input_shape.channels * input_shape.height * input_shape.width
        widths = [in_dim] + [fc_dim] * num_fc
        self.fcs = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.final_relu = final_relu
        for layer in self.fcs:
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Embeds RoIs: (R, C, h, w) to (R, D); R may be 0."""
        x = x.flatten(start_dim=1)
        for k, layer in enumerate(self.fcs):
            x = layer(x)
            if k + 1 < len(self.fcs) or self.final_relu:
                x = x.relu()
        return x


@ROI_HEADS_REGISTRY.register()
class MaskTrackROIHeads(StandardROIHeads):
    """Box, mask and track branch. The box features are pooled once for box and track head."""

    @configurable
    def __init__(
        self, *, track_head: nn.Module, track_loss_weight: float, track_pos_iou: float, **kwargs: Any
    ) -> None:
        """
        Args:
            track_head: pooled RoIs (R, C, h, w) to embeddings (R, D).
            track_loss_weight: factor of ``loss_track``.
            track_pos_iou: least IoU with its object of a foreground RoI that trains the track head.
            kwargs: of ``StandardROIHeads``.
        """
        super().__init__(**kwargs)
        self.track_head = track_head
        self.track_loss_weight = track_loss_weight
        self.track_pos_iou = track_pos_iou

    @classmethod
    def from_config(cls, cfg: CfgNode, input_shape: dict[str, ShapeSpec]) -> dict[str, Any]:
        if not cfg.MODEL.MASK_ON or cfg.MODEL.KEYPOINT_ON:
            raise ValueError(
                f"MODEL.ROI_HEADS.NAME MaskTrackROIHeads needs MODEL.MASK_ON True (is "
                f"{cfg.MODEL.MASK_ON}) and MODEL.KEYPOINT_ON False (is {cfg.MODEL.KEYPOINT_ON})"
            )
        ret = super().from_config(cfg, input_shape)
        if ret["train_on_pred_boxes"]:
            raise ValueError(
                "MODEL.ROI_BOX_HEAD.TRAIN_ON_PRED_BOXES is True, which MaskTrackROIHeads does not "
                "offer; set it to False"
            )
        resolution = cfg.MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION
        pooled = ShapeSpec(
            channels=input_shape[ret["box_in_features"][0]].channels,
            height=resolution,
            width=resolution,
        )
        node = cfg.MODEL.MASKTRACK
        ret["track_head"] = TrackHead(
            pooled, fc_dim=node.FC_DIM, num_fc=node.NUM_FC, final_relu=node.TRACK_FC_FINAL_RELU
        )
        ret["track_loss_weight"] = node.LOSS_WEIGHT
        ret["track_pos_iou"] = node.TRACK_POS_IOU
        return ret

    def embed(self, features: Features, boxes: list[Boxes]) -> Tensor:
        """Track embeddings of given boxes.

        Args:
            features: name to (B, C, h, w).
            boxes: one per image, xyxy in the network's input pixels.

        Returns:
            (sum of boxes, D), image after image.
        """
        return self.track_head(self._pool_boxes(features, boxes))

    def forward(
        self,
        images: ImageList,
        features: Features,
        proposals: list[Instances],
        targets: list[Instances] | None = None,
        reference_embeddings: list[Tensor] | None = None,
    ) -> tuple[list[Instances], dict[str, Tensor]]:
        """Losses in training, detections in evaluation.

        Args:
            images: not used; part of the interface of ROI heads.
            features: name to (B, C, h, w).
            proposals: B, with ``proposal_boxes`` and ``objectness_logits``.
            targets: B, training only: ``gt_boxes``, ``gt_classes``, ``gt_masks``, and ``gt_pids``
                (see ``reference_pids``) where ``reference_embeddings`` is given.
            reference_embeddings: B x (m_b, D), training only; without it there is no track loss.

        Returns:
            Training: the sampled proposals and loss_cls, loss_box_reg, loss_mask, loss_track.
            Evaluation: B detections in input pixels with ``pred_boxes``, ``scores``,
            ``pred_classes``, ``pred_masks`` (n, 1, s, s) in [0, 1], ``track_embeddings`` (n, D);
            and no losses.
        """
        del images
        if not self.training:
            return self.forward_with_given_boxes(features, self._detect(features, proposals)), {}
        if targets is None:
            raise ValueError("MaskTrackROIHeads needs targets in training")
        proposals = self.label_and_sample_proposals(proposals, targets)
        return proposals, self._losses(features, proposals, reference_embeddings)

    def forward_with_given_boxes(
        self, features: Features, instances: list[Instances]
    ) -> list[Instances]:
        """Adds masks and track embeddings to boxes; the RoIs are pooled anew, at these boxes."""
        instances = super().forward_with_given_boxes(features, instances)
        embeddings = self.embed(features, [per_image.pred_boxes for per_image in instances])
        counts = [len(per_image) for per_image in instances]
        for per_image, rows in zip(instances, embeddings.split(counts)):
            per_image.track_embeddings = rows
        return instances

    def _pool_boxes(self, features: Features, boxes: list[Boxes]) -> Tensor:
        return self.box_pooler([features[name] for name in self.box_in_features], boxes)

    def _detect(self, features: Features, proposals: list[Instances]) -> list[Instances]:
        pooled = self._pool_boxes(features, [per_image.proposal_boxes for per_image in proposals])
        detections, _ = self.box_predictor.inference(
            self.box_predictor(self.box_head(pooled)), proposals
        )
        return detections

    def _losses(
        self,
        features: Features,
        proposals: list[Instances],
        reference_embeddings: list[Tensor] | None,
    ) -> dict[str, Tensor]:
        pooled = self._pool_boxes(features, [per_image.proposal_boxes for per_image in proposals])
        losses = dict(
            self.box_predictor.losses(self.box_predictor(self.box_head(pooled)), proposals)
        )
        foreground, selected = select_foreground_proposals(proposals, self.num_classes)
        mask_features = self.mask_pooler(
            [features[name] for name in self.mask_in_features],
            [per_image.proposal_boxes for per_image in foreground],
        )
        losses.update(self.mask_head(mask_features, foreground))
        if reference_embeddings is not None:
            embeddings = self.track_head(pooled[torch.cat(selected)])
            losses["loss_track"] = self.track_loss_weight * self.track_loss(
                embeddings, foreground, reference_embeddings
            )
        return losses

    def track_loss(
        self,
        embeddings: Tensor,
        foreground: list[Instances],
        reference_embeddings: list[Tensor],
    ) -> Tensor:
        """L_track of B images, without its weight; logs the accuracy of the positives.

        Args:
            embeddings: (sum of foreground RoIs, D), image after image.
            foreground: B, the sampled foreground proposals with ``proposal_boxes``, ``gt_boxes``
                and ``gt_pids``.
            reference_embeddings: B x (m_b, D).
        """
        logits, pids = [], []
        rows = embeddings.split([len(per_image) for per_image in foreground])
        for current, per_image, reference in zip(rows, foreground, reference_embeddings, strict=True):
            table = match_logits(current, reference)
            if len(per_image) > 0:
                positive = self._track_positives(per_image)
                table, target = table[positive], per_image.gt_pids[positive]
            else:
                # Proposals of an image without objects carry no gt_* field at all.
                target = torch.zeros(0, dtype=torch.int64, device=table.device)
            logits.append(table)
            pids.append(target)
        accuracy = track_accuracy(logits, pids)
        if accuracy is not None and has_event_storage():
            get_event_storage().put_scalar("masktrack/track_accuracy", accuracy)
        return track_loss(logits, pids)

    def _track_positives(self, foreground: Instances) -> Tensor:
        overlap = matched_pairwise_iou(foreground.proposal_boxes, foreground.gt_boxes)
        return overlap >= self.track_pos_iou
