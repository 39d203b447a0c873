"""Detectron2's standard ROI heads with the track head beside box and mask.

Parameter names of box and mask branch are those of Mask R-CNN, so its checkpoints load by name;
the new ones are ``roi_heads.track_head.fcs.<k>``.
"""

from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import ROI_HEADS_REGISTRY
from detectron2.modeling.roi_heads import select_foreground_proposals
from detectron2.structures import Boxes, ImageList, Instances
from torch import Tensor

from vis_projects.modeling.track_rcnn import TrackHead, TrackROIHeads
from vis_projects.tracking import match_logits

Features = dict[str, Tensor]


@ROI_HEADS_REGISTRY.register()
class MaskTrackROIHeads(TrackROIHeads):
    """Box, mask and track branch. The box features are pooled once for box and track head."""

    scalar_name = "masktrack/track_accuracy"

    @classmethod
    def from_config(cls, cfg: CfgNode, input_shape: dict[str, ShapeSpec]) -> dict[str, Any]:
        ret = super().from_config(cfg, input_shape)
        node = cfg.MODEL.MASKTRACK
        ret["track_head"] = TrackHead(
            cls.pooled_shape(cfg, input_shape), fc_dim=node.FC_DIM, num_fc=node.NUM_FC,
            final_relu=node.TRACK_FC_FINAL_RELU,
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
        return self.track_head(self.pool_boxes(features, boxes))

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
            pooled = self.pool_boxes(features, [per_image.proposal_boxes for per_image in proposals])
            return self.forward_with_given_boxes(features, self.detections(pooled, proposals)), {}
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

    def _losses(
        self,
        features: Features,
        proposals: list[Instances],
        reference_embeddings: list[Tensor] | None,
    ) -> dict[str, Tensor]:
        pooled = self.pool_boxes(features, [per_image.proposal_boxes for per_image in proposals])
        losses = self.box_losses(pooled, proposals)
        foreground, selected = select_foreground_proposals(proposals, self.num_classes)
        mask_features = self.pool_masks(features, [per_image.proposal_boxes for per_image in foreground])
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
            foreground: B, see ``TrackROIHeads.identity_loss``.
            reference_embeddings: B x (m_b, D).
        """
        rows = embeddings.split([len(per_image) for per_image in foreground])
        tables = [match_logits(current, reference)
                  for current, reference in zip(rows, reference_embeddings, strict=True)]
        return self.identity_loss(tables, foreground)
