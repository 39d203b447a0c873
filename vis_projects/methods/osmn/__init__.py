"""OSMN: masks propagated by network modulation, and the tracker that matches by them."""

from vis_projects.methods.osmn.config import add_osmn_config
from vis_projects.methods.osmn.mapper import GuidePreviousSampler, OSMNMapper
from vis_projects.methods.osmn.meta_arch import OSMN
from vis_projects.methods.osmn.propagator import MaskPropagator
from vis_projects.methods.osmn.tracker import OSMNTracker

__all__ = ["OSMN", "GuidePreviousSampler", "MaskPropagator", "OSMNMapper", "OSMNTracker", "add_osmn_config"]
