"""CrossVIS: Crossover Learning for Fast Online Video Instance Segmentation, and its baseline CondInst-VIS."""

from vis_projects.methods.crossvis.config import add_crossvis_config
from vis_projects.methods.crossvis.heads import EmbeddingFCOSHead, IdentityClassifier
from vis_projects.methods.crossvis.mapper import CrossVISMapper
from vis_projects.methods.crossvis.meta_arch import CondInstVIS, CrossVIS
from vis_projects.methods.crossvis.tracker import CrossVISTracker

__all__ = [
    "CondInstVIS", "CrossVIS", "CrossVISMapper", "CrossVISTracker", "EmbeddingFCOSHead", "IdentityClassifier",
    "add_crossvis_config",
]
