import math

import pytest
import torch

from vis_projects.modeling.fcos import FCOSHead


def head(**options) -> FCOSHead:
    torch.manual_seed(0)
    return FCOSHead(**{"in_channels": 32, "num_classes": 3, "num_levels": 2, **options})


def test_shapes_and_signs():
    out = head()([torch.randn(2, 32, 4, 6), torch.randn(2, 32, 2, 3)])
    assert [tuple(level.shape) for level in out.logits] == [(2, 3, 4, 6), (2, 3, 2, 3)]
    assert [tuple(level.shape) for level in out.ltrb] == [(2, 4, 4, 6), (2, 4, 2, 3)]
    assert [tuple(level.shape) for level in out.centerness] == [(2, 1, 4, 6), (2, 1, 2, 3)]
    assert all((level >= 0).all() for level in out.ltrb)
    assert out.cls_tower[0].shape == out.box_tower[0].shape == (2, 32, 4, 6)


def test_every_class_starts_at_the_prior():
    out = head()([torch.zeros(1, 32, 4, 4), torch.zeros(1, 32, 2, 2)])
    # the towers of a zero input give zeros after group norm (bias 0), so the bias alone is seen: 1 / (1 + 99)
    assert torch.allclose(out.logits[0].sigmoid(), torch.tensor(0.01), atol=1e-6)
    assert head().cls_logits.bias[0].item() == pytest.approx(-math.log(99))


def test_parameter_names_are_those_of_published_checkpoints():
    names = set(head().state_dict())
    expected = {f"{tower}_tower.{k}.{p}" for tower in ("cls", "bbox") for k in (0, 1, 3, 4, 6, 7, 9, 10)
                for p in ("weight", "bias")}
    expected |= {f"{layer}.{p}" for layer in ("cls_logits", "bbox_pred", "ctrness") for p in ("weight", "bias")}
    assert names == expected | {"scales.0.scale", "scales.1.scale"}


def test_levels_share_all_but_a_factor():
    shared, feature = head(), torch.randn(1, 32, 4, 4)
    with torch.no_grad():
        shared.scales[1].scale.fill_(2.0)
    out = shared([feature, feature])
    assert torch.equal(out.logits[0], out.logits[1])
    assert torch.allclose(out.ltrb[1], 2 * out.ltrb[0])


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="33 channels"):
        head(in_channels=33)
    with pytest.raises(ValueError, match="built for 2 levels and got 1"):
        head()([torch.zeros(1, 32, 4, 4)])
