"""What a track head says about the objects of a batch of frames and their reference objects."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class CorrelationMaps:
    """Predicted maps of reference objects on one level.

    Attributes:
        objects: (k,) int64, places in the batch's reference objects, image after image.
        logits: (k, H, W).
        stride: pixels of a cell.
    """

    objects: Tensor
    logits: Tensor
    stride: float


@dataclass
class TrackScores:
    """
    Attributes:
        tables: per image (R, 1 + N) float32 logits; column 0 is "new object".
        maps: of each level that was searched; empty where no map is predicted.
    """

    tables: list[Tensor]
    maps: list[CorrelationMaps] = field(default_factory=list)
