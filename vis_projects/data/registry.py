"""The registry of mappers and the way a config picks one."""

from collections.abc import Callable

from fvcore.common.registry import Registry

VIS_MAPPER_REGISTRY = Registry("VIS_MAPPER")
VIS_MAPPER_REGISTRY.__doc__ = """Classes `(cfg, is_train)` that turn a dataset dict into the input of a model."""


def build_vis_mapper(cfg, is_train: bool) -> Callable[[dict], dict]:
    """The mapper that `MODEL.VIS.MAPPER` names; `VideoDatasetMapper` where it is empty.

    Raises:
        KeyError: if no mapper of that name is registered.
    """
    name = cfg.MODEL.VIS.MAPPER or "VideoDatasetMapper"
    if name not in VIS_MAPPER_REGISTRY:
        known = sorted(key for key, _ in VIS_MAPPER_REGISTRY)
        raise KeyError(f"MODEL.VIS.MAPPER is {name!r}, registered are {known}; import the module that defines it first")
    return VIS_MAPPER_REGISTRY.get(name)(cfg, is_train)
