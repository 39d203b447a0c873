"""CondInst on images: Tian et al., Conditional Convolutions for Instance Segmentation, ECCV 2020."""

from vis_projects.methods.condinst.meta_arch import CondInst

__all__ = ["CondInst"]
