"""Plain data that rooms hand to each other: clips of frames, tracks and the results of a video."""

from vis_projects.structures.clip import Clip
from vis_projects.structures.results_builder import VideoResultsBuilder
from vis_projects.structures.track import Track
from vis_projects.structures.video_results import VideoResults

__all__ = ["Clip", "Track", "VideoResults", "VideoResultsBuilder"]
