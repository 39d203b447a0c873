"""``CfgNode``, the global configuration, and ``configurable``."""

import functools
import inspect
import logging
import sys

from fvcore.common.config import CfgNode as _FvcoreCfgNode

from detectron2.utils.file_io import PathManager

LATEST_VERSION = 2


class CfgNode(_FvcoreCfgNode):
    """A tree of settings with fixed keys and types; files may name a base with ``_BASE_`` (a path or a list).

    Keys that start with ``COMPUTED_`` can be assigned once. Errors are those of yacs: an unknown key in a file is a
    KeyError, in a list of overrides an AssertionError; a value of another type is a ValueError.
    """

    @classmethod
    def _open_cfg(cls, filename):
        return PathManager.open(filename, "r")

    def merge_from_file(self, cfg_filename: str, allow_unsafe: bool = True) -> None:
        """Set the values that a yaml file names.

        Args:
            cfg_filename: path or URL that our PathManager can open.
            allow_unsafe: load files with Python tags through ``yaml.unsafe_load`` (a warning is logged).

        Raises:
            AssertionError: the file is missing, its VERSION is newer than ours, or self.VERSION is not the latest.
            ValueError: the file is written for VERSION 1, which the subset does not convert.
        """
        assert PathManager.isfile(cfg_filename), f"Config file '{cfg_filename}' does not exist!"
        values = type(self)(self.load_yaml_with_base(cfg_filename, allow_unsafe=allow_unsafe))
        assert self.VERSION == LATEST_VERSION, (
            f"merge_from_file needs a config of VERSION {LATEST_VERSION}, this one has {self.VERSION}"
        )
        version = _file_version(values, cfg_filename)
        assert version <= self.VERSION, (
            f"'{cfg_filename}' has VERSION {version}, newer than {self.VERSION}, the newest that is known here"
        )
        if version < self.VERSION:
            raise ValueError(
                f"'{cfg_filename}' uses the keys of VERSION {version}; rename them to those of VERSION {self.VERSION} "
                "(MODEL.WEIGHT is MODEL.WEIGHTS, TEST.AUG_ON is TEST.AUG.ENABLED) or convert it with the real package"
            )
        self.merge_from_other_cfg(values)

    def dump(self, *args, **kwargs):
        """Return the tree as yaml; the arguments are those of ``yaml.dump``."""
        return super().dump(*args, **kwargs)


global_cfg = CfgNode()


def get_cfg() -> CfgNode:
    """Return a fresh copy of the defaults."""
    from detectron2.config.defaults import _C

    return _C.clone()


def set_global_cfg(cfg: CfgNode) -> None:
    """Make ``global_cfg`` hold the same keys as ``cfg``; for code that cannot receive a cfg in another way."""
    global_cfg.clear()
    global_cfg.update(cfg)


def configurable(init_func=None, *, from_config=None):
    """Let a constructor or a function be called with explicit arguments or with a cfg.

    On ``__init__`` the class (or a subclass) must offer a classmethod ``from_config(cls, cfg, ...)`` that returns the
    arguments of ``__init__`` as a dict. On a function use ``@configurable(from_config=f)``. A call counts as a call
    with a cfg when its first positional argument, or the argument named ``cfg``, is a CfgNode (or a DictConfig).
    Arguments that ``from_config`` names are passed to it; further keyword arguments override what it returns.

    Raises:
        AssertionError: wrong use of the decorator.
        AttributeError: at the call, when the class has no ``from_config``.
        TypeError: at the call, when ``from_config`` is no classmethod or its first parameter is not ``cfg``.
    """
    if init_func is not None:
        proper = inspect.isfunction(init_func) and init_func.__name__ == "__init__" and from_config is None
        assert proper, "@configurable without from_config decorates __init__ only"
        return _configurable_init(init_func)
    if from_config is None:
        return configurable
    assert inspect.isfunction(from_config), f"from_config must be a function, got {type(from_config).__name__}"
    return functools.partial(_configurable_function, from_config)


def _configurable_init(init_func):
    @functools.wraps(init_func)
    def construct(self, *args, **kwargs):
        from_config = getattr(type(self), "from_config", None)
        name = type(self).__name__
        if from_config is None:
            raise AttributeError(f"{name}.__init__ is @configurable, so {name} needs a classmethod from_config")
        if not inspect.ismethod(from_config):
            raise TypeError(f"{name}.from_config must be a classmethod")
        if _is_cfg_call(args, kwargs):
            args, kwargs = (), _arguments_from_cfg(from_config, args, kwargs)
        init_func(self, *args, **kwargs)

    return construct


def _configurable_function(from_config, func):
    @functools.wraps(func)
    def call(*args, **kwargs):
        if _is_cfg_call(args, kwargs):
            args, kwargs = (), _arguments_from_cfg(from_config, args, kwargs)
        return func(*args, **kwargs)

    call.from_config = from_config
    return call


def _arguments_from_cfg(from_config, args, kwargs):
    """Return the explicit arguments that a call with a cfg stands for."""
    parameters = inspect.signature(from_config).parameters
    if next(iter(parameters), None) != "cfg":
        raise TypeError(f"the first parameter of {from_config.__qualname__} must be named 'cfg'")
    kinds = {parameter.kind for parameter in parameters.values()}
    if kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        return from_config(*args, **kwargs)
    passed_on = {name: value for name, value in kwargs.items() if name in parameters}
    arguments = from_config(*args, **passed_on)
    arguments.update((name, value) for name, value in kwargs.items() if name not in passed_on)
    return arguments


def _is_cfg_call(args, kwargs) -> bool:
    candidate = args[0] if args else kwargs.get("cfg")
    kinds = (_FvcoreCfgNode,)
    # omegaconf is never imported here: an argument of its type can only exist when somebody else did.
    omegaconf = sys.modules.get("omegaconf")
    if omegaconf is not None:
        kinds += (omegaconf.DictConfig,)
    return isinstance(candidate, kinds) or isinstance(kwargs.get("cfg"), kinds)


def _file_version(values: CfgNode, filename: str) -> int:
    """Return VERSION of a loaded file; a file without it is of VERSION 1 when it uses a key that only that had."""
    version = values.get("VERSION")
    if version is not None:
        return version
    old = "WEIGHT" in values.get("MODEL", {}) or "AUG_ON" in values.get("TEST", {})
    version = 1 if old else LATEST_VERSION
    logging.getLogger(__name__).warning("'%s' has no VERSION; taken to be of VERSION %d.", filename, version)
    return version
