"""Reads a config file and command-line overrides into a config, with errors that name the key and close ones."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from detectron2 import model_zoo as detectron2_zoo
from detectron2.config import CfgNode
from detectron2.utils.file_io import PathManager

from vis_projects import model_zoo
from vis_projects.config import get_vis_cfg
from vis_projects.engine.errors import ConfigError


def load_config(config_file: str = "", opts: Sequence[str] = ()) -> CfgNode:
    """Defaults, then the file, then the overrides.

    Args:
        config_file: path or URL of a yaml, or the name of one of the project's own or of Detectron2's configs; "" for
            none.
        opts: KEY VALUE KEY VALUE ..., values in yaml syntax.

    Returns:
        A config that is not frozen.

    Raises:
        ConfigError: no such file, broken yaml, unknown key, wrong type of a value, odd number of overrides.
    """
    cfg = get_vis_cfg()
    if config_file:
        _merge_file(cfg, find_config_file(config_file))
    _merge_overrides(cfg, list(opts))
    return cfg


def find_config_file(name: str) -> str:
    """The path itself where a file is, else the project's config of that name, else Detectron2's.

    Raises:
        ConfigError: none of them exists.
    """
    if PathManager.isfile(name):
        return name
    try:
        return model_zoo.get_config_file(name.removeprefix("configs/"))
    except FileNotFoundError as error:
        stock = _stock_config_file(name)
        if stock is not None:
            return stock
        raise ConfigError(f"--config-file: no file {name!r}, and {error}") from None


def _stock_config_file(name: str) -> str | None:
    """A config of Detectron2's own model zoo, such as "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml"."""
    try:
        return detectron2_zoo.get_config_file(name)
    except (ImportError, RuntimeError):  # the subset has no zoo; the zoo has no such file
        return None


def unknown_keys(cfg: CfgNode, content: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of the keys of `content` that `cfg` lacks."""
    unknown = []
    for key, value in content.items():
        if key not in cfg:
            unknown.append(prefix + str(key))
        elif isinstance(cfg[key], CfgNode) and isinstance(value, Mapping):
            unknown += unknown_keys(cfg[key], value, f"{prefix}{key}.")
    return unknown


def _merge_file(cfg: CfgNode, path: str) -> None:
    try:
        content = CfgNode.load_yaml_with_base(path, allow_unsafe=False)
    except (OSError, AssertionError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot read it or a _BASE_ of it ({_one_line(error)})") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not a yaml that may be loaded: {_one_line(error)}") from error
    wrong = unknown_keys(cfg, content)
    if wrong:
        raise ConfigError(f"{path} (or a _BASE_ of it): " + "; ".join(_unknown(cfg, key) for key in wrong))
    try:
        cfg.merge_from_file(path)
    except (AssertionError, KeyError, ValueError) as error:
        raise ConfigError(f"{path}: {_one_line(error)}") from error


def _merge_overrides(cfg: CfgNode, opts: list[str]) -> None:
    if len(opts) % 2:
        raise ConfigError(f"overrides come in pairs KEY VALUE; {opts[-1]!r} at the end of {opts} stands alone")
    for key, value in zip(opts[::2], opts[1::2]):
        if _lookup(cfg, key) is None:
            raise ConfigError("override: " + _unknown(cfg, key))
        try:
            cfg.merge_from_list([key, value])
        except (AssertionError, KeyError, ValueError) as error:
            raise ConfigError(f"override {key} {value!r}: {_one_line(error)}") from error


def _lookup(cfg: CfgNode, dotted: str) -> Any:
    node: Any = cfg
    for part in dotted.split("."):
        if not isinstance(node, CfgNode) or part not in node:
            return None
        node = node[part]
    return "" if node is None else node


def _unknown(cfg: CfgNode, key: str) -> str:
    names = list(_leaves(cfg))
    last = key.rpartition(".")[2]
    close = difflib.get_close_matches(key, names, n=3, cutoff=0.7)
    close += [name for name in names if name.rpartition(".")[2] == last and name not in close][:3]
    hint = f"; close ones: {', '.join(close[:3])}" if close else "; no key is close to it, see `vis_projects.config`"
    return f"unknown key {key}{hint}"


def _leaves(cfg: CfgNode, prefix: str = "") -> Iterator[str]:
    for key, value in cfg.items():
        if isinstance(value, CfgNode):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
