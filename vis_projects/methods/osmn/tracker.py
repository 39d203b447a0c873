"""OSMN's tracker: IoUTracker+ with the overlap of propagated masks (Video Instance Segmentation, section 6.1)."""

from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import Instances
from torch import Tensor, nn

from vis_projects.layers import mask_iou
from vis_projects.methods.osmn.guides import mask_boxes
from vis_projects.modeling import positions_of
from vis_projects.tracking import NEW_TRACK, TRACKER_REGISTRY, IoUTrackerPlus, pairwise_box_iou

OVERLAPS = ("mask", "box")


@TRACKER_REGISTRY.register()
class OSMNTracker(IoUTrackerPlus):
    """Looks for every remembered object in the new frame, and matches detections to where it was found.

    An object is described once, at its first sight. Where it is comes from the detection that it was matched to, else
    from its propagated mask; an object that was found nowhere stays where it was last.

    Attributes:
        factors: (m, P) of the visual modulator, row k of slot k of the memory.
        locations: (m, 4) in pixels of the network's input, see `guides.locate`.
    """

    needs_frame = True

    @configurable
    def __init__(self, *, network: nn.Module, overlap: str = "mask", **kwargs: Any) -> None:
        """
        Args:
            network: an `OSMN` in evaluation mode, shared by all videos.
            overlap: what is compared, "mask" or "box".
            kwargs: of `IoUTrackerPlus`.
        """
        super().__init__(**kwargs)
        if overlap not in OVERLAPS:
            raise ValueError(f"MODEL.OSMN.OVERLAP is {overlap!r}; choose from {OVERLAPS}")
        self.propagator = network.propagator
        self.overlap = overlap
        self.factors: Tensor | None = None
        self.locations: Tensor | None = None
        self._ids: Tensor | None = None  # of the rows of both
        self._pixels: Tensor | None = None
        self._images: Tensor | None = None

    @classmethod
    def network_arch(cls, cfg: CfgNode) -> str:
        """See ``Tracker.network_arch``."""
        return "OSMN"

    @classmethod
    def from_config(cls, cfg: CfgNode, network: nn.Module) -> dict[str, Any]:
        return {**super().from_config(cfg), "network": network, "overlap": cfg.MODEL.OSMN.OVERLAP}

    def see(self, frame: Tensor) -> None:
        """See ``Tracker.see``."""
        self._pixels = frame

    @torch.no_grad()
    def update(self, instances: Instances) -> Instances:
        """See ``IoUTrackerPlus.update``.

        Args:
            instances: with ``pred_masks`` (n, height, width) bool too.

        Raises:
            RuntimeError: the frame was not handed over by ``see``.
            FloatingPointError: a score, a box or a propagated mask is inf or nan.
        """
        if self._pixels is None:
            raise RuntimeError("OSMNTracker looks at the frames: call see(frame) before each update(instances)")
        self._images = self.propagator.prepare(self._pixels)
        if self._ids is None:
            self._start()
        tracked = super().update(instances)
        self._pixels = self._images = None
        return tracked

    def overlaps(self, instances: Instances) -> Tensor:
        """Propagates all m objects as one batch and compares them with n detections, (n, m) float in [0, 1]."""
        self._align()
        size = tuple(self._pixels.shape[-2:])
        masks = self.propagator.propagate(self._images, size, self.factors, self.locations)
        self._move(torch.arange(len(masks), device=masks.device), masks)
        if self.overlap == "box":
            scale = torch.tensor([size[1] / instances.image_size[1], size[0] / instances.image_size[0]] * 2)
            boxes = instances.pred_boxes.tensor.float() * scale.to(masks.device)
            return pairwise_box_iou(boxes, mask_boxes(masks))
        detected = self._masks(instances)
        # a part of the objects at a time, because masks become floating-point numbers for the product
        parts = [mask_iou(detected, part) for part in masks.split(self.propagator.chunk)]
        return torch.cat(parts, dim=1)

    def remember(self, kept: Instances, columns: Tensor) -> Tensor:
        """See ``IoUTrackerPlus.remember``."""
        self._align()
        masks, is_new = self._masks(kept), columns == NEW_TRACK
        self._move(columns[~is_new] - 1, masks[~is_new])
        ids = super().remember(kept, columns)
        first = masks[is_new]
        self.factors = torch.cat([self.factors, self.propagator.describe(self._images, first)])
        self.locations = torch.cat([self.locations, self.propagator.locate(first)])
        self._ids = self.memory.ids
        return ids

    def _start(self) -> None:
        none = self._images.new_zeros(0, *self._images.shape[-2:], dtype=torch.bool)
        self.factors = self.propagator.describe(self._images, none)
        self.locations = self.propagator.locate(none)
        self._ids = torch.zeros(0, dtype=torch.int64, device=self._images.device)

    def _align(self) -> None:
        """Drops the rows of forgotten tracks."""
        if len(self._ids) == len(self.memory):
            return
        rows = positions_of(self.memory.ids.to(self._ids.device), self._ids)
        self.factors, self.locations, self._ids = self.factors[rows], self.locations[rows], self._ids[rows]

    def _move(self, slots: Tensor, masks: Tensor) -> None:
        """Places the objects of these slots where their masks are; an empty mask moves nothing."""
        found, before = self.propagator.locate(masks), self.locations[slots]
        known = found[:, 2:].amin(dim=1, keepdim=True) > 0
        self.locations = self.locations.index_copy(0, slots, torch.where(known, found, before))

    def _masks(self, instances: Instances) -> Tensor:
        """The masks of detections at the size of the network's input: the pixel under each pixel's middle."""
        masks, (height, width) = instances.pred_masks, self._pixels.shape[-2:]
        if masks.shape[-2:] == (height, width):
            return masks
        rows, columns = (
            ((torch.arange(small, device=masks.device) + 0.5) * (large / small)).long()
            for small, large in zip((height, width), masks.shape[-2:])
        )
        return masks[:, rows][:, :, columns]
