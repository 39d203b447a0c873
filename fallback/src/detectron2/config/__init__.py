"""Configuration: the yacs tree with Detectron2's keys, and the decorator that builds classes from it."""

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.config.config import CfgNode, configurable, get_cfg, global_cfg, set_global_cfg

__all__ = ["CfgNode", "configurable", "get_cfg", "global_cfg", "set_global_cfg"]

__getattr__ = placeholder_getattr(
    __name__, ("LazyCall", "LazyConfig", "downgrade_config", "instantiate", "upgrade_config")
)
