"""Labels of other tools and data sets to YouTube-VIS and back.

Between all formats stands the YouTube-VIS dict: a reader takes a path and returns it, a writer takes it and a path.
What a source leaves open or a target cannot hold is collected in `ConvertNotes`.
"""

from vis_projects.data.convert.guess import guess_format
from vis_projects.data.convert.notes import ConvertNotes
from vis_projects.data.convert.options import ConvertOptions
from vis_projects.data.convert.registry import READERS, TARGETS

__all__ = ["READERS", "TARGETS", "ConvertNotes", "ConvertOptions", "guess_format"]
