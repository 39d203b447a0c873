"""vis_projects: online video instance segmentation for Detectron2.

Importing the package registers meta-architectures, mappers, trackers and the built-in splits, and nothing else:
no GPU, no compiled op, no network, nothing printed. The names below are the public API; those that pull in the
engine are imported on first use.
"""

import importlib

from vis_projects import data as _data  # registers the built-in splits and the mappers' base
from vis_projects import methods as _methods  # registers meta-archs, mappers, trackers and their config keys
from vis_projects.config import add_vis_config, get_vis_cfg
from vis_projects.data import check_dataset, register_ytvis, split_dataset
from vis_projects.structures import VideoResults

__version__ = "0.1.0"

_LAZY = {
    "VideoPredictor": "vis_projects.engine",
    "VISTrainer": "vis_projects.engine",
    "VideoVisualizer": "vis_projects.visualization",
    "YTVISEvaluator": "vis_projects.evaluation",
    "evaluate_json": "vis_projects.evaluation",
}
_LAZY_MODULES = ("model_zoo",)

__all__ = [
    "VISTrainer",
    "VideoPredictor",
    "VideoResults",
    "VideoVisualizer",
    "YTVISEvaluator",
    "add_vis_config",
    "check_dataset",
    "evaluate_json",
    "get_vis_cfg",
    "model_zoo",
    "register_ytvis",
    "split_dataset",
]


def __getattr__(name: str):
    if name in _LAZY_MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
