"""vis_projects: online video instance segmentation for Detectron2."""

__version__ = "0.1.0"
