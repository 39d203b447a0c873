"""Registry and locate."""

import collections

import pytest

from detectron2.utils.registry import Registry, locate


def test_registry():
    registry = Registry("PARTS")

    @registry.register()
    class Part:
        pass

    assert registry.get("Part") is Part and "Part" in registry
    with pytest.raises(KeyError):
        registry.get("Other")
    with pytest.raises(AssertionError):
        registry.register(Part)


def test_locate():
    assert locate("collections.OrderedDict") is collections.OrderedDict
    for name in ("no_such_package.thing", "collections.NoSuchThing"):
        with pytest.raises(ImportError):
            locate(name)
