"""Which anchors become detections: threshold, decoding, non-maximum suppression (the released inference code).

Letters: A anchors, C classes, n detections.
"""

from dataclasses import dataclass

from detectron2.layers import batched_nms
from torch import Tensor

from vis_projects.modeling.yolact import cross_class_fast_nms, per_class_fast_nms

KINDS = ("cross_class_fast", "per_class_fast", "standard")


@dataclass(frozen=True)
class DetectionSelector:
    """Attributes:
    score_threshold: least probability of an anchor's best class; with NMS per class also least score.
    kind: of NMS. "cross_class_fast": each anchor as its best class, all of them against each other, as the
        released code does. "per_class_fast": every class on its own, as Yolact does; "standard": the same, greedy.
    iou_threshold: of NMS.
    topk: candidates of NMS, per class where it is per class.
    max_dets: that are kept at most with NMS per class.
    max_dets_cross_class: the same with NMS across classes; -1: all.
    """

    score_threshold: float = 0.05
    kind: str = "cross_class_fast"
    iou_threshold: float = 0.5
    topk: int = 200
    max_dets: int = 100
    max_dets_cross_class: int = -1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"MODEL.STMASK.TEST.NMS is {self.kind!r}; choose from {KINDS}")
        for key, value in (("TOPK", self.topk), ("MAX_DETS", self.max_dets)):
            if value < 1:
                raise ValueError(f"MODEL.STMASK.TEST.{key} is {value}; give 1 or more")

    def __call__(
        self, boxes: Tensor, probabilities: Tensor, centerness: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """
        Args:
            boxes: (A, 4) decoded, xyxy.
            probabilities: (A, 1 + C), column 0 background.
            centerness: (A,) factor of the scores, or None.

        Returns:
            int64 anchors, scores and int64 classes from 0, each (n,), best first. A score is not below 0.
        """
        foreground = probabilities[:, 1:]
        candidates = (foreground.amax(dim=1) > self.score_threshold).nonzero()[:, 0]
        scores = foreground[candidates]
        if centerness is not None:
            scores = scores * centerness[candidates, None]
        boxes = boxes[candidates]
        if self.kind == "cross_class_fast":
            # centerness may be 0 or less, so the class is that of the probability
            rows, kept_scores, classes = self._cross_class(boxes, scores, foreground[candidates].argmax(dim=1))
        elif self.kind == "per_class_fast":
            rows, classes, kept_scores = per_class_fast_nms(
                boxes, scores.T, iou_threshold=self.iou_threshold, topk=self.topk,
                score_threshold=self.score_threshold, max_dets=self.max_dets,
            )
        else:
            rows, kept_scores, classes = self._standard(boxes, scores)
        return candidates[rows], kept_scores.clamp(min=0), classes

    def _cross_class(self, boxes: Tensor, scores: Tensor, best: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scores = scores.gather(1, best[:, None])[:, 0]
        rows = cross_class_fast_nms(boxes, scores, iou_threshold=self.iou_threshold, topk=self.topk)
        if self.max_dets_cross_class >= 0:
            rows = rows[: self.max_dets_cross_class]
        return rows, scores[rows], best[rows]

    def _standard(self, boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        top, order = scores.sort(dim=0, descending=True, stable=True)
        top, order = top[: self.topk], order[: self.topk]
        place, classes = (top > self.score_threshold).nonzero(as_tuple=True)
        rows, kept_scores = order[place, classes], top[place, classes]
        keep = batched_nms(boxes[rows], kept_scores, classes, self.iou_threshold)[: self.max_dets]
        return rows[keep], kept_scores[keep], classes[keep]
