"""The region proposal network (arXiv 1506.01497): labels, losses and proposals."""

from typing import Dict, List, Optional, Tuple, Union

import torch
import torch.nn.functional as F
from fvcore.common.registry import Registry
from torch import nn

from detectron2.config import configurable
from detectron2.layers import ShapeSpec, cat
from detectron2.structures import Boxes, ImageList, Instances, pairwise_iou
from detectron2.utils.events import get_event_storage
from detectron2.utils.memory import retry_if_cuda_oom

from .._impl.rpn_head import StandardRPNHead
from ..anchor_generator import build_anchor_generator
from ..box_regression import Box2BoxTransform, _dense_box_regression_loss
from ..matcher import Matcher
from ..sampling import subsample_labels
from .build import PROPOSAL_GENERATOR_REGISTRY
from .proposal_utils import find_top_rpn_proposals

RPN_HEAD_REGISTRY = Registry("RPN_HEAD")
RPN_HEAD_REGISTRY.__doc__ = "Classes built as `(cfg, input_shape: list[ShapeSpec])`, found by MODEL.RPN.HEAD_NAME."
RPN_HEAD_REGISTRY.register(StandardRPNHead)


def build_rpn_head(cfg, input_shape):
    """Builds the head that MODEL.RPN.HEAD_NAME names.

    Args:
        cfg: a config node.
        input_shape: list of ShapeSpec, one for each feature map.
    """
    return RPN_HEAD_REGISTRY.get(cfg.MODEL.RPN.HEAD_NAME)(cfg, input_shape)


