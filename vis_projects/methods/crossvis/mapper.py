"""The mapper of CrossVIS: pairs of two fully annotated frames."""

from vis_projects.data.mapper import VideoDatasetMapper
from vis_projects.data.registry import VIS_MAPPER_REGISTRY


@VIS_MAPPER_REGISTRY.register()
class CrossVISMapper(VideoDatasetMapper):
    """Training clips are ("key", "reference") at most ``INPUT.VIDEO.REF_FRAME_RANGE`` frames apart, the sample interval
    T of Table 6; of a video with one annotated frame that frame is taken twice."""
