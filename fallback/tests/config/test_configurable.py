"""@configurable: which calls go through from_config, and which arguments reach whom."""

import inspect

import pytest
from fvcore.common.config import CfgNode as FvcoreCfgNode

from detectron2.config import configurable, get_cfg


class Part:
    @configurable
    def __init__(self, a, b=2, *, c=3):
        """Documented."""
        self.values = (a, b, c)

    @classmethod
    def from_config(cls, cfg):
        return {"a": cfg.SEED, "b": 5}


class TakesMore:
    @configurable
    def __init__(self, a, b=0, **rest):
        self.values = (a, b, rest)

    @classmethod
    def from_config(cls, cfg, x, *, y=3):
        return {"a": x, "b": y}


class TakesAll:
    @configurable
    def __init__(self, **rest):
        self.values = rest

    @classmethod
    def from_config(cls, cfg, *args, **kwargs):
        return {"args": args, "kwargs": kwargs}


class Child(Part):
    @classmethod
    def from_config(cls, cfg):
        return {**super().from_config(cfg), "b": 77}


class Grandchild(Part):
    @configurable
    def __init__(self, d, **rest):
        super().__init__(**rest)
        self.d = d

    @classmethod
    def from_config(cls, cfg):
        return {**super().from_config(cfg), "d": 1}


@pytest.fixture
def cfg():
    cfg = get_cfg()
    cfg.SEED = 9
    return cfg


def test_explicit_arguments_bypass_from_config():
    assert Part(1).values == (1, 2, 3)
    assert Part(1, b=4, c=5).values == (1, 4, 5)


def test_cfg_by_position_or_by_name(cfg):
    assert Part(cfg).values == (9, 5, 3)
    assert Part(cfg=cfg).values == (9, 5, 3)
    assert Part(FvcoreCfgNode({"SEED": 4})).values == (4, 5, 3)


def test_other_keywords_override_the_result(cfg):
    assert Part(cfg, b=8, c=7).values == (9, 8, 7)
    assert Part(cfg, a=1).values == (1, 5, 3)


def test_wrong_arguments(cfg):
    for call in (lambda: Part(cfg, 9), lambda: Part(cfg, zz=1), Part, lambda: TakesMore(cfg)):
        with pytest.raises(TypeError):
            call()


def test_from_config_with_arguments(cfg):
    assert TakesMore(cfg, 4).values == (4, 3, {})
    assert TakesMore(cfg, x=4, y=6).values == (4, 6, {})
    assert TakesMore(cfg, 4, b=7, q=8).values == (4, 7, {"q": 8})
    assert TakesAll(cfg, 1, z=2).values == {"args": (1,), "kwargs": {"z": 2}}


def test_subclasses(cfg):
    assert Child(cfg).values == (9, 77, 3)
    grandchild = Grandchild(cfg)
    assert (grandchild.values, grandchild.d) == ((9, 5, 3), 1)


def test_class_without_a_proper_from_config(cfg):
    class Nothing:
        @configurable
        def __init__(self, a):
            self.a = a

    class NoClassmethod(Nothing):
        def from_config(self, cfg):
            return {"a": 1}

    class OtherName(Nothing):
        @classmethod
        def from_config(cls, settings):
            return {"a": 1}

    with pytest.raises(AttributeError):
        Nothing(1)
    with pytest.raises(TypeError):
        NoClassmethod(1)
    assert OtherName(1).a == 1
    with pytest.raises(TypeError):
        OtherName(cfg)


def test_wrong_use_of_the_decorator():
    def plain(a):
        return a

    with pytest.raises(AssertionError):
        configurable(plain)
    with pytest.raises(AssertionError):
        configurable(from_config=3)(plain)


def test_documentation_and_signature_stay():
    assert Part.__init__.__doc__ == "Documented."
    assert str(inspect.signature(Part)) == "(a, b=2, *, c=3)"


def test_function(cfg):
    def read(cfg):
        return {"a": cfg.SEED}

    @configurable(from_config=read)
    def build(a, b=2):
        return a, b

    assert build(1) == (1, 2)
    assert build(cfg) == (9, 2)
    assert build(cfg, b=4) == (9, 4)
    assert build.from_config is read
