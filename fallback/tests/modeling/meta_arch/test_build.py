"""Tests of `detectron2.modeling.meta_arch.build`."""

import pytest
from torch import nn

from detectron2.modeling import META_ARCH_REGISTRY, GeneralizedRCNN, build_model


def test_unknown_names_are_refused(cfg):
    cfg.MODEL.META_ARCHITECTURE = "NoSuchModel"
    with pytest.raises(KeyError):
        build_model(cfg)


def test_the_model_moves_to_the_device(cfg):
    class Holder(nn.Module):
        def __init__(self, cfg):
            super().__init__()
            self.layer = nn.Linear(1, 1)

    META_ARCH_REGISTRY._do_register("Holder", Holder)
    try:
        cfg.MODEL.META_ARCHITECTURE = "Holder"
        cfg.MODEL.DEVICE = "meta"
        assert build_model(cfg).layer.weight.device.type == "meta"
    finally:
        del META_ARCH_REGISTRY._obj_map["Holder"]


def test_default_architecture(cfg):
    model = build_model(cfg)
    assert type(model) is GeneralizedRCNN and model.training
