"""Tests of `detectron2.modeling.backbone.build`."""

import pytest
from torch import nn

from detectron2.config import get_cfg
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY, Backbone, build_backbone


class Seen(Backbone):
    def __init__(self, cfg, input_shape):
        super().__init__()
        self.input_shape = input_shape

    def forward(self, x):
        return {}


@pytest.fixture
def registered():
    """Registers a callable under a name for the time of one test."""
    names = []

    def register(name, made):
        BACKBONE_REGISTRY._do_register(name, made)
        names.append(name)

    yield register
    for name in names:
        del BACKBONE_REGISTRY._obj_map[name]


def test_channels_come_from_the_pixel_mean(registered):
    registered("Seen", Seen)
    cfg = get_cfg()
    cfg.MODEL.BACKBONE.NAME = "Seen"
    cfg.MODEL.PIXEL_MEAN = [0.0, 0.0]
    assert build_backbone(cfg).input_shape == ShapeSpec(channels=2)
    assert build_backbone(cfg, ShapeSpec(channels=7)).input_shape.channels == 7


def test_unknown_names_and_other_modules_are_refused(registered):
    cfg = get_cfg()
    cfg.MODEL.BACKBONE.NAME = "NoSuchBackbone"
    with pytest.raises(KeyError):
        build_backbone(cfg)
    registered("Identity", lambda cfg, input_shape: nn.Identity())
    cfg.MODEL.BACKBONE.NAME = "Identity"
    with pytest.raises(AssertionError):
        build_backbone(cfg)
