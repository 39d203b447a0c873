"""The methods; importing this package registers their models, heads, mappers, trackers and keys."""

from vis_projects.methods import masktrack_rcnn

__all__ = ["masktrack_rcnn"]
