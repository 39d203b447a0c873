"""The mapper of STMask: pairs of near frames in the order of time."""

from collections.abc import Sequence

import numpy as np
from detectron2.config import CfgNode

from vis_projects.data.frame_sampler import KeyReferenceSampler
from vis_projects.data.mapper import VideoDatasetMapper
from vis_projects.data.registry import VIS_MAPPER_REGISTRY


class OrderedPairSampler(KeyReferenceSampler):
    """The key frame and another one, sorted by time; see `frame_sampler` for the form."""

    def __call__(
        self, length: int, key: int, rng: np.random.Generator, valid: Sequence[int] | None = None
    ) -> dict[str, list[int]]:
        """`{"earlier": [a], "later": [b]}` with a <= b, one of them the key; both are it where no other is allowed."""
        pair = super().__call__(length, key, rng, valid)
        earlier, later = sorted(pair["key"] + pair["reference"])
        return {"earlier": [earlier], "later": [later]}


@VIS_MAPPER_REGISTRY.register()
class STMaskMapper(VideoDatasetMapper):
    """Training clips are ("earlier", "later"), at most ``INPUT.VIDEO.REF_FRAME_RANGE`` frames apart."""

    @classmethod
    def build_frame_sampler(cls, cfg: CfgNode) -> OrderedPairSampler:
        """See ``OrderedPairSampler``."""
        return OrderedPairSampler(cfg.INPUT.VIDEO.REF_FRAME_RANGE)
