"""The mapper of CompFeat: the current frame, its support frames and a reference frame."""

from detectron2.config import CfgNode

from vis_projects.data.frame_sampler import KeyReferenceSampler
from vis_projects.data.mapper import FrameSampler, VideoDatasetMapper
from vis_projects.data.registry import VIS_MAPPER_REGISTRY
from vis_projects.data.support_sampler import KeySupportSampler


@VIS_MAPPER_REGISTRY.register()
class CompFeatMapper(VideoDatasetMapper):
    """Training clips are ("key", "support" x ``INPUT.VIDEO.NUM_SUPPORT_FRAMES``, "reference"); of a still image the
    key is the image itself and every other frame a random affine view of it."""

    @classmethod
    def build_frame_sampler(cls, cfg: CfgNode) -> FrameSampler:
        """See ``KeySupportSampler``; without support frames, which only the baseline can do without, pairs."""
        video = cfg.INPUT.VIDEO
        if video.NUM_SUPPORT_FRAMES == 0:
            return KeyReferenceSampler(video.REF_FRAME_RANGE)
        return KeySupportSampler(
            video.NUM_SUPPORT_FRAMES, video.SUPPORT_SAMPLING, with_reference=True, max_gap_frames=video.REF_FRAME_RANGE
        )
