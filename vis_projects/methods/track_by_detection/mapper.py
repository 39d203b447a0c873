"""The mapper that trains an image detector on videos: one frame at a time."""

from collections.abc import Sequence

import numpy as np
from detectron2.config import CfgNode

from vis_projects.data.mapper import FrameSampler, VideoDatasetMapper
from vis_projects.data.registry import VIS_MAPPER_REGISTRY


@VIS_MAPPER_REGISTRY.register()
class SingleFrameMapper(VideoDatasetMapper):
    """Training clips are the key frame alone; inference items are whole videos."""

    @classmethod
    def build_frame_sampler(cls, cfg: CfgNode) -> FrameSampler:
        """See ``key_frame_alone``."""
        return key_frame_alone


def key_frame_alone(
    length: int, key: int, rng: np.random.Generator, valid: Sequence[int] | None = None
) -> dict[str, list[int]]:
    """A frame sampler (see ``vis_projects.data.frame_sampler``) that adds nothing to the key frame."""
    del length, rng, valid
    return {"key": [key]}
