"""CompFeat's ROI heads: box, mask and track branch on attended RoI features."""

from collections.abc import Sequence
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.layers import ShapeSpec
from detectron2.modeling import ROI_HEADS_REGISTRY
from detectron2.modeling.roi_heads import select_foreground_proposals
from detectron2.structures import Boxes, ImageList, Instances
from torch import Tensor

from vis_projects.methods.compfeat.correlation_track_head import CorrelationTrackHead
from vis_projects.methods.compfeat.dot_track_head import DotTrackHead
from vis_projects.methods.compfeat.dual_attention import DualAttention
from vis_projects.methods.compfeat.losses import MAP_LOSSES, gaussian_targets, map_loss, mean_map_loss
from vis_projects.methods.compfeat.object_attention import ObjectAttention
from vis_projects.methods.compfeat.references import References
from vis_projects.methods.compfeat.supports import Sites
from vis_projects.methods.compfeat.track_scores import CorrelationMaps
from vis_projects.modeling.track_rcnn import TrackROIHeads

Features = dict[str, Tensor]
BRANCHES = ("box", "track", "mask")


@ROI_HEADS_REGISTRY.register()
class CompFeatROIHeads(TrackROIHeads):
    """With object-level attention and track head as chosen; without the one and with "dot_fc" it is MaskTrack R-CNN's.

    New parameters are ``roi_heads.track_head.*`` and ``roi_heads.object_attention.*``.
    """

    scalar_name = "compfeat/track_accuracy"

    @configurable
    def __init__(
        self,
        *,
        object_attention: ObjectAttention | None,
        apply_to: Sequence[str],
        map_weight: float,
        map_kind: str,
        map_sigma: float,
        absent_map: bool,
        **kwargs: Any,
    ) -> None:
        """
        Args:
            object_attention: on RoI features, or None.
            apply_to: branches that get attended features, of "box", "track", "mask".
            map_weight: factor of ``loss_map``.
            map_kind: see ``map_loss``.
            map_sigma: see ``gaussian_targets``.
            absent_map: objects that have left are taught an empty map.
            kwargs: of ``TrackROIHeads``.
        """
        super().__init__(**kwargs)
        if not set(apply_to) <= set(BRANCHES):
            raise ValueError(f"MODEL.COMPFEAT.BDA.APPLY_TO is {tuple(apply_to)}; choose of {BRANCHES}")
        if map_kind not in MAP_LOSSES:
            raise ValueError(f"MODEL.COMPFEAT.TRACK.MAP_LOSS is {map_kind!r}; choose from {MAP_LOSSES}")
        self.object_attention = object_attention
        self.apply_to = tuple(apply_to)
        self.map_weight, self.map_kind, self.map_sigma = map_weight, map_kind, map_sigma
        self.absent_map = absent_map

    @classmethod
    def from_config(cls, cfg: CfgNode, input_shape: dict[str, ShapeSpec]) -> dict[str, Any]:
        ret = super().from_config(cfg, input_shape)
        bda, track = cfg.MODEL.COMPFEAT.BDA, cfg.MODEL.COMPFEAT.TRACK
        pooled = cls.pooled_shape(cfg, input_shape)
        ret["object_attention"] = None
        if bda.ENABLED and (bda.TEMPORAL or bda.SPATIAL):
            ret["object_attention"] = ObjectAttention(
                pooled.channels, key_level=bda.KEY_LEVEL, levels=cfg.MODEL.ROI_HEADS.IN_FEATURES,
                **DualAttention.options(bda),
            )
        strides = {name: input_shape[name].stride for name in cfg.MODEL.ROI_HEADS.IN_FEATURES}
        ret["track_head"] = build_track_head(track, pooled, strides)
        ret |= {
            "apply_to": bda.APPLY_TO, "track_loss_weight": track.LOSS_WEIGHT, "track_pos_iou": track.POS_IOU,
            "map_weight": track.MAP_WEIGHT, "map_kind": track.MAP_LOSS, "map_sigma": track.SIGMA,
            "absent_map": track.ABSENT_MAP,
        }
        return ret

    def forward(
        self,
        images: ImageList,
        features: Features,
        proposals: list[Instances],
        targets: list[Instances] | None = None,
        references: list[References] | None = None,
        supports: Sites | None = None,
    ) -> tuple[list[Instances], dict[str, Tensor]]:
        """Losses in training, detections in evaluation.

        Args:
            images: not used; part of the interface of ROI heads.
            features: of the current frames, name to (B, C, h, w).
            proposals: B, with ``proposal_boxes`` and ``objectness_logits``.
            targets: B, training only: ``gt_boxes``, ``gt_classes``, ``gt_masks``, ``gt_pids`` (see ``reference_pids``).
            references: B, training only.
            supports: of ``ObjectAttention.project``, (B, T, d, H', W').

        Returns:
            Training: the sampled proposals and loss_cls, loss_box_reg, loss_mask, loss_track, with a map loss_map.
            Evaluation: B detections in network pixels with ``pred_boxes``, ``scores``, ``pred_classes``,
            ``pred_masks`` (n, 1, s, s) in [0, 1]; and no losses.
        """
        del images
        supports = supports or {}
        if not self.training:
            boxes = [per_image.proposal_boxes for per_image in proposals]
            pooled = self._attend("box", self.pool_boxes(features, boxes), boxes, supports)
            found = self.detections(pooled, proposals)
            boxes = [per_image.pred_boxes for per_image in found]
            return self.mask_head(self._attend("mask", self.pool_masks(features, boxes), boxes, supports), found), {}
        if targets is None or references is None:
            raise ValueError("CompFeatROIHeads needs targets and references in training")
        proposals = self.label_and_sample_proposals(proposals, targets)
        return proposals, self._losses(features, proposals, references, supports)

    def looks(self, features: Features, boxes: list[Boxes], supports: Sites | None = None) -> Tensor:
        """What the track head sees of boxes, (sum of boxes, ...); without supports, of features without attention."""
        pooled = self.pool_boxes(features, boxes)
        if supports is not None:
            pooled = self._attend("track", pooled, boxes, supports)
        return self.track_head.describe(pooled)

    def _attend(self, branch: str, rois: Tensor, boxes: list[Boxes], supports: Sites) -> Tensor:
        if self.object_attention is None or branch not in self.apply_to:
            return rois
        return self.object_attention(rois, boxes, supports)

    def _losses(
        self, features: Features, proposals: list[Instances], references: list[References], supports: Sites
    ) -> dict[str, Tensor]:
        boxes = [per_image.proposal_boxes for per_image in proposals]
        pooled = self.pool_boxes(features, boxes)
        # one attention for both branches: they see the same RoIs
        attended = pooled
        if self.object_attention is not None and {"box", "track"} & set(self.apply_to):
            attended = self.object_attention(pooled, boxes, supports)
        losses = self.box_losses(attended if "box" in self.apply_to else pooled, proposals)
        foreground, selected = select_foreground_proposals(proposals, self.num_classes)
        boxes = [per_image.proposal_boxes for per_image in foreground]
        mask_features = self._attend("mask", self.pool_masks(features, boxes), boxes, supports)
        losses.update(self.mask_head(mask_features, foreground))
        track_features = (attended if "track" in self.apply_to else pooled)[torch.cat(selected)]
        looks = self.track_head.describe(track_features).split([len(x) for x in boxes])
        scores = self.track_head.score(
            looks, boxes, [x.looks for x in references], [x.boxes for x in references], features
        )
        losses["loss_track"] = self.track_loss_weight * self.identity_loss(scores.tables, foreground)
        if scores.maps:
            losses["loss_map"] = self.map_weight * self._map_loss(scores.maps, references)
        return losses

    def _map_loss(self, maps: list[CorrelationMaps], references: list[References]) -> Tensor:
        """Mean over the reference objects of the batch."""
        boxes, present = torch.cat([x.key_boxes for x in references]), torch.cat([x.present for x in references])
        losses = []
        for level in maps:
            targets = gaussian_targets(
                boxes[level.objects], tuple(level.logits.shape[-2:]), level.stride, self.map_sigma)
            targets = targets * present[level.objects][:, None, None]
            losses.append(map_loss(level.logits, targets, self.map_kind))
        return mean_map_loss(torch.cat(losses), present[torch.cat([x.objects for x in maps])], self.absent_map)


def build_track_head(node: CfgNode, pooled: ShapeSpec, strides: dict[str, int]) -> torch.nn.Module:
    """The track head of ``MODEL.COMPFEAT.TRACK.HEAD``.

    Args:
        node: ``MODEL.COMPFEAT.TRACK``.
        pooled: channels, height and width of a RoI.
        strides: of the feature levels.
    """
    if node.HEAD == "dot_fc":
        return DotTrackHead(pooled, fc_dim=node.FC_DIM, num_fc=node.NUM_FC, final_relu=node.FC_FINAL_RELU)
    if node.HEAD != "corr":
        raise ValueError(f"MODEL.COMPFEAT.TRACK.HEAD is {node.HEAD!r}; choose from ('corr', 'dot_fc')")
    return CorrelationTrackHead(
        pooled.channels, pooled.height, strides, adjust=node.ADJUST, corr_norm=node.CORR_NORM, use_map=node.USE_MAP,
        search_level=node.SEARCH_LEVEL, refine_kernel=node.REFINE_KERNEL, roi_from=node.ROI_FROM,
        test_use_map_vector=node.TEST_USE_MAP_VECTOR,
    )
