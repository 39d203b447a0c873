"""Class and box predictions of Fast R-CNN (arXiv 1504.08083): losses and inference."""

from typing import Callable, Dict, List, Optional, Tuple, Union

import torch
import torch.nn.functional as F
from torch import nn

from detectron2.config import configurable
from detectron2.layers import ShapeSpec, cat, cross_entropy
from detectron2.structures import Instances
from detectron2.utils.events import get_event_storage

from .._impl.fast_rcnn_inference import fast_rcnn_inference, fast_rcnn_inference_single_image
from .._impl.federated import draw_federated_classes, federated_weights_from_config
from .._impl.initializers import normal_fill
from ..box_regression import Box2BoxTransform, _dense_box_regression_loss

__all__ = ["fast_rcnn_inference", "fast_rcnn_inference_single_image", "FastRCNNOutputLayers"]


class FastRCNNOutputLayers(nn.Module):
    """Two linear layers: scores of K classes and the background, and box deltas.

    Args:
        input_shape: ShapeSpec, or the number of input channels.
        box2box_transform: between proposals and boxes.
        num_classes: K, without the background.
        test_score_thresh: detections score higher.
        test_nms_thresh: IoU of the NMS within a class.
        test_topk_per_image: detections kept per image.
        cls_agnostic_bbox_reg: one set of deltas for all classes.
        smooth_l1_beta: where smooth L1 turns linear; 0 is L1.
        box_reg_loss_type: "smooth_l1", "giou", "diou" or "ciou".
        loss_weight: one factor for both losses, or a dict with "loss_cls" and
            "loss_box_reg".
        use_fed_loss: federated loss, with `use_sigmoid_ce` only (arXiv 2101.08765).
        use_sigmoid_ce: an independent sigmoid for each class instead of a softmax.
        get_fed_loss_cls_weights: function that returns (K,) sampling weights of classes.
        fed_loss_num_classes: classes in the federated loss.
    """

    @configurable
    def __init__(
        self, input_shape: ShapeSpec, *, box2box_transform, num_classes: int, test_score_thresh: float = 0.0,
        test_nms_thresh: float = 0.5, test_topk_per_image: int = 100, cls_agnostic_bbox_reg: bool = False,
        smooth_l1_beta: float = 0.0, box_reg_loss_type: str = "smooth_l1",
        loss_weight: Union[float, Dict[str, float]] = 1.0, use_fed_loss: bool = False,
        use_sigmoid_ce: bool = False, get_fed_loss_cls_weights: Optional[Callable] = None,
        fed_loss_num_classes: int = 50
    ):
        super().__init__()
        if isinstance(input_shape, int):
            input_shape = ShapeSpec(channels=input_shape)
        self.num_classes = num_classes
        inputs = input_shape.channels * (input_shape.width or 1) * (input_shape.height or 1)
        box_sets = 1 if cls_agnostic_bbox_reg else num_classes
        self.cls_score = nn.Linear(inputs, num_classes + 1)
        self.bbox_pred = nn.Linear(inputs, box_sets * len(box2box_transform.weights))
        normal_fill(self.cls_score, std=0.01)
        normal_fill(self.bbox_pred, std=0.001)

        self.box2box_transform = box2box_transform
        self.smooth_l1_beta, self.box_reg_loss_type = smooth_l1_beta, box_reg_loss_type
        self.test_score_thresh = test_score_thresh
        self.test_nms_thresh = test_nms_thresh
        self.test_topk_per_image = test_topk_per_image
        if isinstance(loss_weight, float):
            loss_weight = {"loss_cls": loss_weight, "loss_box_reg": loss_weight}
        self.loss_weight = loss_weight
        self.use_sigmoid_ce, self.use_fed_loss = use_sigmoid_ce, use_fed_loss
        self.fed_loss_num_classes = fed_loss_num_classes
        if use_fed_loss:
            assert use_sigmoid_ce, "use_fed_loss needs use_sigmoid_ce=True"
            self.register_buffer("fed_loss_cls_weights", get_fed_loss_cls_weights())

    @classmethod
    def from_config(cls, cfg, input_shape):
        node, heads = cfg.MODEL.ROI_BOX_HEAD, cfg.MODEL.ROI_HEADS
        return {
            "input_shape": input_shape,
            "num_classes": heads.NUM_CLASSES,
            "test_score_thresh": heads.SCORE_THRESH_TEST,
            "test_nms_thresh": heads.NMS_THRESH_TEST,
            "test_topk_per_image": cfg.TEST.DETECTIONS_PER_IMAGE,
            "box2box_transform": Box2BoxTransform(weights=node.BBOX_REG_WEIGHTS),
            "cls_agnostic_bbox_reg": node.CLS_AGNOSTIC_BBOX_REG,
            "box_reg_loss_type": node.BBOX_REG_LOSS_TYPE,
            "smooth_l1_beta": node.SMOOTH_L1_BETA,
            "loss_weight": {"loss_box_reg": node.BBOX_REG_LOSS_WEIGHT},
            "use_sigmoid_ce": node.USE_SIGMOID_CE,
            "use_fed_loss": node.USE_FED_LOSS,
            "get_fed_loss_cls_weights": federated_weights_from_config(cfg),
            "fed_loss_num_classes": node.FED_LOSS_NUM_CLASSES,
        }

    def forward(self, x):
        """Predicts.

        Args:
            x: float features (R, ...), flattened here.

        Returns:
            (scores, deltas): float (R, K + 1) logits, background last, and (R, 4K) or
            (R, 4).
        """
        flat = x.flatten(start_dim=1)
        return self.cls_score(flat), self.bbox_pred(flat)

    def losses(self, predictions, proposals):
        """Computes both losses over the proposals of a batch.

        Args:
            predictions: result of `forward`, R rows for all images.
            proposals: Instances of each image with `proposal_boxes`, `gt_classes` and,
                where there is ground truth, `gt_boxes`.

        Returns:
            Dict with the scalars "loss_cls" and "loss_box_reg". Logs accuracies.
        """
        scores, deltas = predictions
        if proposals:
            gt_classes = cat([p.gt_classes for p in proposals])
            boxes = cat([p.proposal_boxes.tensor for p in proposals])
            assert not boxes.requires_grad, "proposal_boxes must not require gradients"
            # Images without ground truth have background only: any box will do there.
            truth = cat([(p.gt_boxes if p.has("gt_boxes") else p.proposal_boxes).tensor for p in proposals])
        else:
            gt_classes = torch.empty(0, dtype=torch.int64, device=scores.device)
            boxes = truth = torch.empty((0, 4), device=deltas.device)
        _log_classification_stats(scores, gt_classes)
        classify = self.sigmoid_cross_entropy_loss if self.use_sigmoid_ce else _softmax_loss
        losses = {
            "loss_cls": classify(scores, gt_classes),
            "loss_box_reg": self.box_reg_loss(boxes, truth, deltas, gt_classes),
        }
        return {name: loss * self.loss_weight.get(name, 1.0) for name, loss in losses.items()}

    def sigmoid_cross_entropy_loss(self, pred_class_logits, gt_classes):
        """Binary cross entropy of each foreground class, summed, per proposal.

        Args:
            pred_class_logits: float (R, K + 1); the background column is not used.
            gt_classes: int64 (R,) in [0, K].

        Returns:
            float scalar; with the federated loss only the drawn classes count.
        """
        count, columns = pred_class_logits.shape
        if count == 0:
            return pred_class_logits.new_zeros([1])[0]
        target = F.one_hot(gt_classes, columns).to(pred_class_logits.dtype)[:, :-1]
        loss = F.binary_cross_entropy_with_logits(pred_class_logits[:, :-1], target, reduction="none")
        if self.use_fed_loss:
            drawn = self.get_fed_loss_classes(
                gt_classes, self.fed_loss_num_classes, columns - 1, self.fed_loss_cls_weights
            )
            member = torch.zeros(columns, device=loss.device)
            member[drawn] = 1
            loss = loss * member[:-1]
        return loss.sum() / count

    def get_fed_loss_classes(self, gt_classes, num_fed_loss_classes, num_classes, weight):
        """Draws the classes of the federated loss.

        Args:
            gt_classes: int64 (R,) in [0, num_classes]; its classes are always in.
            num_fed_loss_classes: how many there should be at least.
            num_classes: K.
            weight: float (K,), sampling weights of the others.

        Returns:
            int64 (C,), distinct.
        """
        return draw_federated_classes(gt_classes, num_fed_loss_classes, num_classes, weight)

    def box_reg_loss(self, proposal_boxes, gt_boxes, pred_deltas, gt_classes):
        """Sum of the box loss over the foreground, divided by the number of proposals.

        Dividing by all proposals gives every foreground box the same weight whatever
        their number in a batch.

        Args:
            proposal_boxes: float (R, 4), XYXY in pixels.
            gt_boxes: float (R, 4).
            pred_deltas: float (R, 4) or (R, 4K).
            gt_classes: int64 (R,) in [0, K].

        Returns:
            float scalar.
        """
        dim = proposal_boxes.shape[1]
        rows = torch.nonzero((gt_classes >= 0) & (gt_classes < self.num_classes), as_tuple=True)[0]
        chosen = pred_deltas[rows]
        if pred_deltas.shape[1] != dim:
            per_class = pred_deltas.view(-1, self.num_classes, dim)
            chosen = per_class[rows, gt_classes[rows]]
        total = _dense_box_regression_loss(
            [proposal_boxes[rows]],
            self.box2box_transform,
            [chosen[None]],
            [gt_boxes[rows]],
            torch.ones((1, rows.numel()), dtype=torch.bool, device=rows.device),
            self.box_reg_loss_type,
            self.smooth_l1_beta,
        )
        return total / max(gt_classes.numel(), 1.0)

    def inference(self, predictions: Tuple[torch.Tensor, torch.Tensor], proposals: List[Instances]):
        """Turns predictions into detections; see `fast_rcnn_inference`.

        Returns:
            (instances, rows), lists over the images.
        """
        return fast_rcnn_inference(
            self.predict_boxes(predictions, proposals),
            self.predict_probs(predictions, proposals),
            [image.image_size for image in proposals],
            self.test_score_thresh,
            self.test_nms_thresh,
            self.test_topk_per_image,
        )

    def predict_boxes_for_gt_classes(self, predictions, proposals):
        """Decodes the boxes of each proposal's true class.

        Args:
            predictions: result of `forward`.
            proposals: Instances with `proposal_boxes` and `gt_classes`; background rows
                get the last class's box.

        Returns:
            List of float (R_i, 4), one for each image.
        """
        if not proposals:
            return []
        decoded = torch.cat(self.predict_boxes(predictions, proposals))
        dim = proposals[0].proposal_boxes.tensor.shape[1]
        if decoded.shape[1] > dim:
            classes = torch.cat([p.gt_classes for p in proposals]).clamp(0, self.num_classes - 1)
            rows = torch.arange(len(decoded), device=decoded.device)
            decoded = decoded.view(-1, self.num_classes, dim)[rows, classes]
        return decoded.split([len(p) for p in proposals])

    def predict_boxes(self, predictions: Tuple[torch.Tensor, torch.Tensor], proposals: List[Instances]):
        """Decodes all boxes: for each image float (R_i, 4K) or (R_i, 4), XYXY in pixels."""
        if not proposals:
            return []
        boxes = cat([image.proposal_boxes.tensor for image in proposals])
        decoded = self.box2box_transform.apply_deltas(predictions[1], boxes)
        return decoded.split([len(image) for image in proposals])

    def predict_probs(self, predictions: Tuple[torch.Tensor, torch.Tensor], proposals: List[Instances]):
        """Probabilities of each image's rows: float (R_i, K + 1), background last."""
        logits = predictions[0]
        probs = logits.sigmoid() if self.use_sigmoid_ce else F.softmax(logits, dim=-1)
        return probs.split([len(image) for image in proposals], dim=0)


def _softmax_loss(scores, gt_classes):
    return cross_entropy(scores, gt_classes, reduction="mean")


def _log_classification_stats(pred_logits, gt_classes, prefix="fast_rcnn"):
    """Logs shares of right classes and of foreground taken for background.

    Args:
        pred_logits: float (R, K + 1), background last.
        gt_classes: int64 (R,) in [0, K].
        prefix: first part of the scalars' names.
    """
    total = gt_classes.numel()
    if total == 0:
        return
    background = pred_logits.shape[1] - 1
    predicted = pred_logits.argmax(dim=1)
    right = predicted == gt_classes
    foreground = (gt_classes >= 0) & (gt_classes < background)
    num_foreground = int(foreground.sum())
    storage = get_event_storage()
    storage.put_scalar(f"{prefix}/cls_accuracy", int(right.sum()) / total)
    if num_foreground > 0:
        missed = int((predicted[foreground] == background).sum())
        storage.put_scalar(f"{prefix}/fg_cls_accuracy", int(right[foreground].sum()) / num_foreground)
        storage.put_scalar(f"{prefix}/false_negative", missed / num_foreground)
