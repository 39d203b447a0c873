"""``Registry`` (name to object) and ``locate`` (dotted path to object)."""

import pydoc

from fvcore.common.registry import Registry

__all__ = ["Registry", "locate"]


def locate(name: str):
    """Return the object at a dotted path such as "torch.nn.Linear"; ImportError when there is none."""
    found = pydoc.locate(name)
    if found is None:
        raise ImportError(f"no object at '{name}'; check the spelling and that its package is installed")
    return found
