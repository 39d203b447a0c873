"""ROI heads of the C4 models: the backbone's last stage runs on each pooled box."""

from typing import Dict, List, Optional

import torch
from torch import nn

from detectron2.config import configurable
from detectron2.layers import ShapeSpec
from detectron2.structures import Boxes, ImageList, Instances

from ..backbone.resnet import BottleneckBlock, ResNet
from ..poolers import ROIPooler
from ..roi_heads.fast_rcnn import FastRCNNOutputLayers
from ..roi_heads.mask_head import build_mask_head
from .roi_base import ROIHeads, select_foreground_proposals


class Res5ROIHeads(ROIHeads):
    """Boxes and masks from one pooling and one shared res5 stage (arXiv 1703.06870, C4).

    Args:
        in_features: name of the one feature map, in a list.
        pooler: pools the boxes.
        res5: stage that runs on the pooled features.
        box_predictor: on the spatial mean of its output.
        mask_head: on its output; None for boxes only.
        **kwargs: arguments of `ROIHeads`.
    """

    @configurable
    def __init__(
        self, *, in_features: List[str], pooler: ROIPooler, res5: nn.Module, box_predictor: nn.Module,
        mask_head: Optional[nn.Module] = None, **kwargs
    ):
        super().__init__(**kwargs)
        self.in_features = in_features
        self.pooler = pooler
        self.res5 = nn.Sequential(*res5) if isinstance(res5, (list, tuple)) else res5
        self.box_predictor = box_predictor
        self.mask_on = mask_head is not None
        if self.mask_on:
            self.mask_head = mask_head

    @classmethod
    def from_config(cls, cfg, input_shape):
        arguments = super().from_config(cfg)
        names, node = cfg.MODEL.ROI_HEADS.IN_FEATURES, cfg.MODEL.ROI_BOX_HEAD
        stride = input_shape[names[0]].stride
        assert len(names) == 1, f"Res5ROIHeads works on one feature map, got IN_FEATURES={names}"
        assert not cfg.MODEL.KEYPOINT_ON, "Res5ROIHeads has no keypoints: set MODEL.KEYPOINT_ON False"
        arguments["in_features"] = names
        arguments["pooler"] = ROIPooler(
            output_size=node.POOLER_RESOLUTION,
            scales=(1.0 / stride,),
            sampling_ratio=node.POOLER_SAMPLING_RATIO,
            pooler_type=node.POOLER_TYPE,
        )
        # A class whose block was replaced may return the stage alone.
        stage = cls._build_res5_block(cfg)
        stage, channels = stage if isinstance(stage, tuple) else (stage, stage[-1].out_channels)
        arguments["res5"] = stage
        arguments["box_predictor"] = FastRCNNOutputLayers(cfg, ShapeSpec(channels=channels, height=1, width=1))
        if cfg.MODEL.MASK_ON:
            side = node.POOLER_RESOLUTION
            shape = ShapeSpec(channels=channels, width=side, height=side)
            arguments["mask_head"] = build_mask_head(cfg, shape)
        return arguments

    @classmethod
    def _build_res5_block(cls, cfg):
        """Returns the stage as a Sequential and its output channels."""
        node = cfg.MODEL.RESNETS
        # The fourth stage: three doublings after res2.
        out_channels = node.RES2_OUT_CHANNELS * 2**3
        assert not node.DEFORM_ON_PER_STAGE[-1], "res5 inside Res5ROIHeads cannot be deformable"
        blocks = ResNet.make_stage(
            BottleneckBlock,
            3,
            stride_per_block=[2, 1, 1],
            in_channels=out_channels // 2,
            bottleneck_channels=node.NUM_GROUPS * node.WIDTH_PER_GROUP * 2**3,
            out_channels=out_channels,
            num_groups=node.NUM_GROUPS,
            norm=node.NORM,
            stride_in_1x1=node.STRIDE_IN_1X1,
        )
        return nn.Sequential(*blocks), out_channels

    def forward(
        self, images: ImageList, features: Dict[str, torch.Tensor], proposals: List[Instances],
        targets: Optional[List[Instances]] = None
    ):
        """Same as `ROIHeads.forward`; in training the returned instances are empty lists."""
        if self.training:
            assert targets is not None, "Res5ROIHeads needs targets in training"
            proposals = self.label_and_sample_proposals(proposals, targets)
        shared = self._shared_roi_transform(
            [features[name] for name in self.in_features], [p.proposal_boxes for p in proposals]
        )
        predictions = self.box_predictor(shared.mean(dim=[2, 3]))
        if not self.training:
            found, _ = self.box_predictor.inference(predictions, proposals)
            return self.forward_with_given_boxes(features, found), {}
        losses = self.box_predictor.losses(predictions, proposals)
        if self.mask_on:
            foreground, masks = select_foreground_proposals(proposals, self.num_classes)
            losses.update(self.mask_head(shared[torch.cat(masks, dim=0)], foreground))
        return [], losses

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
        if not self.mask_on:
            return instances
        maps = [features[name] for name in self.in_features]
        return self.mask_head(self._shared_roi_transform(maps, [i.pred_boxes for i in instances]), instances)

    def _shared_roi_transform(self, features: List[torch.Tensor], boxes: List[Boxes]):
        return self.res5(self.pooler(features, boxes))
