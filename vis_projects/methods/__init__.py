"""The methods; importing this package registers their models, heads, mappers, trackers and keys."""

from vis_projects.methods import (
    compfeat,
    condinst,
    crossvis,
    deepsort,
    hitf,
    masktrack_rcnn,
    osmn,
    stmask,
    track_by_detection,
)

__all__ = [
    "compfeat", "condinst", "crossvis", "deepsort", "hitf", "masktrack_rcnn", "osmn", "stmask", "track_by_detection",
]
