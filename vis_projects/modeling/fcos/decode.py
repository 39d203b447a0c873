"""`FCOSDecoder`: from the predictions of all cells to the detections of an image."""

from collections.abc import Sequence

import torch
from detectron2.layers import batched_nms
from detectron2.structures import Boxes, ImageList, Instances
from torch import Tensor

from vis_projects.modeling.fcos.head import FCOSOutputs
from vis_projects.modeling.fcos.losses import flatten_levels


class FCOSDecoder:
    """Thresholds, best of each level, suppression within each class, best of each image."""

    def __init__(
        self,
        *,
        strides: Sequence[int],
        score_threshold: float = 0.05,
        threshold_with_centerness: bool = True,
        pre_nms_top_k: int = 1000,
        nms_threshold: float = 0.6,
        post_nms_top_k: int = 100,
    ) -> None:
        """
        Args:
            strides: L strides in pixels.
            score_threshold: a cell and class need more; of class probability times centerness, or of the class alone.
            threshold_with_centerness: which of the two.
            pre_nms_top_k: at most so many of each level.
            nms_threshold: box IoU above which the weaker of one class goes.
            post_nms_top_k: at most so many of an image; those that tie with the last one stay.
        """
        self.strides = tuple(strides)
        self.score_threshold = score_threshold
        self.threshold_with_centerness = threshold_with_centerness
        self.pre_nms_top_k = pre_nms_top_k
        self.nms_threshold = nms_threshold
        self.post_nms_top_k = post_nms_top_k

    def __call__(self, outputs: FCOSOutputs, locations: Sequence[Tensor], images: ImageList) -> list[Instances]:
        """
        Args:
            outputs: of the head for B images.
            locations: L times (H * W, 2).
            images: for their sizes before padding.

        Returns:
            B `Instances` at the size of their image, best score first, with `pred_boxes` (clipping is left to the
            caller), `scores` = sqrt(class * centerness), `pred_classes`, `locations` (n, 2), `levels` (n,) and `rows`
            (n,), the row in `flatten_levels` of any map.
        """
        counts = [len(level) for level in locations]
        first_rows = [len(images) * sum(counts[:k]) for k in range(len(counts))]
        detections = []
        for b, size in enumerate(images.image_sizes):
            levels = [
                self._level(outputs, b, k, points, first_rows[k] + b * counts[k], tuple(size))
                for k, points in enumerate(locations)
            ]
            detections.append(self._select(Instances.cat(levels)))
        return detections

    def _level(
        self, outputs: FCOSOutputs, b: int, level: int, points: Tensor, first_row: int, size: tuple[int, int]
    ) -> Instances:
        """Candidates of one image and level."""
        probability = outputs.logits[level][b].flatten(1).T.sigmoid()  # (H * W, K)
        centerness = outputs.centerness[level][b].flatten(1).T.sigmoid()
        score = probability * centerness
        passed = (score if self.threshold_with_centerness else probability) > self.score_threshold
        cells, classes = passed.nonzero(as_tuple=True)
        values = score[cells, classes]
        if len(values) > self.pre_nms_top_k:
            values, best = values.topk(self.pre_nms_top_k)
            cells, classes = cells[best], classes[best]
        distances = outputs.ltrb[level][b].flatten(1).T[cells] * self.strides[level]
        found = Instances(size)
        at = points[cells]
        found.pred_boxes = Boxes(torch.cat((at - distances[:, :2], at + distances[:, 2:]), dim=1))
        found.scores, found.pred_classes, found.locations = values.sqrt(), classes, at
        found.levels = torch.full_like(classes, level)
        found.rows = cells + first_row
        return found

    def _select(self, found: Instances) -> Instances:
        keep = batched_nms(found.pred_boxes.tensor, found.scores, found.pred_classes, self.nms_threshold)
        found = found[keep]
        if len(found) > self.post_nms_top_k > 0:
            last = found.scores[self.post_nms_top_k - 1]
            found = found[found.scores >= last]
        return found


def gather_rows(maps: Sequence[Tensor], rows: Tensor) -> Tensor:
    """(n, C) predictions of L maps (B, C, H, W) at these rows of `flatten_levels`."""
    return flatten_levels(maps)[rows]
