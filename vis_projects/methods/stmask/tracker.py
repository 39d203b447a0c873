"""STMask's tracker: detections are matched with objects shifted to their frame; missing ones are supplemented."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import Boxes, Instances
from torch import Tensor

from vis_projects.layers import mask_iou
from vis_projects.methods.stmask.frame import FrameContext, TemporalFeatures
from vis_projects.methods.stmask.merge import binary, in_a_crowd, merge_scores, shown
from vis_projects.methods.stmask.tracker_memory import ShiftedMemory
from vis_projects.modeling.yolact import assemble_masks
from vis_projects.tracking import (
    NEW_TRACK,
    TRACKER_REGISTRY,
    Tracker,
    assign_best,
    label_agreement,
    pairwise_box_iou,
)

REQUIRED_FIELDS = (
    "padded_boxes", "scores", "pred_classes", "track_embeddings", "mask_coefficients", "mask_probs",
)
Shift = Callable[[TemporalFeatures, TemporalFeatures, Tensor, Tensor], tuple[Tensor, Tensor]]


@TRACKER_REGISTRY.register()
class STMaskTracker(Tracker):
    """Carries every object to the next frame, matches detections with them, and shows what the detector missed.

    Each frame is `observe`, then `update`. Unlike other trackers this one also returns objects without a detection in
    the frame, and it keeps all it knows of an object while no detection of it comes.
    """

    @configurable
    def __init__(
        self,
        *,
        match_coeff: Sequence[float] = (0.0, 1.0, 2.0, 0.0),
        dummy_iou: float = 0.3,
        cos_rescale: bool = True,
        shift_decay: float = 0.95,
        max_propagate: int = 10,
        min_mask_pixels: int = 1,
        score_threshold: float = 0.05,
        prune_after: int = -1,
    ) -> None:
        """
        Args:
            match_coeff: weights of score, mask IoU, box IoU and class, see `merge_scores`.
            dummy_iou: IoU from which on, with a cosine of 0, a detection is no new object.
            cos_rescale: cosines count from 0 to 1 instead of from -1 to 1.
            shift_decay: factor on the score of an object for each frame it is carried over.
            max_propagate: frames that an object is shown without a detection; below 0: no limit.
            min_mask_pixels: masks of so many pixels, at the prototypes' resolution, or fewer are not shown.
            score_threshold: objects of this score or less are not shown.
            prune_after: objects without a detection for more frames than this are forgotten; below 0: never, so that
                the memory grows by one row per object.
        """
        if len(match_coeff) != 4:
            raise ValueError(
                f"MODEL.STMASK.TEST.MATCH_COEFF is {tuple(match_coeff)}; give four numbers, the weights of score, mask "
                "IoU, box IoU and class"
            )
        if not 0 < shift_decay <= 1:
            raise ValueError(f"MODEL.STMASK.TEST.SHIFT_DECAY is {shift_decay}; give a factor above 0, at most 1")
        if 0 <= prune_after < max_propagate:
            raise ValueError(
                f"MODEL.STMASK.TEST.PRUNE_AFTER is {prune_after}, but objects are shown for MAX_PROPAGATE "
                f"{max_propagate} frames; forget them later, or never (-1)"
            )
        self.match_coeff = tuple(match_coeff)
        self.dummy_iou = dummy_iou
        self.cos_rescale = cos_rescale
        self.shift_decay = shift_decay
        self.max_propagate = max_propagate
        self.min_mask_pixels = min_mask_pixels
        self.score_threshold = score_threshold
        self.prune_after = prune_after
        self.memory = ShiftedMemory()
        self._frame = -1
        self._seen: FrameContext | None = None
        self._fused = False

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.STMASK.TEST
        return {
            "match_coeff": node.MATCH_COEFF,
            "dummy_iou": node.DUMMY_IOU,
            "cos_rescale": node.COS_RESCALE,
            "shift_decay": node.SHIFT_DECAY,
            "max_propagate": node.MAX_PROPAGATE,
            "min_mask_pixels": node.MIN_MASK_PIXELS,
            "score_threshold": node.SCORE_THRESH,
            "prune_after": node.PRUNE_AFTER,
        }

    def observe(self, frame: FrameContext, shift: Shift | None) -> None:
        """Starts the next frame: all remembered objects move to it, in one run of the temporal network.

        Args:
            frame: the network's view of it.
            shift: `TemporalNet.shift`; None where temporal fusion is off: the remembered objects stay as they were
                seen last, and only detections are shown.
        """
        self._frame += 1
        if self.prune_after >= 0:
            self.memory.forget_unseen_since(self._frame - self.prune_after - 1)
        self._fused = shift is not None
        if self._fused and len(self.memory) > 0:
            memory = self.memory
            boxes, coefficients = shift(self._seen.temporal, frame.temporal, memory.boxes, memory.coefficients)
            masks = assemble_masks(frame.prototypes, coefficients, boxes)
            memory.shift(boxes, coefficients, masks, self.shift_decay)
        self._seen = frame

    def update(self, instances: Instances) -> Instances:
        """Gives the detections of the observed frame their ids and adds the objects that they miss.

        A detection takes its best object if that fits better than a new one (eq. 16); of those that want one object the
        one of the highest score gets it, and the others are dropped.

        Args:
            instances: in order of NMS, with the fields of `REQUIRED_FIELDS`: `padded_boxes` (n, 4) xyxy as fractions of
                the padded image, `scores` (n,), `pred_classes` (n,) int64, `track_embeddings` (n, D),
                `mask_coefficients` (n, K) before the tanh, `mask_probs` (n, h, w) soft, cropped. Not modified.

        Returns:
            Instances at output size in ascending id: `pred_boxes`, `scores`, `pred_classes`, `pred_masks` (k, height,
            width) bool and `pred_ids` (k,) int64. Objects whose centre lies in the padding are left out.

        Raises:
            KeyError: a field is missing.
            RuntimeError: the frame was not observed.
            FloatingPointError: a matching score is inf or nan.
        """
        missing = [name for name in REQUIRED_FIELDS if not instances.has(name)]
        if missing:
            raise KeyError(f"STMaskTracker needs the fields {missing} of the detections")
        if self._seen is None:
            raise RuntimeError("STMaskTracker.update needs the frame: call observe before the first update")
        mask_ious = self._mask_ious(instances)
        table = self._scores(instances, mask_ious)
        columns = assign_best(table.cpu().numpy(), priority=instances.scores.float().cpu().numpy())
        columns = torch.from_numpy(columns).to(instances.scores.device)
        won = columns >= 0
        ids = self._remember(instances[won], columns[won], in_a_crowd(mask_ious)[won])
        return self._merged() if self._fused else self._found(instances[won], ids)

    def _mask_ious(self, instances: Instances) -> Tensor:
        if len(self.memory) == 0:
            return instances.scores.new_zeros((len(instances), 0), dtype=torch.float32)
        return mask_iou(binary(instances.mask_probs), binary(self.memory.masks))

    def _scores(self, instances: Instances, mask_ious: Tensor) -> Tensor:
        """Table of `merge_scores`, (n, 1 + m), against the memory in this frame."""
        memory, embeddings = self.memory, instances.track_embeddings
        remembered = memory.embeddings if len(memory) > 0 else embeddings.new_zeros((0, embeddings.shape[1]))
        device = instances.scores.device
        return merge_scores(
            embeddings,
            remembered,
            instances.scores.float(),
            mask_ious,
            pairwise_box_iou(instances.padded_boxes.float(), memory.boxes.to(device)),
            label_agreement(instances.pred_classes, memory.labels.to(device)),
            coefficients=self.match_coeff,
            dummy_iou=self.dummy_iou,
            cos_rescale=self.cos_rescale,
        )

    def _remember(self, won: Instances, columns: Tensor, crowded: Tensor) -> Tensor:
        """Writes detections into the memory and returns their ids, (n,) int64."""
        ids = torch.full_like(columns, -1)
        is_new = columns == NEW_TRACK
        seen = ~is_new
        if not self._fused:
            # without a shift the overlap of masks says less; what is mixed up in a crowd stays out of the memory
            blurred = seen & crowded
            ids[blurred] = self.memory.see(columns[blurred] - 1, self._frame)
            seen = seen & ~crowded
        ids[seen] = self.memory.overwrite(columns[seen] - 1, won[seen], self._frame)
        ids[is_new] = self.memory.start(won[is_new], self._frame)
        return ids

    def _merged(self) -> Instances:
        """Eq. 17: the whole memory, where it is worth showing."""
        memory = self.memory
        keep = shown(
            memory.scores, self._frame - memory.last_seen, memory.masks, score_threshold=self.score_threshold,
            max_propagate=self.max_propagate, min_mask_pixels=self.min_mask_pixels,
        )
        names = ("boxes", "scores", "labels", "masks", "ids")
        return self._output(*(getattr(memory, name)[keep] for name in names))

    def _found(self, won: Instances, ids: Tensor) -> Instances:
        """The detections of this frame alone, by the same rules."""
        keep = shown(
            won.scores, torch.zeros_like(ids), won.mask_probs, score_threshold=self.score_threshold,
            max_propagate=self.max_propagate, min_mask_pixels=self.min_mask_pixels,
        )
        won, ids = won[keep], ids[keep]
        order = ids.argsort()
        won = won[order]
        return self._output(won.padded_boxes, won.scores, won.pred_classes, won.mask_probs, ids[order])

    def _output(self, boxes: Tensor, scores: Tensor, labels: Tensor, masks: Tensor, ids: Tensor) -> Instances:
        """Brings objects to the output size."""
        geometry = self._seen.geometry
        inside = geometry.centers_inside(boxes)
        return Instances(
            geometry.output_size,
            pred_boxes=Boxes(geometry.boxes_to_output(boxes[inside])),
            scores=scores[inside].float(),
            pred_classes=labels[inside],
            pred_masks=geometry.paste(masks[inside]),
            pred_ids=ids[inside],
        )