@PROPOSAL_GENERATOR_REGISTRY.register()
class RPN(nn.Module):
    """Finds boxes that may hold an object.

    Args:
        in_features: names of the feature maps to use.
        head: module: list of maps -> (list of logits, list of deltas), as
            `StandardRPNHead`.
        anchor_generator: module: list of maps -> list of Boxes.
        anchor_matcher: labels anchors by their IoU with ground truth.
        box2box_transform: between anchors and boxes.
        batch_size_per_image: anchors per image in the losses.
        positive_fraction: largest share of foreground among them.
        pre_nms_topk: (training, test) proposals per level before NMS.
        post_nms_topk: (training, test) proposals per image after NMS.
        nms_thresh: IoU of the NMS.
        min_box_size: both sides of a proposal must be larger, in input pixels.
        anchor_boundary_thresh: anchors that reach further than this many pixels out of
            the image are ignored in training; negative ignores none.
        loss_weight: one factor for both losses, or a dict with "loss_rpn_cls" and
            "loss_rpn_loc".
        box_reg_loss_type: "smooth_l1", "giou", "diou" or "ciou".
        smooth_l1_beta: where smooth L1 turns linear; 0 is L1.
    """

    @configurable
    def __init__(
        self, *, in_features: List[str], head: nn.Module, anchor_generator: nn.Module, anchor_matcher: Matcher,
        box2box_transform: Box2BoxTransform, batch_size_per_image: int, positive_fraction: float,
        pre_nms_topk: Tuple[float, float], post_nms_topk: Tuple[float, float], nms_thresh: float = 0.7,
        min_box_size: float = 0.0, anchor_boundary_thresh: float = -1.0,
        loss_weight: Union[float, Dict[str, float]] = 1.0, box_reg_loss_type: str = "smooth_l1",
        smooth_l1_beta: float = 0.0
    ):
        super().__init__()
        self.in_features = in_features
        self.rpn_head = head
        self.anchor_generator = anchor_generator
        self.anchor_matcher = anchor_matcher
        self.box2box_transform = box2box_transform
        self.batch_size_per_image, self.positive_fraction = batch_size_per_image, positive_fraction
        # Keyed by `self.training`.
        self.pre_nms_topk = dict(zip((True, False), pre_nms_topk))
        self.post_nms_topk = dict(zip((True, False), post_nms_topk))
        self.nms_thresh = nms_thresh
        self.min_box_size = float(min_box_size)
        self.anchor_boundary_thresh = anchor_boundary_thresh
        if not isinstance(loss_weight, dict):
            loss_weight = {"loss_rpn_cls": loss_weight, "loss_rpn_loc": loss_weight}
        self.loss_weight = loss_weight
        self.box_reg_loss_type, self.smooth_l1_beta = box_reg_loss_type, smooth_l1_beta

    @classmethod
    def from_config(cls, cfg, input_shape: Dict[str, ShapeSpec]):
        node = cfg.MODEL.RPN
        shapes = [input_shape[name] for name in node.IN_FEATURES]
        return {
            "in_features": node.IN_FEATURES,
            "min_box_size": cfg.MODEL.PROPOSAL_GENERATOR.MIN_SIZE,
            "nms_thresh": node.NMS_THRESH,
            "batch_size_per_image": node.BATCH_SIZE_PER_IMAGE,
            "positive_fraction": node.POSITIVE_FRACTION,
            "loss_weight": {
                "loss_rpn_cls": node.LOSS_WEIGHT,
                "loss_rpn_loc": node.LOSS_WEIGHT * node.BBOX_REG_LOSS_WEIGHT,
            },
            "anchor_boundary_thresh": node.BOUNDARY_THRESH,
            "box2box_transform": Box2BoxTransform(weights=node.BBOX_REG_WEIGHTS),
            "box_reg_loss_type": node.BBOX_REG_LOSS_TYPE,
            "smooth_l1_beta": node.SMOOTH_L1_BETA,
            "pre_nms_topk": (node.PRE_NMS_TOPK_TRAIN, node.PRE_NMS_TOPK_TEST),
            "post_nms_topk": (node.POST_NMS_TOPK_TRAIN, node.POST_NMS_TOPK_TEST),
            "anchor_generator": build_anchor_generator(cfg, shapes),
            "anchor_matcher": Matcher(node.IOU_THRESHOLDS, node.IOU_LABELS, allow_low_quality_matches=True),
            "head": build_rpn_head(cfg, shapes),
        }

    def forward(
        self, images: ImageList, features: Dict[str, torch.Tensor],
        gt_instances: Optional[List[Instances]] = None
    ):
        """Proposes boxes and, in training, computes the losses.

        Args:
            images: the batch; only the images' sizes are used.
            features: name -> float map (N, C, H, W).
            gt_instances: for each image, Instances with `gt_boxes`; needed in training.

        Returns:
            (proposals, losses): for each image Instances with `proposal_boxes` and
            `objectness_logits` (without gradient), and a dict of scalars "loss_rpn_cls",
            "loss_rpn_loc", empty in testing.
        """
        maps = [features[name] for name in self.in_features]
        anchors = self.anchor_generator(maps)
        logit_maps, delta_maps = self.rpn_head(maps)
        box_dim = self.anchor_generator.box_dim
        # One row for each anchor, in the order of the anchors.
        logits = [per_map.permute(0, 2, 3, 1).flatten(1) for per_map in logit_maps]
        deltas = [_rows_of(per_map, box_dim) for per_map in delta_maps]
        losses = {}
        if self.training:
            assert gt_instances is not None, "the RPN needs gt_instances in training"
            labels, matched = self.label_and_sample_anchors(anchors, gt_instances)
            losses = self.losses(anchors, logits, labels, deltas, matched)
        return self.predict_proposals(anchors, logits, deltas, images.image_sizes), losses

    @torch.no_grad()
    def label_and_sample_anchors(
        self, anchors: List[Boxes], gt_instances: List[Instances]
    ) -> Tuple[List[torch.Tensor], List[torch.Tensor]]:
        """Labels the anchors of each image and draws those that count in the losses.

        Args:
            anchors: Boxes of each level.
            gt_instances: Instances of each image, with `gt_boxes`.

        Returns:
            (labels, boxes), for each image: int8 (R,) in {1, 0, -1 ignored} and float
            (R, 4), the ground truth matched to each anchor (zeros where there is none).
        """
        anchors = Boxes.cat(anchors)
        all_labels, all_boxes = [], []
        for instances in gt_instances:
            truth = instances.gt_boxes
            quality = retry_if_cuda_oom(pairwise_iou)(truth, anchors)
            matches, labels = retry_if_cuda_oom(self.anchor_matcher)(quality)
            labels = labels.to(device=truth.device)
            if self.anchor_boundary_thresh >= 0:
                inside = anchors.inside_box(instances.image_size, self.anchor_boundary_thresh)
                labels[~inside] = -1
            all_labels.append(self._subsample_labels(labels))
            all_boxes.append(truth[matches].tensor if len(truth) else torch.zeros_like(anchors.tensor))
        return all_labels, all_boxes

    def losses(
        self, anchors: List[Boxes], pred_objectness_logits: List[torch.Tensor], gt_labels: List[torch.Tensor],
        pred_anchor_deltas: List[torch.Tensor], gt_boxes: List[torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """Computes both losses: sums over the drawn anchors / (their quota * N).

        Args:
            anchors: Boxes of each level, R_l rows.
            pred_objectness_logits: float (N, R_l) of each level.
            gt_labels: int8 (R,) of each image.
            pred_anchor_deltas: float (N, R_l, 4) of each level.
            gt_boxes: float (R, 4) of each image.

        Returns:
            Dict with the scalars "loss_rpn_cls" and "loss_rpn_loc". Logs the mean
            numbers of positive and negative anchors.
        """
        labels = torch.stack(gt_labels)
        positive, counted = labels == 1, labels >= 0
        count = len(gt_labels)
        storage = get_event_storage()
        storage.put_scalar("rpn/num_pos_anchors", positive.sum().item() / count)
        storage.put_scalar("rpn/num_neg_anchors", (labels == 0).sum().item() / count)

        box_loss = _dense_box_regression_loss(
            anchors,
            self.box2box_transform,
            pred_anchor_deltas,
            gt_boxes,
            positive,
            box_reg_loss_type=self.box_reg_loss_type,
            smooth_l1_beta=self.smooth_l1_beta,
        )
        logits = cat(pred_objectness_logits, dim=1)[counted]
        object_loss = F.binary_cross_entropy_with_logits(logits, labels[counted].to(torch.float32), reduction="sum")
        scale = self.batch_size_per_image * count
        sums = {"loss_rpn_cls": object_loss, "loss_rpn_loc": box_loss}
        return {name: total / scale * self.loss_weight.get(name, 1.0) for name, total in sums.items()}

    @torch.no_grad()
    def predict_proposals(
        self, anchors: List[Boxes], pred_objectness_logits: List[torch.Tensor],
        pred_anchor_deltas: List[torch.Tensor], image_sizes: List[Tuple[int, int]]
    ):
        """Decodes the deltas and keeps the best boxes; see `find_top_rpn_proposals`.

        No gradient flows: the next stage takes proposals as fixed inputs.
        """
        return find_top_rpn_proposals(
            self._decode_proposals(anchors, pred_anchor_deltas),
            pred_objectness_logits,
            image_sizes,
            self.nms_thresh,
            self.pre_nms_topk[self.training],
            self.post_nms_topk[self.training],
            self.min_box_size,
            self.training,
        )

    def _decode_proposals(self, anchors: List[Boxes], pred_anchor_deltas: List[torch.Tensor]):
        """For each level, the float (N, R_l, box_dim) boxes that the deltas describe."""
        decoded = []
        for level, deltas in zip(anchors, pred_anchor_deltas):
            rows = level.tensor.repeat(deltas.shape[0], 1)
            boxes = self.box2box_transform.apply_deltas(deltas.flatten(0, 1), rows)
            decoded.append(boxes.view(*deltas.shape[:2], -1))
        return decoded

    def _subsample_labels(self, label):
        """Sets all but the drawn labels to -1, in place."""
        chosen = subsample_labels(label, self.batch_size_per_image, self.positive_fraction, 0)
        label.fill_(-1)
        for indices, value in zip(chosen, (1, 0)):
            label[indices] = value
        return label


def _rows_of(maps, dim):
    """(N, A * dim, H, W) -> (N, H * W * A, dim)."""
    count, channels, height, width = maps.shape
    per_anchor = maps.view(count, channels // dim, dim, height, width)
    return per_anchor.permute(0, 3, 4, 1, 2).flatten(1, 3)
