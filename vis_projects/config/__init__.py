"""Configuration keys that all methods share, and the way a method adds its own."""

from vis_projects.config.defaults import add_vis_config, get_vis_cfg
from vis_projects.config.registry import register_method_config

__all__ = ["add_vis_config", "get_vis_cfg", "register_method_config"]
