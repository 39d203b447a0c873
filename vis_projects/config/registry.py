"""Where a method leaves the function that adds its ``MODEL.<METHOD>`` keys.

The configuration room sits below the methods and cannot import them. A method therefore registers
its adder when it is imported (``import vis_projects`` imports them all), and ``add_vis_config``
runs whatever is registered by then.
"""

from typing import Callable

from detectron2.config import CfgNode

ConfigAdder = Callable[[CfgNode], None]

_ADDERS: dict[str, ConfigAdder] = {}


def register_method_config(section: str) -> Callable[[ConfigAdder], ConfigAdder]:
    """Decorator: registers ``adder(cfg)`` as the owner of ``cfg.MODEL.<section>``.

    Args:
        section: name of the node below ``MODEL``, in upper case, e.g. ``"MASKTRACK"``.

    Raises:
        ValueError: the section already has another owner.
    """

    def decorate(adder: ConfigAdder) -> ConfigAdder:
        owner = _ADDERS.setdefault(section, adder)
        if owner is not adder:
            raise ValueError(
                f"MODEL.{section} is already added by {owner.__module__}.{owner.__qualname__}; "
                f"{adder.__module__}.{adder.__qualname__} needs a section name of its own"
            )
        return adder

    return decorate


def add_method_configs(cfg: CfgNode) -> None:
    """Adds every registered section that ``cfg.MODEL`` does not have yet; others keep their values."""
    for section, adder in _ADDERS.items():
        if section not in cfg.MODEL:
            adder(cfg)
