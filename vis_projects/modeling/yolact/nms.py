"""Fast NMS of Yolact: candidates are compared with all better ones at once, those that are dropped included.

Letters: n candidates, C classes.
"""

from torch import Tensor

from vis_projects.modeling.yolact.boxes import table_iou


def cross_class_fast_nms(boxes: Tensor, scores: Tensor, *, iou_threshold: float, topk: int) -> Tensor:
    """Candidates of all classes against each other.

    Args:
        boxes: xyxy (n, 4).
        scores: (n,).
        iou_threshold: a candidate that overlaps a better one by more is dropped.
        topk: candidates that take part at most, the best ones.

    Returns:
        int64 rows of the kept ones, best first.
    """
    order = scores.argsort(descending=True, stable=True)[:topk]
    overlap = table_iou(boxes[order], boxes[order]).triu(diagonal=1)
    if len(order) == 0:
        return order
    return order[overlap.amax(dim=0) <= iou_threshold]


def per_class_fast_nms(
    boxes: Tensor, scores: Tensor, *, iou_threshold: float, topk: int, score_threshold: float, max_dets: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Each class on its own; a box may be kept under several classes.

    Args:
        boxes: xyxy (n, 4), the same for all classes.
        scores: (C, n).
        iou_threshold: as of `cross_class_fast_nms`.
        topk: candidates of a class that take part at most, the best ones.
        score_threshold: kept ones score more.
        max_dets: that are kept at most, over all classes.

    Returns:
        int64 rows, int64 classes and scores of the kept ones, best first.
    """
    scores, order = scores.sort(dim=1, descending=True, stable=True)
    scores, order = scores[:, :topk], order[:, :topk]
    candidates = boxes[order]  # (C, topk, 4)
    keep = scores > score_threshold
    if order.shape[1] > 0:
        keep &= table_iou(candidates, candidates).triu(diagonal=1).amax(dim=1) <= iou_threshold
    classes, places = keep.nonzero(as_tuple=True)
    kept_scores = scores[classes, places]
    best = kept_scores.argsort(descending=True, stable=True)[:max_dets]
    return order[classes, places][best], classes[best], kept_scores[best]
