"""The mapper of OSMN: a frame to segment, the one before it, and one that shows the objects."""

from collections.abc import Sequence

import numpy as np
from detectron2.config import CfgNode

from vis_projects.data.frame_sampler import draw_reference
from vis_projects.data.mapper import VideoDatasetMapper
from vis_projects.data.registry import VIS_MAPPER_REGISTRY


class GuidePreviousSampler:
    """The frame to segment ("key"), where its objects were ("previous") and how they look ("guide").

    See `frame_sampler` for the form of a sampler.
    """

    def __init__(self, max_gap_frames: int = 0) -> None:
        """
        Args:
            max_gap_frames: largest distance of the guide from the key; 0 or less allows the whole video.
        """
        self.max_gap_frames = max_gap_frames

    def __call__(
        self, length: int, key: int, rng: np.random.Generator, valid: Sequence[int] | None = None
    ) -> dict[str, list[int]]:
        """`{"key": [key], "previous": [p], "guide": [g]}`.

        p is the last allowed frame before the key, else the first one after it, else the key itself; g is uniform over
        the allowed frames other than the key, else the key.
        """
        allowed = list(range(length) if valid is None else valid)
        before, after = [t for t in allowed if t < key], [t for t in allowed if t > key]
        previous = before[-1] if before else after[0] if after else key
        return {
            "key": [key], "previous": [int(previous)],
            "guide": [draw_reference(length, key, rng, valid, self.max_gap_frames)],
        }


@VIS_MAPPER_REGISTRY.register()
class OSMNMapper(VideoDatasetMapper):
    """Training clips are ("key", "previous", "guide"), the guide at most ``INPUT.VIDEO.REF_FRAME_RANGE`` frames away
    from the key; inference items are whole videos."""

    @classmethod
    def build_frame_sampler(cls, cfg: CfgNode) -> GuidePreviousSampler:
        """See ``GuidePreviousSampler``."""
        return GuidePreviousSampler(cfg.INPUT.VIDEO.REF_FRAME_RANGE)
