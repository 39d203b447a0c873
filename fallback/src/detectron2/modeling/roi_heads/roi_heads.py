"""Boxes and masks from proposals with separate heads, and the registry of ROI heads."""

from typing import Dict, List, Optional, Tuple

import torch
from fvcore.common.registry import Registry
from torch import nn

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.config import configurable
from detectron2.layers import ShapeSpec
from detectron2.structures import Boxes, ImageList, Instances

from .._impl.res5_roi_heads import Res5ROIHeads
from .._impl.roi_base import ROIHeads, select_foreground_proposals
from ..poolers import ROIPooler
from .box_head import build_box_head
from .fast_rcnn import FastRCNNOutputLayers
from .mask_head import build_mask_head

__getattr__ = placeholder_getattr(__name__, ("build_keypoint_head", "select_proposals_with_visible_keypoints"))

ROI_HEADS_REGISTRY = Registry("ROI_HEADS")
ROI_HEADS_REGISTRY.__doc__ = (
    "Classes built as `(cfg, input_shape: dict[str, ShapeSpec])`, found by MODEL.ROI_HEADS.NAME."
)
ROI_HEADS_REGISTRY.register(Res5ROIHeads)


def build_roi_heads(cfg, input_shape):
    """Builds the heads that MODEL.ROI_HEADS.NAME names.

    Args:
        cfg: a config node.
        input_shape: dict: feature name -> ShapeSpec.
    """
    return ROI_HEADS_REGISTRY.get(cfg.MODEL.ROI_HEADS.NAME)(cfg, input_shape)


