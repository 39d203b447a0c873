"""The methods; importing this package registers their models, heads, mappers, trackers and keys."""

from vis_projects.methods import condinst, crossvis, masktrack_rcnn, stmask

__all__ = ["condinst", "crossvis", "masktrack_rcnn", "stmask"]
