"""Looking for each object in a window around its last place, instead of in the whole frame.

Our own addition to OSMN: the layers that work once per object then cost the same whatever the size of the frame, and
every object fills the same part of what they see. Letters: B frames, N objects, S side of a window.
"""

import torch
from detectron2.layers import paste_masks_in_image
from torch import Tensor

from vis_projects.layers import PreciseROIAlign
from vis_projects.methods.osmn.segmentation import (
    FIRST_MODULATED,
    MODULATED_STRIDES,
    SegmentationNetwork,
    SharedFeatures,
)

SAMPLES = 2  # per side of a bin


class ObjectWindows:
    """Cuts windows of a fixed number of the object's spreads out of maps, stretched to S x S pixels."""

    def __init__(self, *, spreads: float, size: int) -> None:
        """
        Args:
            spreads: from the object's centre to each edge of its window, in spreads of `guides.locate` (a filled
                rectangle is 2.7 spreads wide).
            size: S, in pixels of the network's input.

        Raises:
            ValueError: no window, or a side that the stages of the network do not divide.
        """
        if spreads <= 0:
            raise ValueError(f"MODEL.OSMN.WINDOW_SPREADS is {spreads}; give a positive number, or 0 for whole frames")
        stride = SegmentationNetwork.size_divisibility
        if size < stride or size % stride:
            raise ValueError(f"MODEL.OSMN.WINDOW_SIZE is {size}; use a multiple of {stride}")
        self.spreads, self.size = spreads, size

    def boxes(self, locations: Tensor) -> Tensor:
        """(N, 4) xyxy window of each (N, 4) location, pixel edges at whole numbers; one pixel if it was nowhere."""
        centers, halves = locations[:, :2] + 0.5, (self.spreads * locations[:, 2:]).clamp(min=0.5)
        return torch.cat([centers - halves, centers + halves], dim=1)

    def places(self, locations: Tensor) -> Tensor:
        """The same locations as seen in their windows: in the middle, or nowhere."""
        seen = locations.new_tensor([(self.size - 1) / 2] * 2 + [self.size / (2 * self.spreads)] * 2)
        return torch.where(locations[:, 2:3] > 0, seen, torch.zeros_like(seen))

    def crop(self, maps: Tensor, frames: Tensor, locations: Tensor, stride: int = 1) -> Tensor:
        """What the windows show of maps.

        Args:
            maps: float (B, C, H / stride, W / stride).
            frames: (N,) int64, the frame of each window.
            locations: (N, 4).
            stride: of the maps.

        Returns:
            float (N, C, S / stride, S / stride); 0 outside the frame.
        """
        side = self.size // stride
        windows = torch.cat([frames[:, None].to(locations.dtype), self.boxes(locations)], dim=1)
        return PreciseROIAlign((side, side), 1 / stride, sampling_ratio=SAMPLES, aligned=True)(maps, windows)

    def crop_shared(self, shared: SharedFeatures, frames: Tensor, locations: Tensor) -> SharedFeatures:
        """Features of B frames to those of N windows."""
        return SharedFeatures(self.crop(shared.score, frames, locations, 2 ** (FIRST_MODULATED - 1)),
                              self.crop(shared.first, frames, locations, MODULATED_STRIDES[0]))

    def paste(self, probabilities: Tensor, locations: Tensor, size: tuple[int, int], threshold: float) -> Tensor:
        """Masks of frames from those of windows.

        Args:
            probabilities: float (N, S, S).
            locations: (N, 4).
            size: (h, w) of the frame.
            threshold: from which on a pixel is part of a mask.

        Returns:
            bool (N, h, w); False outside the window.
        """
        return paste_masks_in_image(probabilities, self.boxes(locations), size, threshold)
