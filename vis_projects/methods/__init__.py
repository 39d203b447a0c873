"""The methods; importing this package registers their models, heads, mappers, trackers and keys."""

from vis_projects.methods import condinst, crossvis, hitf, masktrack_rcnn

__all__ = ["condinst", "crossvis", "hitf", "masktrack_rcnn"]
