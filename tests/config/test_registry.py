"""A method registers the owner of its config section once."""

import pytest
from detectron2.config import CfgNode, get_cfg

from vis_projects.config import registry


@pytest.fixture
def no_adders(monkeypatch):
    monkeypatch.setattr(registry, "_ADDERS", {})


def add_toy(cfg):
    cfg.MODEL.TOY = CfgNode({"WIDTH": 3})


def test_without_methods_nothing_is_added(no_adders):
    cfg = get_cfg()
    before = cfg.dump()
    registry.add_method_configs(cfg)
    assert cfg.dump() == before


def test_registered_section_is_added_and_kept_as_the_user_left_it(no_adders):
    registry.register_method_config("TOY")(add_toy)
    cfg = get_cfg()
    registry.add_method_configs(cfg)
    assert cfg.MODEL.TOY.WIDTH == 3
    cfg.MODEL.TOY.WIDTH = 5
    registry.add_method_configs(cfg)
    assert cfg.MODEL.TOY.WIDTH == 5


def test_same_owner_may_register_twice_another_one_may_not(no_adders):
    registry.register_method_config("TOY")(add_toy)
    registry.register_method_config("TOY")(add_toy)
    with pytest.raises(ValueError, match="MODEL.TOY is already added by .*add_toy"):
        registry.register_method_config("TOY")(lambda cfg: None)
