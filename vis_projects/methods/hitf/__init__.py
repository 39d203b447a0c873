"""HITF: instance codes with temporal fusion (Hybrid Instance-Aware Temporal Fusion for Online VIS, AAAI 2022)."""

from vis_projects.methods.hitf.config import add_hitf_config
from vis_projects.methods.hitf.encoder import HybridEncoder, build_hybrid_encoder
from vis_projects.methods.hitf.mapper import HITFMapper
from vis_projects.methods.hitf.meta_arch import HITF, HITFState
from vis_projects.methods.hitf.tracker import HITFTracker

__all__ = ["HITF", "HITFMapper", "HITFState", "HITFTracker", "HybridEncoder", "add_hitf_config", "build_hybrid_encoder"]
