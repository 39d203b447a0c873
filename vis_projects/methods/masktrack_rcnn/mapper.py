"""The mapper of MaskTrack R-CNN: pairs of a key and a reference frame."""

from detectron2.config import CfgNode

from vis_projects.data.frame_sampler import KeyReferenceSampler
from vis_projects.data.mapper import VideoDatasetMapper
from vis_projects.data.registry import VIS_MAPPER_REGISTRY


@VIS_MAPPER_REGISTRY.register()
class MaskTrackRCNNMapper(VideoDatasetMapper):
    """Training clips are ("key", "reference"), the reference at most ``INPUT.VIDEO.REF_FRAME_RANGE``
    frames away from the key; inference items are whole videos."""

    @classmethod
    def build_frame_sampler(cls, cfg: CfgNode) -> KeyReferenceSampler:
        """See ``KeyReferenceSampler``."""
        return KeyReferenceSampler(cfg.INPUT.VIDEO.REF_FRAME_RANGE)