@ROI_HEADS_REGISTRY.register()
class StandardROIHeads(ROIHeads):
    """Box head and mask head with a pooler each, as in Faster and Mask R-CNN.

    Subclasses can replace how the heads are built (`_init_box_head`, `_init_mask_head`)
    and run (`_forward_box`, `_forward_mask`).

    Args:
        box_in_features: names of the maps that boxes are pooled from.
        box_pooler: pools them.
        box_head: network on the pooled features.
        box_predictor: predicts from the result, as `FastRCNNOutputLayers`.
        mask_in_features: names of the maps that masks are pooled from.
        mask_pooler: pools them; None gives the mask head the whole maps.
        mask_head: as `BaseMaskRCNNHead`; None for boxes only.
        keypoint_in_features: must be None: the subset has no keypoints.
        keypoint_pooler: must be None.
        keypoint_head: must be None.
        train_on_pred_boxes: train the mask head on the boxes that the box head predicts.
        **kwargs: arguments of `ROIHeads`.
    """

    @configurable
    def __init__(
        self, *, box_in_features: List[str], box_pooler: ROIPooler, box_head: nn.Module,
        box_predictor: nn.Module, mask_in_features: Optional[List[str]] = None,
        mask_pooler: Optional[ROIPooler] = None, mask_head: Optional[nn.Module] = None,
        keypoint_in_features: Optional[List[str]] = None, keypoint_pooler: Optional[ROIPooler] = None,
        keypoint_head: Optional[nn.Module] = None, train_on_pred_boxes: bool = False, **kwargs
    ):
        super().__init__(**kwargs)
        self.in_features = self.box_in_features = box_in_features
        self.box_pooler = box_pooler
        self.box_head = box_head
        self.box_predictor = box_predictor
        self.mask_on = mask_in_features is not None
        if self.mask_on:
            self.mask_in_features = mask_in_features
            self.mask_pooler = mask_pooler
            self.mask_head = mask_head
        if (keypoint_in_features, keypoint_pooler, keypoint_head) != (None, None, None):
            raise _no_keypoints()
        self.keypoint_on = False
        self.train_on_pred_boxes = train_on_pred_boxes

    @classmethod
    def from_config(cls, cfg, input_shape):
        if cfg.MODEL.KEYPOINT_ON:
            raise _no_keypoints()
        arguments = super().from_config(cfg)
        arguments["train_on_pred_boxes"] = cfg.MODEL.ROI_BOX_HEAD.TRAIN_ON_PRED_BOXES
        arguments.update(cls._init_box_head(cfg, input_shape))
        arguments.update(cls._init_mask_head(cfg, input_shape))
        return arguments

    @classmethod
    def _init_box_head(cls, cfg, input_shape):
        """Builds the arguments of the box branch; a subclass may return others."""
        node, names = cfg.MODEL.ROI_BOX_HEAD, cfg.MODEL.ROI_HEADS.IN_FEATURES
        side = node.POOLER_RESOLUTION
        head = build_box_head(cfg, _pooled_shape(input_shape, names, side))
        return {
            "box_in_features": names,
            "box_pooler": _pooler_from(node, input_shape, names),
            "box_head": head,
            "box_predictor": FastRCNNOutputLayers(cfg, head.output_shape),
        }

    @classmethod
    def _init_mask_head(cls, cfg, input_shape):
        """Builds the arguments of the mask branch: an empty dict without MODEL.MASK_ON."""
        if not cfg.MODEL.MASK_ON:
            return {}
        node, names = cfg.MODEL.ROI_MASK_HEAD, cfg.MODEL.ROI_HEADS.IN_FEATURES
        if node.POOLER_TYPE:
            pooler = _pooler_from(node, input_shape, names)
            shape = _pooled_shape(input_shape, names, node.POOLER_RESOLUTION)
        else:
            pooler, shape = None, {name: input_shape[name] for name in names}
        return {
            "mask_in_features": names,
            "mask_pooler": pooler,
            "mask_head": build_mask_head(cfg, shape),
        }

    def forward(
        self, images: ImageList, features: Dict[str, torch.Tensor], proposals: List[Instances],
        targets: Optional[List[Instances]] = None
    ) -> Tuple[List[Instances], Dict[str, torch.Tensor]]:
        """Same as `ROIHeads.forward`."""
        if not self.training:
            found = self._forward_box(features, proposals)
            return self.forward_with_given_boxes(features, found), {}
        assert targets is not None, "StandardROIHeads needs targets in training"
        proposals = self.label_and_sample_proposals(proposals, targets)
        losses = self._forward_box(features, proposals)
        # After the box head, which may have replaced the proposals' boxes by its own.
        losses.update(self._forward_mask(features, proposals))
        return proposals, losses

    def forward_with_given_boxes(
        self, features: Dict[str, torch.Tensor], instances: List[Instances]
    ) -> List[Instances]:
        """Adds masks to given detections.

        Args:
            features: name -> float map (N, C, H, W).
            instances: for each image, Instances with `pred_boxes` and `pred_classes`.

        Returns:
            The instances, with `pred_masks` where the model has masks.
        """
        self._require_given_boxes(instances)
        return self._forward_mask(features, instances)

    def _forward_box(self, features: Dict[str, torch.Tensor], proposals: List[Instances]):
        """Runs the box branch.

        Returns:
            In training a dict of losses; else the detections of each image.
        """
        maps = [features[name] for name in self.box_in_features]
        pooled = self.box_pooler(maps, [image.proposal_boxes for image in proposals])
        predictions = self.box_predictor(self.box_head(pooled))
        if not self.training:
            return self.box_predictor.inference(predictions, proposals)[0]
        losses = self.box_predictor.losses(predictions, proposals)
        if self.train_on_pred_boxes:
            with torch.no_grad():
                refined = self.box_predictor.predict_boxes_for_gt_classes(predictions, proposals)
            for image, boxes in zip(proposals, refined):
                image.proposal_boxes = Boxes(boxes)
        return losses

    def _forward_mask(self, features: Dict[str, torch.Tensor], instances: List[Instances]):
        """Runs the mask branch on foreground proposals or on detections.

        Returns:
            In training a dict of losses; else the instances with `pred_masks`.
        """
        if not self.mask_on:
            return {} if self.training else instances
        if self.training:
            instances, _ = select_foreground_proposals(instances, self.num_classes)
        if self.mask_pooler is None:
            inputs = {name: features[name] for name in self.mask_in_features}
        else:
            field = "proposal_boxes" if self.training else "pred_boxes"
            maps = [features[name] for name in self.mask_in_features]
            inputs = self.mask_pooler(maps, [image.get(field) for image in instances])
        return self.mask_head(inputs, instances)


def _pooler_from(node, input_shape, names):
    """The pooler that a head's config node describes, on the maps with these names."""
    return ROIPooler(
        output_size=node.POOLER_RESOLUTION,
        scales=tuple(1.0 / input_shape[name].stride for name in names),
        sampling_ratio=node.POOLER_SAMPLING_RATIO,
        pooler_type=node.POOLER_TYPE,
    )


def _pooled_shape(input_shape, names, side):
    """ShapeSpec of pooled features; asserts that the maps are equally wide."""
    widths = [input_shape[name].channels for name in names]
    assert len(set(widths)) == 1, f"ROI heads need maps of one width; {names} have {widths} channels"
    return ShapeSpec(channels=widths[0], width=side, height=side)


def _no_keypoints():
    return ImportError(
        "keypoint heads are not in this subset of detectron2: set MODEL.KEYPOINT_ON False, "
        "or install the full package from https://github.com/facebookresearch/detectron2"
    )
