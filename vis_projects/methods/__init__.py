"""The methods; importing this package registers their models, heads, mappers, trackers and keys."""

from vis_projects.methods import crossvis, hitf, masktrack_rcnn

__all__ = ["crossvis", "hitf", "masktrack_rcnn"]
