"""Detectron2's standard ROI heads in the steps that a track branch stands between."""

from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.layers import ShapeSpec
from detectron2.modeling.roi_heads import StandardROIHeads
from detectron2.structures import Boxes, Instances
from detectron2.structures.boxes import matched_pairwise_iou
from detectron2.utils.events import get_event_storage, has_event_storage
from torch import Tensor, nn

from vis_projects.modeling.track_rcnn.losses import track_accuracy, track_loss

Features = dict[str, Tensor]


class TrackROIHeads(StandardROIHeads):
    """Box and mask branch of Mask R-CNN with a track head beside them.

    Parameter names of box and mask branch are those of Mask R-CNN, so its checkpoints load by name; the new ones are
    ``roi_heads.track_head.*``. A subclass writes ``forward`` from the steps here, and ``from_config``, which adds the
    track head, its weight and its least IoU.

    Attributes:
        scalar_name: under which the accuracy of the positives is logged.
    """

    scalar_name = "track_accuracy"

    @configurable
    def __init__(
        self, *, track_head: nn.Module, track_loss_weight: float, track_pos_iou: float, **kwargs: Any
    ) -> None:
        """
        Args:
            track_head: describes pooled RoIs (R, C, h, w).
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
                f"MODEL.ROI_HEADS.NAME {cls.__name__} needs MODEL.MASK_ON True (is "
                f"{cfg.MODEL.MASK_ON}) and MODEL.KEYPOINT_ON False (is {cfg.MODEL.KEYPOINT_ON})"
            )
        ret = super().from_config(cfg, input_shape)
        if ret["train_on_pred_boxes"]:
            raise ValueError(
                f"MODEL.ROI_BOX_HEAD.TRAIN_ON_PRED_BOXES is True, which {cls.__name__} does not "
                "offer; set it to False"
            )
        return ret

    @staticmethod
    def pooled_shape(cfg: CfgNode, input_shape: dict[str, ShapeSpec]) -> ShapeSpec:
        """Shape of a RoI that is pooled for the box and the track head."""
        resolution = cfg.MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION
        channels = input_shape[cfg.MODEL.ROI_HEADS.IN_FEATURES[0]].channels
        return ShapeSpec(channels=channels, height=resolution, width=resolution)

    def pool_boxes(self, features: Features, boxes: list[Boxes]) -> Tensor:
        """RoI features of boxes for box and track head, (sum of boxes, C, h, w), image after image."""
        return self.box_pooler([features[name] for name in self.box_in_features], boxes)

    def pool_masks(self, features: Features, boxes: list[Boxes]) -> Tensor:
        """RoI features of boxes for the mask head, (sum of boxes, C, h, w), image after image."""
        return self.mask_pooler([features[name] for name in self.mask_in_features], boxes)

    def detections(self, pooled: Tensor, proposals: list[Instances]) -> list[Instances]:
        """Boxes with scores and classes from the RoI features of proposals, after NMS."""
        found, _ = self.box_predictor.inference(self.box_predictor(self.box_head(pooled)), proposals)
        return found

    def box_losses(self, pooled: Tensor, proposals: list[Instances]) -> dict[str, Tensor]:
        """loss_cls and loss_box_reg of the sampled proposals, from their RoI features."""
        return dict(self.box_predictor.losses(self.box_predictor(self.box_head(pooled)), proposals))

    def identity_loss(self, tables: list[Tensor], foreground: list[Instances]) -> Tensor:
        """L_track of B images, without its weight; logs the accuracy of the positives.

        Args:
            tables: B x (foreground RoIs, 1 + m_b) logits against "new object" and the reference frame's objects.
            foreground: B, the sampled foreground proposals with ``proposal_boxes``, ``gt_boxes`` and ``gt_pids``.
        """
        logits, pids = [], []
        for table, per_image in zip(tables, foreground, strict=True):
            if len(per_image) > 0:
                positive = self.track_positives(per_image)
                table, target = table[positive], per_image.gt_pids[positive]
            else:
                # Proposals of an image without objects carry no gt_* field at all.
                target = torch.zeros(0, dtype=torch.int64, device=table.device)
            logits.append(table)
            pids.append(target)
        accuracy = track_accuracy(logits, pids)
        if accuracy is not None and has_event_storage():
            get_event_storage().put_scalar(self.scalar_name, accuracy)
        return track_loss(logits, pids)

    def track_positives(self, foreground: Instances) -> Tensor:
        """Which foreground RoIs train the track head, (R,) bool."""
        overlap = matched_pairwise_iou(foreground.proposal_boxes, foreground.gt_boxes)
        return overlap >= self.track_pos_iou
