"""Tests of `detectron2.modeling.backbone.backbone`."""

import pytest
import torch

from detectron2.layers import ShapeSpec
from detectron2.modeling import Backbone


class Halver(Backbone):
    def __init__(self):
        super().__init__()
        self._out_features = ["half"]
        self._out_feature_channels = {"half": 3, "unused": 9}
        self._out_feature_strides = {"half": 2, "unused": 4}

    def forward(self, x):
        return {"half": x[..., ::2, ::2]}


def test_the_interface_cannot_be_built():
    with pytest.raises(TypeError):
        Backbone()


def test_defaults_of_a_subclass():
    backbone = Halver()
    assert backbone.size_divisibility == 0 and backbone.padding_constraints == {}
    assert backbone.output_shape() == {"half": ShapeSpec(channels=3, stride=2)}
    assert backbone(torch.zeros(1, 3, 4, 4))["half"].shape == (1, 3, 2, 2)
