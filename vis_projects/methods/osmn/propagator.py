"""Finds given objects in a new frame: the three networks of OSMN, and how they are used together.

Letters: B frames, N objects, H, W padded size of the frames, h, w their size before padding, P modulated channels.
"""

from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.structures import ImageList
from torch import Tensor, nn

from vis_projects.methods.osmn.guides import LOCATIONS, crop_boxes, crop_guides, heat_maps, locate
from vis_projects.methods.osmn.segmentation import MODULATED_STRIDES, SegmentationNetwork, SharedFeatures
from vis_projects.methods.osmn.spatial_modulator import SpatialModulator
from vis_projects.methods.osmn.visual_modulator import VisualModulator
from vis_projects.methods.osmn.windows import ObjectWindows

# ImageNet's, in RGB, of pixels 0..255
PIXEL_MEAN, PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
FORMATS = ("BGR", "RGB")


class MaskPropagator(nn.Module):
    """Segmentation network and modulators. It remembers nothing of a video.

    An object is known by its factors, (P,) of the visual modulator, made once at its first sight, and by its location,
    (4,) as of `locate`, made anew of each mask.
    """

    @configurable
    def __init__(
        self, *, segmentation: SegmentationNetwork, visual: VisualModulator | None, spatial: SpatialModulator | None,
        image_format: str = "BGR", location: str = "median", min_std_px: float = 5.0, guide_pad: float = 0.03,
        mask_thresh: float = 0.5, chunk: int = 16, windows: ObjectWindows | None = None,
    ) -> None:
        """
        Args:
            segmentation: modulated by the other two.
            visual: None leaves out the factors.
            spatial: None leaves out the place.
            image_format: channel order of the frames.
            location: "median" or "mean", see `locate`.
            min_std_px: see `locate`.
            guide_pad: rim of the crops, see `crop_boxes`.
            mask_thresh: probability from which on a pixel is part of a mask.
            chunk: objects that pass through the networks at once.
            windows: where each object is looked for; None: in the whole frame, as published.
        """
        super().__init__()
        if image_format not in FORMATS:
            raise ValueError(f"INPUT.FORMAT is {image_format!r}; OSMN reads {' or '.join(FORMATS)} frames")
        if location not in LOCATIONS:
            raise ValueError(f"MODEL.OSMN.LOCATION is {location!r}; choose from {LOCATIONS}")
        if chunk < 1:
            raise ValueError(f"MODEL.OSMN.CHUNK is {chunk}; at least one object has to pass at once")
        self.segmentation, self.visual, self.spatial = segmentation, visual, spatial
        self.flipped = image_format == "BGR"
        mean, std = (values[::-1] if self.flipped else values for values in (PIXEL_MEAN, PIXEL_STD))
        self.register_buffer("pixel_mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(std).view(-1, 1, 1), persistent=False)
        self.location, self.min_std_px, self.guide_pad = location, min_std_px, guide_pad
        self.mask_thresh, self.chunk, self.windows = mask_thresh, chunk, windows

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict[str, Any]:
        node = cfg.MODEL.OSMN
        trunk = {"widths": node.WIDTHS, "convs": node.CONVS, "norm": node.NORM}
        segmentation = SegmentationNetwork(**trunk, side_channels=node.SIDE_CHANNELS)
        widths = segmentation.modulated_widths
        visual = None
        if node.VISUAL_MODULATOR:
            visual = VisualModulator(**trunk, fc_dim=node.FC_DIM, dropout=node.DROPOUT, guide_size=node.GUIDE_SIZE,
                                     num_factors=sum(widths))
        windows = None
        if node.WINDOW_SPREADS != 0:
            windows = ObjectWindows(spreads=node.WINDOW_SPREADS, size=node.WINDOW_SIZE)
        return {
            "segmentation": segmentation,
            "visual": visual,
            "spatial": SpatialModulator(widths) if node.SPATIAL_MODULATOR else None,
            "image_format": cfg.INPUT.FORMAT,
            "location": node.LOCATION,
            "min_std_px": node.MIN_STD_PX,
            "guide_pad": node.GUIDE_PAD,
            "mask_thresh": node.MASK_THRESH,
            "chunk": node.CHUNK,
            "windows": windows,
        }

    @property
    def num_factors(self) -> int:
        """P, 0 without visual modulator."""
        return 0 if self.visual is None else sum(self.segmentation.modulated_widths)

    def prepare(self, frame: Tensor) -> Tensor:
        """(3, h, w) uint8 frame to (1, 3, H, W) normalised RGB, padded by the mean colour."""
        image = (frame.to(self.pixel_mean.device) - self.pixel_mean) / self.pixel_std
        return self.as_rgb(ImageList.from_tensors([image], self.segmentation.size_divisibility).tensor)

    def as_rgb(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in the order of the frames to the order of the networks."""
        return images.flip(1) if self.flipped else images

    def locate(self, masks: Tensor) -> Tensor:
        """(N, h, w) bool to (N, 4), see `guides.locate`."""
        return locate(masks, self.location, self.min_std_px)

    def logits(self, images: Tensor, frames: Tensor, factors: Tensor | None, locations: Tensor) -> Tensor:
        """All N objects as one batch.

        Args:
            images: (B, 3, H, W) of `prepare`.
            frames: (N,) int64, the frame that each object is looked for in.
            factors: (N, P), None without visual modulator.
            locations: (N, 4) where each one was.

        Returns:
            float (N, H, W); with windows (N, S, S).
        """
        return self._logits(self.segmentation.shared(images), images.shape[-2:], frames, factors, locations)

    def as_seen(self, masks: Tensor, locations: Tensor) -> Tensor:
        """bool (N, H, W) of frames to what the `logits` of objects of these locations show: (N, S, S) or the same."""
        if self.windows is None:
            return masks
        frames = torch.arange(len(masks), device=masks.device)
        return self.windows.crop(masks[:, None].float(), frames, locations)[:, 0] >= 0.5

    def _logits(
        self, shared: SharedFeatures, size: tuple[int, int], frames: Tensor, factors: Tensor | None, locations: Tensor
    ) -> Tensor:
        if self.windows is not None:
            shared = self.windows.crop_shared(shared, frames, locations)
            size, frames = (self.windows.size,) * 2, torch.arange(len(frames), device=frames.device)
            locations = self.windows.places(locations)
        heat = None if self.spatial is None else heat_maps(locations, size, MODULATED_STRIDES)
        return self.segmentation(shared, frames, factors, heat, self.spatial)

    @torch.no_grad()
    def describe(self, images: Tensor, masks: Tensor) -> Tensor:
        """Factors of objects at their first sight.

        Args:
            images: (1, 3, H, W) of `prepare`.
            masks: (N, h, w) bool, the objects in that frame.

        Returns:
            float (N, P).
        """
        if self.visual is None or len(masks) == 0:
            return images.new_zeros(len(masks), self.num_factors)
        frame = images[:, :, : masks.shape[1], : masks.shape[2]]
        parts = []
        for part in masks.split(self.chunk):
            boxes = crop_boxes(part, self.guide_pad)
            crops = crop_guides(frame.expand(len(part), -1, -1, -1), part, boxes, self.visual.guide_size)
            parts.append(self.visual(crops).float())
        return torch.cat(parts)

    @torch.no_grad()
    def propagate(self, images: Tensor, size: tuple[int, int], factors: Tensor, locations: Tensor) -> Tensor:
        """Masks of known objects in a new frame; memory is bounded by `chunk` and a bool mask an object.

        Args:
            images: (1, 3, H, W) of `prepare`.
            size: (h, w).
            factors: (N, P) of `describe`.
            locations: (N, 4) of `locate`.

        Returns:
            bool (N, h, w).

        Raises:
            FloatingPointError: a logit is inf or nan.
        """
        height, width = size
        if len(locations) == 0:
            return torch.zeros(0, height, width, dtype=torch.bool, device=images.device)
        parts = []
        shared = self.segmentation.shared(images)
        finite = torch.ones((), dtype=torch.bool, device=images.device)
        for some, where in zip(factors.split(self.chunk), locations.split(self.chunk), strict=True):
            frames = torch.zeros(len(where), dtype=torch.int64, device=images.device)
            logits = self._logits(shared, images.shape[-2:], frames, some if self.visual is not None else None, where)
            finite &= torch.isfinite(logits).all()
            parts.append(self._masks(logits.float().sigmoid(), where, size))
        if not finite:
            raise FloatingPointError(
                "propagated masks hold inf or nan; check the checkpoint in MODEL.VIS.TRACKER.WEIGHTS"
            )
        return torch.cat(parts)

    def _masks(self, probabilities: Tensor, locations: Tensor, size: tuple[int, int]) -> Tensor:
        if self.windows is not None:
            return self.windows.paste(probabilities, locations, size, self.mask_thresh)
        return probabilities[:, : size[0], : size[1]] >= self.mask_thresh
