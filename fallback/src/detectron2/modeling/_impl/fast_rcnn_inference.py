"""From scored boxes to detections: thresholding, NMS and the top k."""

from typing import List, Tuple

import torch

from detectron2.layers import batched_nms
from detectron2.structures import Boxes, Instances


def fast_rcnn_inference(
    boxes: List[torch.Tensor], scores: List[torch.Tensor], image_shapes: List[Tuple[int, int]],
    score_thresh: float, nms_thresh: float, topk_per_image: int
):
    """Runs `fast_rcnn_inference_single_image` on each image.

    Args:
        boxes: for each image, float (R, 4K) class-wise or (R, 4) class-agnostic boxes.
        scores: for each image, float (R, K + 1), background last.
        image_shapes: (height, width) of each image, in pixels.
        score_thresh: detections score higher.
        nms_thresh: IoU above which the worse of two boxes of a class is dropped.
        topk_per_image: detections kept; negative keeps all.

    Returns:
        (instances, rows): for each image, the detections and the int64 row that each
        came from.
    """
    pairs = [
        fast_rcnn_inference_single_image(b, s, shape, score_thresh, nms_thresh, topk_per_image)
        for b, s, shape in zip(boxes, scores, image_shapes)
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def fast_rcnn_inference_single_image(
    boxes, scores, image_shape: Tuple[int, int], score_thresh: float, nms_thresh: float, topk_per_image: int
):
    """Turns the scored boxes of one image into detections.

    Rows with infinite or NaN values are dropped first; the returned row numbers count
    without them.

    Args:
        boxes: float (R, 4K) or (R, 4), XYXY in pixels.
        scores: float (R, K + 1), background last.
        image_shape: (height, width), in pixels.
        score_thresh: see `fast_rcnn_inference`.
        nms_thresh: see `fast_rcnn_inference`.
        topk_per_image: see `fast_rcnn_inference`.

    Returns:
        (instances, rows): Instances with `pred_boxes`, `scores`, `pred_classes` from
        high to low score, and int64 (N,).
    """
    finite = torch.isfinite(boxes).all(dim=1) & torch.isfinite(scores).all(dim=1)
    if not finite.all():
        boxes, scores = boxes[finite], scores[finite]
    scores = scores[:, :-1]
    clipped = Boxes(boxes.reshape(-1, 4))
    clipped.clip(image_shape)
    per_class = clipped.tensor.view(len(boxes), boxes.shape[1] // 4, 4)

    rows, classes = torch.nonzero(scores > score_thresh, as_tuple=True)
    candidates = per_class[rows, 0 if per_class.shape[1] == 1 else classes]
    values = scores[rows, classes]
    keep = batched_nms(candidates, values, classes, nms_thresh)
    if topk_per_image >= 0:
        keep = keep[:topk_per_image]
    found = Instances(
        image_shape,
        pred_boxes=Boxes(candidates[keep]),
        scores=values[keep],
        pred_classes=classes[keep],
    )
    return found, rows[keep]
