"""Finds the yaml files that come with the project and reads them into a config."""

import difflib
from pathlib import Path

from detectron2.config import CfgNode

from vis_projects.config import get_vis_cfg

_PACKAGE = Path(__file__).resolve().parent
# an installed package carries the yaml files beside this module; in a checkout they stand at the top level
_CANDIDATES = (_PACKAGE / "configs", _PACKAGE.parent.parent / "configs")


def _config_root() -> Path:
    for folder in _CANDIDATES:
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no configs folder at {' or '.join(map(str, _CANDIDATES))}: reinstall vis_projects")


def list_configs() -> list[str]:
    """Names that `get_config` takes, such as "masktrack_rcnn/masktrack_rcnn_R_50_FPN_1x_ytvis2019.yaml"."""
    root = _config_root()
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.yaml"))


def get_config_file(name: str) -> str:
    """Path of a config by its name relative to configs/.

    Raises:
        FileNotFoundError: naming the closest configs when there is none of that name.
    """
    path = _config_root() / name
    if not path.is_file():
        close = difflib.get_close_matches(name, list_configs(), n=3, cutoff=0.4) or list_configs()[:3]
        raise FileNotFoundError(f"no config {name!r} in the model zoo; close ones: {', '.join(close)}")
    return str(path)


def get_config(name: str) -> CfgNode:
    """The config of that name, merged over the defaults of `get_vis_cfg`."""
    cfg = get_vis_cfg()
    cfg.merge_from_file(get_config_file(name))
    return cfg
