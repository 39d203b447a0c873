"""The methods; importing this package registers their models, heads, mappers, trackers and keys."""

from vis_projects.methods import compfeat, crossvis, masktrack_rcnn

__all__ = ["compfeat", "crossvis", "masktrack_rcnn"]
