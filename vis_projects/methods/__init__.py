"""The methods; importing this package registers their models, heads, mappers, trackers and keys."""

from vis_projects.methods import compfeat, condinst, crossvis, hitf, masktrack_rcnn, stmask

__all__ = ["compfeat", "condinst", "crossvis", "hitf", "masktrack_rcnn", "stmask"]
