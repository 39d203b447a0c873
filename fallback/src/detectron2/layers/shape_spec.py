"""``ShapeSpec``: what a module knows of a tensor before it sees it."""

from dataclasses import dataclass


@dataclass
class ShapeSpec:
    """Shape of a feature map; None where unknown. ``stride`` is in pixels of the input image per cell."""

    channels: int | None = None
    height: int | None = None
    width: int | None = None
    stride: int | None = None
