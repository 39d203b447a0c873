"""The defaults: how many, which types, and the values that plugins rely on."""

import hashlib

from detectron2.config import CfgNode, get_cfg


def _flat(node, prefix=""):
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_number_of_values():
    assert len(dict(_flat(get_cfg()))) == 192


def test_every_name_type_and_value():
    # SHA-256 of the sorted list of (key, type, value) of Detectron2 0.6.
    lines = "\n".join(f"{key} {type(value).__name__} {value!r}" for key, value in sorted(_flat(get_cfg())))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    assert digest == "8b631b9ef9a1f3ff2640780dbb53a03b68ed34137e2fc551401f65c5c9a54223"


def test_values_that_plugins_override_keep_their_types():
    cfg = get_cfg()
    assert cfg.VERSION == 2
    assert cfg.MODEL.META_ARCHITECTURE == "GeneralizedRCNN"
    assert cfg.MODEL.PIXEL_MEAN == [103.53, 116.28, 123.675]
    assert cfg.DATASETS.TRAIN == () and cfg.SOLVER.STEPS == (30000,)
    assert cfg.MODEL.ANCHOR_GENERATOR.SIZES == [[32, 64, 128, 256, 512]]
    assert cfg.SOLVER.WEIGHT_DECAY_BIAS is None
    assert isinstance(cfg.MODEL.FPN, CfgNode)


def test_copies_are_independent():
    one, two = get_cfg(), get_cfg()
    one.SOLVER.BASE_LR = 1.0
    one.MODEL.FPN.IN_FEATURES.append("res5")
    assert two.SOLVER.BASE_LR == 0.001
    assert get_cfg().MODEL.FPN.IN_FEATURES == []
