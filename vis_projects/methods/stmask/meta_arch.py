"""STMask as a Detectron2 meta-architecture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.modeling import META_ARCH_REGISTRY
from detectron2.structures import Boxes, ImageList, Instances
from torch import Tensor

from vis_projects.methods.stmask.build import stmask_parts
from vis_projects.methods.stmask.criterion import Criterion
from vis_projects.methods.stmask.frame import FrameContext, FrameGeometry, TemporalFeatures
from vis_projects.methods.stmask.head import HeadOutputs, PredictionHead
from vis_projects.methods.stmask.selection import DetectionSelector
from vis_projects.methods.stmask.targets import frame_targets
from vis_projects.methods.stmask.temporal import TemporalNet
from vis_projects.methods.stmask.temporal_losses import pair_positives, temporal_losses
from vis_projects.modeling import OnlineVISModel, VideoState
from vis_projects.modeling.yolact import ProtoNet, assemble_masks, decode_boxes, table_iou
from vis_projects.structures.clip import Clip
from vis_projects.tracking import build_tracker

ROLES = ("earlier", "later")


@dataclass
class FrameOutputs:
    """What the network says about N frames.

    Attributes:
        head: of all levels.
        prototypes: (N, Hp, Wp, K).
        temporal: features for temporal fusion.
    """

    head: HeadOutputs
    prototypes: Tensor
    temporal: TemporalFeatures


@META_ARCH_REGISTRY.register()
class STMask(OnlineVISModel):
    """Yolact with calibrated features (FCA, FCB), an embedding per anchor and temporal fusion (TF).

    Both frames of a training pair are fully supervised; temporal fusion learns from what both show.
    """

    @configurable
    def __init__(
        self, *, proto_net: ProtoNet, head: PredictionHead, temporal_net: TemporalNet | None, criterion: Criterion,
        selector: DetectionSelector, levels: Sequence[str], proto_level: str, temporal_level: str,
        box_variances: Sequence[float], **kwargs: Any,
    ) -> None:
        """
        Args:
            proto_net: level to prototypes.
            head: shared by all levels.
            temporal_net: None: no temporal fusion.
            criterion: losses.
            selector: of detections.
            levels: of the backbone, finest first.
            proto_level: that the prototypes are made from.
            temporal_level: that temporal fusion reads.
            box_variances: of the box coding.
            kwargs: of `OnlineVISModel`.
        """
        super().__init__(**kwargs)
        self.proto_net = proto_net
        self.head = head
        self.temporal_net = temporal_net
        self.criterion = criterion
        self.selector = selector
        self.levels = tuple(levels)
        self.proto_level = proto_level
        self.temporal_level = temporal_level
        self.box_variances = tuple(box_variances)

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        ret = super().from_config(cfg)
        ret |= stmask_parts(cfg, ret["backbone"])
        # A copy: what a caller changes in cfg later must not reach videos that start later.
        ret["tracker_factory"] = partial(build_tracker, cfg.clone())
        return ret

    def run_network(self, images: Tensor) -> FrameOutputs:
        """All predictions for N normalised and padded frames (N, 3, H, W)."""
        features = self.backbone(images)
        head = self.head([features[name] for name in self.levels])
        shared = head.shared[self.levels.index(self.temporal_level)]
        temporal = TemporalFeatures(features[self.temporal_level], shared)
        return FrameOutputs(head, self.proto_net(features[self.proto_level]), temporal)

    def losses(self, clip: Clip) -> dict[str, Tensor]:
        """Losses of B pairs.

        Args:
            clip: each clip with one frame of role "earlier" and one of role "later", both with `gt_boxes`,
                `gt_classes`, `gt_masks` and `gt_ids`.

        Returns:
            `loss_cls`, `loss_box`, `loss_mask`, `loss_track`, where configured `loss_center`, and with temporal fusion
            `loss_box_shift` and `loss_mask_shift`.
        """
        if sorted(clip.roles) != sorted(ROLES):
            raise ValueError(
                f"STMask trains on one earlier and one later frame per clip, not on {clip.roles}; use MODEL.VIS.MAPPER "
                "STMaskMapper"
            )
        rows = torch.cat([clip.rows(role) for role in ROLES])
        pairs = clip.num_videos
        images = clip.images.tensor[rows]
        outputs = self.run_network(images)
        padded_size = tuple(images.shape[-2:])
        targets = [frame_targets(image, padded_size) for role in ROLES for image in clip.instances_of(role)]
        matched = self.criterion.match(outputs.head, targets)
        clips = torch.arange(pairs, device=rows.device).repeat(2)
        losses = self.criterion.frame_losses(outputs.head, outputs.prototypes, matched, targets, clips)
        if self.temporal_net is None:
            return losses
        boxes = decode_boxes(outputs.head.deltas[:pairs].detach(), outputs.head.anchors, self.box_variances)
        positives = pair_positives(
            list(matched[:pairs]), boxes, outputs.head.coefficients[:pairs], targets[:pairs], targets[pairs:]
        )
        shifts = temporal_losses(
            self.temporal_net, outputs.temporal[:pairs], outputs.temporal[pairs:], positives,
            outputs.prototypes[pairs:], torch.cat([frame.masks for frame in targets[pairs:]]),
        )
        return {**losses, **self.criterion.weighted(shifts)}

    def detect(self, images: ImageList, state: VideoState) -> Instances:
        """Detections of one frame in the order of NMS, see `OnlineVISModel`.

        They carry `track_embeddings` (n, D), `padded_boxes` (n, 4), `mask_coefficients` (n, K) and `mask_probs`
        (n, Hp, Wp). A tracker that observes frames pastes the masks that it gives out; `pred_masks` are there for all
        other trackers.
        """
        outputs = self.run_network(images.tensor)
        geometry = self._geometry(images, state)
        head = outputs.head
        boxes = decode_boxes(head.deltas[0], head.anchors, self.box_variances)
        centerness = None if head.centerness is None else head.centerness[0]
        anchors, scores, classes = self.selector(boxes, head.logits[0].softmax(dim=1), centerness)
        found = self._instances(outputs, geometry, anchors, boxes[anchors], scores, classes)
        found.mask_probs = assemble_masks(outputs.prototypes[0], found.mask_coefficients, found.padded_boxes)
        if not self._observe(outputs, geometry, state):
            found.pred_masks = geometry.paste(found.mask_probs)
            found = found[geometry.centers_inside(found.padded_boxes)]
        return found

    def describe(self, images: ImageList, instances: Instances, state: VideoState) -> Instances:
        """Given instances with the fields of `detect`: what the anchor says whose box overlaps the given one most."""
        outputs = self.run_network(images.tensor)
        geometry = self._geometry(images, state)
        boxes = decode_boxes(outputs.head.deltas[0], outputs.head.anchors, self.box_variances)
        given = geometry.boxes_from_output(instances.pred_boxes.tensor.float())
        anchors = table_iou(given, boxes).argmax(dim=1)
        described = self._instances(outputs, geometry, anchors, given, instances.scores.float(), instances.pred_classes)
        described.mask_probs = geometry.masks_from_output(instances.pred_masks, tuple(outputs.prototypes.shape[1:3]))
        if not self._observe(outputs, geometry, state):
            described.pred_masks = instances.pred_masks
        return described

    def _geometry(self, images: ImageList, state: VideoState) -> FrameGeometry:
        padded_size = tuple(images.tensor.shape[-2:])
        return FrameGeometry(padded_size, tuple(images.image_sizes[0]), (state.height, state.width))

    def _instances(
        self, outputs: FrameOutputs, geometry: FrameGeometry, anchors: Tensor, boxes: Tensor, scores: Tensor,
        classes: Tensor,
    ) -> Instances:
        return Instances(
            geometry.output_size, pred_boxes=Boxes(geometry.boxes_to_output(boxes)), scores=scores,
            pred_classes=classes, track_embeddings=outputs.head.embeddings[0, anchors], padded_boxes=boxes,
            mask_coefficients=outputs.head.coefficients[0, anchors],
        )

    def _observe(self, outputs: FrameOutputs, geometry: FrameGeometry, state: VideoState) -> bool:
        """Hands the frame to a tracker that wants it; whether this one does."""
        observe = getattr(state.tracker, "observe", None)
        if observe is None:
            return False
        shift = None if self.temporal_net is None else self.temporal_net.shift
        observe(FrameContext(outputs.prototypes[0], outputs.temporal, geometry), shift)
        return True
