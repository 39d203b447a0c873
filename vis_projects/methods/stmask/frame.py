"""What one frame hands on to tracker and temporal fusion: its features, prototypes and geometry.

Letters: N frames, n objects, K prototypes of Hp x Wp, C channels, h x w the level of temporal fusion. Padded boxes are
xyxy as fractions of the padded image.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

THRESHOLD = 0.5
CHUNK_PIXELS = 1 << 26  # float values that are in memory at once


@dataclass(frozen=True)
class FrameGeometry:
    """The three sizes of a frame, and how boxes and masks go from one to the other.

    Attributes:
        padded_size: (H, W) of the network's input.
        image_size: (height, width) of it without padding.
        output_size: (height, width) that the user asked for.
    """

    padded_size: tuple[int, int]
    image_size: tuple[int, int]
    output_size: tuple[int, int]

    def boxes_to_output(self, boxes: Tensor) -> Tensor:
        """Padded boxes (n, 4) -> pixels of the output, clipped to it."""
        height, width = self.output_size
        boxes = boxes * boxes.new_tensor(self._scale())
        return torch.stack([edge.clamp(0, size) for edge, size in zip(boxes.unbind(1), (width, height) * 2)], dim=1)

    def boxes_from_output(self, boxes: Tensor) -> Tensor:
        """The inverse: pixels of the output (n, 4) -> padded boxes."""
        return boxes / boxes.new_tensor(self._scale())

    def centers_inside(self, boxes: Tensor) -> Tensor:
        """bool (n,): the centre of a padded box lies in the unpadded area."""
        (padded_height, padded_width), (height, width) = self.padded_size, self.image_size
        x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2).unbind(1)
        return (x >= 0) & (x <= width / padded_width) & (y >= 0) & (y <= height / padded_height)

    def paste(self, probs: Tensor) -> Tensor:
        """Soft masks at the size of the prototypes (n, Hp, Wp) -> bool masks (n, height, width) of the output."""
        masks = torch.zeros((len(probs), *self.output_size), dtype=torch.bool, device=probs.device)
        pixels = max(self.padded_size[0] * self.padded_size[1], self.output_size[0] * self.output_size[1])
        for rows in torch.arange(len(probs), device=probs.device).split(max(1, CHUNK_PIXELS // pixels)):
            part = _resize(self._unpadded(probs[rows].float()), self.output_size)
            masks[rows] = part > THRESHOLD
        return masks

    def masks_from_output(self, masks: Tensor, size: tuple[int, int]) -> Tensor:
        """Masks (n, height, width) of the output -> soft masks (n, Hp, Wp), `size` being (Hp, Wp)."""
        (padded_height, padded_width), (height, width) = self.padded_size, self.image_size
        masks = _resize(masks.float(), self.image_size)
        masks = F.pad(masks, (0, padded_width - width, 0, padded_height - height))
        return F.adaptive_avg_pool2d(masks, size)

    def _unpadded(self, probs: Tensor) -> Tensor:
        """The part that shows the image; brought to the padded size first where the cut is within a cell."""
        cells = [size * side / padded for size, side, padded in zip(self.image_size, probs.shape[1:], self.padded_size)]
        if any(not math.isclose(cell, round(cell)) for cell in cells):
            probs, cells = _resize(probs, self.padded_size), list(self.image_size)
        return probs[:, : round(cells[0]), : round(cells[1])]

    def _scale(self) -> list[float]:
        (padded_height, padded_width), (height, width) = self.padded_size, self.image_size
        out_height, out_width = self.output_size
        return [padded_width * out_width / width, padded_height * out_height / height] * 2


@dataclass
class TemporalFeatures:
    """What temporal fusion reads of N frames.

    Attributes:
        correlated: (N, C, h, w) output of the FPN.
        shared: (N, C, h, w) output of the head's first layer, which all branches share, of the same level.
    """

    correlated: Tensor
    shared: Tensor

    def __getitem__(self, rows: Tensor | slice) -> "TemporalFeatures":
        """Those of some frames."""
        return TemporalFeatures(self.correlated[rows], self.shared[rows])


@dataclass
class FrameContext:
    """One frame at test time.

    Attributes:
        prototypes: (Hp, Wp, K).
        temporal: of this frame, N = 1.
        geometry: of this frame.
    """

    prototypes: Tensor
    temporal: TemporalFeatures
    geometry: FrameGeometry


def _resize(masks: Tensor, size: tuple[int, int]) -> Tensor:
    if len(masks) == 0:
        return masks.new_zeros((0, *size))
    return F.interpolate(masks[None], size=size, mode="bilinear", align_corners=False)[0]
