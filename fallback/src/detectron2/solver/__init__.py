"""Optimizers and learning rate schedules from a config."""

from detectron2._impl.placeholders import placeholder_getattr

from .build import build_lr_scheduler, build_optimizer, get_default_optimizer_params
from .lr_scheduler import LRMultiplier, LRScheduler, WarmupParamScheduler

__getattr__ = placeholder_getattr(__name__, ("WarmupCosineLR", "WarmupMultiStepLR"))

__all__ = [
    "LRMultiplier",
    "LRScheduler",
    "WarmupParamScheduler",
    "build_lr_scheduler",
    "build_optimizer",
    "get_default_optimizer_params",
]
