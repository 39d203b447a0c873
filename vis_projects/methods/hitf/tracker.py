"""Identities at inference: the slot, unless a mask of the frame before says otherwise (Instance Identity Matching)."""

from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import Instances
from torch import Tensor

from vis_projects.layers import mask_iou
from vis_projects.tracking import TRACKER_REGISTRY, Tracker

REQUIRED_FIELDS = ("pred_masks", "pred_classes", "slots")
NO_SLOT = -1


@TRACKER_REGISTRY.register()
class HITFTracker(Tracker):
    """A slot keeps its identity as long as the video lasts, empty frames included.

    A mask that overlaps one of the frame before by more than `handover_iou` takes over that one's identity, whatever
    its slot. Where the identity that a slot would keep has been taken over in the same frame, its object gets a new
    one. Between frames the stored identities of slots are all different. Detections need ``pred_masks`` (n, h, w) bool
    and ``slots`` (n,) int64, all different, or -1 for a mask without a slot. No row is dropped.
    """

    @configurable
    def __init__(self, *, handover_iou: float = 0.5, reuse_gap: int = -1, reuse_same_class: bool = False) -> None:
        """
        Args:
            handover_iou: overlap above which (strictly) an identity is taken over; 1: never.
            reuse_gap: most empty frames after which a slot still keeps its identity; -1: any number.
            reuse_same_class: a slot that was empty keeps its identity only with its class.
        """
        self.handover_iou, self.reuse_gap, self.reuse_same_class = handover_iou, reuse_gap, reuse_same_class
        self._of_slot: dict[int, int] = {}  # slot -> identity
        self._last_seen: dict[int, tuple[int, int]] = {}  # slot -> (frame, class) when it was last not empty
        self._masks: Tensor | None = None  # of the frame before
        self._ids: list[int] = []
        self._next_id = 0
        self._frame = -1

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.HITF.TEST
        return {"handover_iou": node.HANDOVER_IOU, "reuse_gap": node.REUSE_GAP,
                "reuse_same_class": node.REUSE_SAME_CLASS}

    def update(self, instances: Instances) -> Instances:
        """See ``Tracker.update``.

        Raises:
            KeyError: a field of ``REQUIRED_FIELDS`` is missing.
            ValueError: two rows of one slot.
        """
        missing = [name for name in REQUIRED_FIELDS if not instances.has(name)]
        if missing:
            raise KeyError(f"HITFTracker needs the fields {missing} of the detections")
        slots, classes = instances.slots.tolist(), instances.pred_classes.tolist()
        real = [slot for slot in slots if slot != NO_SLOT]
        if len(set(real)) != len(real):
            raise ValueError(f"HITFTracker: a slot occurs twice in {slots}")
        self._frame += 1
        ids = self._handed_over(instances.pred_masks)
        taken = set(ids) - {-1}
        for row, (slot, label) in enumerate(zip(slots, classes)):
            if ids[row] < 0:
                kept = self._kept_id(slot, label)
                ids[row] = kept if kept is not None and kept not in taken else self._new_id()
        self._remember(slots, classes, ids, instances.pred_masks)
        tracked = Instances(instances.image_size, **instances.get_fields())
        tracked.pred_ids = torch.tensor(ids, dtype=torch.int64, device=instances.pred_masks.device)
        return tracked

    def _handed_over(self, masks: Tensor) -> list[int]:
        """The identity that each mask takes over from the frame before, -1 without one; none is given twice.

        Disjoint masks overlap at most one other by more than 1/2. Given masks may not be disjoint: larger overlaps
        come first then.
        """
        ids = [-1] * len(masks)
        if not self._ids or not ids:
            return ids
        overlap = mask_iou(masks, self._masks.to(masks.device)).cpu()
        pairs = (overlap > self.handover_iou).nonzero().tolist()
        pairs.sort(key=lambda pair: (-float(overlap[pair[0], pair[1]]), pair))
        taken: set[int] = set()
        for row, before in pairs:
            if ids[row] < 0 and self._ids[before] not in taken:
                ids[row] = self._ids[before]
                taken.add(ids[row])
        return ids

    def _kept_id(self, slot: int, label: int) -> int | None:
        """The identity that a slot still has; None where it has none or has to give it up."""
        if slot not in self._of_slot:
            return None
        frame, before = self._last_seen[slot]
        empty = self._frame - frame - 1
        if empty > 0 and (empty > self.reuse_gap >= 0 or (self.reuse_same_class and label != before)):
            return None
        return self._of_slot[slot]

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _remember(self, slots: list[int], classes: list[int], ids: list[int], masks: Tensor) -> None:
        taken = set(ids)
        # an empty slot whose identity has moved on has none any more
        self._of_slot = {slot: known for slot, known in self._of_slot.items() if known not in taken}
        for slot, label, identity in zip(slots, classes, ids):
            if slot != NO_SLOT:
                self._of_slot[slot] = identity
                self._last_seen[slot] = (self._frame, label)
        self._masks, self._ids = masks, list(ids)
