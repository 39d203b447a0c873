"""The methods; importing this package registers their models, heads, mappers, trackers and keys."""

from vis_projects.methods import crossvis, masktrack_rcnn, stmask

__all__ = ["crossvis", "masktrack_rcnn", "stmask"]
