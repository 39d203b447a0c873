"""The methods; importing this package registers their models, heads, mappers, trackers and keys."""

from vis_projects.methods import crossvis, deepsort, masktrack_rcnn, osmn, track_by_detection

__all__ = ["crossvis", "deepsort", "masktrack_rcnn", "osmn", "track_by_detection"]
