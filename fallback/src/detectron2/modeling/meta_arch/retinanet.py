"""RetinaNet (arXiv 1708.02002): a one-stage detector with the focal loss."""

from typing import List, Tuple

import torch
import torch.nn.functional as F
from torch import nn

from detectron2.config import configurable
from detectron2.layers import batched_nms, cat
from detectron2.structures import Boxes, ImageList, pairwise_iou
from detectron2.utils.events import get_event_storage

from .._impl.losses import focal_loss_sum
from .._impl.retinanet_head import RetinaNetHead
from ..anchor_generator import build_anchor_generator
from ..backbone import Backbone, build_backbone
from ..box_regression import Box2BoxTransform, _dense_box_regression_loss
from ..matcher import Matcher
from .build import META_ARCH_REGISTRY
from .dense_detector import DenseDetector

__all__ = ["RetinaNet"]

# Of the moving average of positive anchors, before any was seen.
_FIRST_NORMALIZER = 100


@META_ARCH_REGISTRY.register()
class RetinaNet(DenseDetector):
    """Scores and refines anchors on all levels of a pyramid.

    Args:
        backbone: images -> named feature maps.
        head: list of maps -> (list of logits, list of deltas), as `RetinaNetHead`.
        head_in_features: names of the maps.
        anchor_generator: list of maps -> list of Boxes.
        box2box_transform: between anchors and boxes.
        anchor_matcher: labels anchors by their IoU with ground truth.
        num_classes: K.
        focal_loss_alpha: weight of positives.
        focal_loss_gamma: exponent of the focal loss.
        smooth_l1_beta: where smooth L1 turns linear; 0 is L1.
        box_reg_loss_type: "smooth_l1", "giou", "diou" or "ciou".
        test_score_thresh: detections score higher.
        test_topk_candidates: predictions per level before NMS.
        test_nms_thresh: IoU of the NMS within a class.
        max_detections_per_image: detections kept.
        pixel_mean: mean of each image channel.
        pixel_std: deviation of each channel.
        vis_period: kept as an attribute; this model stores no pictures.
        input_format: channel order of the images, kept as an attribute.
    """

    @configurable
    def __init__(
        self, *, backbone: Backbone, head: nn.Module, head_in_features, anchor_generator, box2box_transform,
        anchor_matcher, num_classes, focal_loss_alpha=0.25, focal_loss_gamma=2.0, smooth_l1_beta=0.0,
        box_reg_loss_type="smooth_l1", test_score_thresh=0.05, test_topk_candidates=1000, test_nms_thresh=0.5,
        max_detections_per_image=100, pixel_mean, pixel_std, vis_period=0, input_format="BGR"
    ):
        super().__init__(backbone, head, head_in_features, pixel_mean=pixel_mean, pixel_std=pixel_std)
        self.num_classes = num_classes
        self.anchor_generator = anchor_generator
        self.box2box_transform = box2box_transform
        self.anchor_matcher = anchor_matcher
        self.focal_loss_alpha, self.focal_loss_gamma = focal_loss_alpha, focal_loss_gamma
        self.smooth_l1_beta, self.box_reg_loss_type = smooth_l1_beta, box_reg_loss_type
        self.test_score_thresh = test_score_thresh
        self.test_topk_candidates = test_topk_candidates
        self.test_nms_thresh = test_nms_thresh
        self.max_detections_per_image = max_detections_per_image
        self.vis_period, self.input_format = vis_period, input_format

    @classmethod
    def from_config(cls, cfg):
        node = cfg.MODEL.RETINANET
        backbone = build_backbone(cfg)
        by_name = backbone.output_shape()
        shapes = [by_name[name] for name in node.IN_FEATURES]
        return {
            "backbone": backbone,
            "head": RetinaNetHead(cfg, shapes),
            "anchor_generator": build_anchor_generator(cfg, shapes),
            "box2box_transform": Box2BoxTransform(weights=node.BBOX_REG_WEIGHTS),
            "anchor_matcher": Matcher(node.IOU_THRESHOLDS, node.IOU_LABELS, allow_low_quality_matches=True),
            "head_in_features": node.IN_FEATURES,
            "num_classes": node.NUM_CLASSES,
            "focal_loss_alpha": node.FOCAL_LOSS_ALPHA,
            "focal_loss_gamma": node.FOCAL_LOSS_GAMMA,
            "smooth_l1_beta": node.SMOOTH_L1_LOSS_BETA,
            "box_reg_loss_type": node.BBOX_REG_LOSS_TYPE,
            "test_score_thresh": node.SCORE_THRESH_TEST,
            "test_topk_candidates": node.TOPK_CANDIDATES_TEST,
            "test_nms_thresh": node.NMS_THRESH_TEST,
            "max_detections_per_image": cfg.TEST.DETECTIONS_PER_IMAGE,
            "pixel_mean": cfg.MODEL.PIXEL_MEAN,
            "pixel_std": cfg.MODEL.PIXEL_STD,
            "vis_period": cfg.VIS_PERIOD,
            "input_format": cfg.INPUT.FORMAT,
        }

    def forward_training(self, images, features, predictions, gt_instances):
        """Returns the dict of losses; see `losses`."""
        logits, deltas = self._transpose_dense_predictions(predictions, [self.num_classes, 4])
        anchors = self.anchor_generator(features)
        labels, boxes = self.label_anchors(anchors, gt_instances)
        return self.losses(anchors, logits, labels, deltas, boxes)

    def losses(self, anchors, pred_logits, gt_labels, pred_anchor_deltas, gt_boxes):
        """Computes both losses, divided by a moving average of the positive anchors.

        Args:
            anchors: Boxes of each level, R_l rows.
            pred_logits: float (N, R_l, K) of each level.
            gt_labels: int64 (R,) of each image, as `label_anchors` returns them.
            pred_anchor_deltas: float (N, R_l, 4) of each level.
            gt_boxes: float (R, 4) of each image.

        Returns:
            Dict with the scalars "loss_cls" and "loss_box_reg". Logs the mean number of
            positive anchors.
        """
        labels = torch.stack(gt_labels)
        counted = labels >= 0
        positive = counted & (labels != self.num_classes)
        num_positive = positive.sum().item()
        get_event_storage().put_scalar("num_pos_anchors", num_positive / len(gt_labels))
        normalizer = self._ema_update("loss_normalizer", max(num_positive, 1), _FIRST_NORMALIZER)

        logits = cat(pred_logits, dim=1)[counted]
        target = F.one_hot(labels[counted], self.num_classes + 1)[:, :-1].to(logits.dtype)
        class_loss = focal_loss_sum(logits, target, self.focal_loss_alpha, self.focal_loss_gamma)
        box_loss = _dense_box_regression_loss(
            anchors,
            self.box2box_transform,
            pred_anchor_deltas,
            gt_boxes,
            positive,
            self.box_reg_loss_type,
            self.smooth_l1_beta,
        )
        return {"loss_cls": class_loss / normalizer, "loss_box_reg": box_loss / normalizer}

    @torch.no_grad()
    def label_anchors(self, anchors, gt_instances):
        """Gives every anchor a class and a box.

        Args:
            anchors: Boxes of each level.
            gt_instances: Instances of each image, with `gt_boxes` and `gt_classes`.

        Returns:
            (labels, boxes), for each image: int64 (R,), the class, K for background, -1
            ignored; float (R, 4), the matched ground truth, zeros where there is none.
        """
        anchors = Boxes.cat(anchors)
        all_labels, all_boxes = [], []
        for truth in gt_instances:
            matches, kinds = self.anchor_matcher(pairwise_iou(truth.gt_boxes, anchors))
            if len(truth):
                labels = truth.gt_classes[matches]
                labels[kinds == 0] = self.num_classes
                labels[kinds == -1] = -1
                boxes = truth.gt_boxes.tensor[matches]
            else:
                labels = torch.full_like(matches, self.num_classes)
                boxes = torch.zeros_like(anchors.tensor)
            all_labels.append(labels)
            all_boxes.append(boxes)
        return all_labels, all_boxes

    def forward_inference(
        self, images: ImageList, features: List[torch.Tensor], predictions: List[List[torch.Tensor]]
    ):
        """Returns the detections of each image, on the network's input size."""
        logits, deltas = self._transpose_dense_predictions(predictions, [self.num_classes, 4])
        anchors = self.anchor_generator(features)
        results = []
        for index, size in enumerate(images.image_sizes):
            scores = [level[index].sigmoid() for level in logits]
            results.append(self.inference_single_image(anchors, scores, [level[index] for level in deltas], size))
        return results

    def inference_single_image(
        self, anchors: List[Boxes], box_cls: List[torch.Tensor], box_delta: List[torch.Tensor],
        image_size: Tuple[int, int]
    ):
        """Decodes one image and removes duplicates.

        Args:
            anchors: Boxes of each level, R_l rows.
            box_cls: float (R_l, K) probabilities of each level.
            box_delta: float (R_l, 4) of each level.
            image_size: (height, width), in pixels.

        Returns:
            Instances with `pred_boxes`, `scores`, `pred_classes`, best first.
        """
        found = self._decode_multi_level_predictions(
            anchors, box_cls, box_delta, self.test_score_thresh, self.test_topk_candidates, image_size
        )
        keep = batched_nms(found.pred_boxes.tensor, found.scores, found.pred_classes, self.test_nms_thresh)
        return found[keep[: self.max_detections_per_image]]
