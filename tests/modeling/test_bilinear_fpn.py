"""Yolact's FPN: sizes, bilinear sums, ReLU where it belongs."""

import pytest
import torch
from detectron2.layers import ShapeSpec
from torch.nn import functional as F

from vis_projects.modeling.bilinear_fpn import BilinearFPN


class Bottom(torch.nn.Module):
    strides = {"res3": 8, "res4": 16, "res5": 32}

    def output_shape(self):
        return {name: ShapeSpec(channels=stride // 4, stride=stride) for name, stride in self.strides.items()}

    def forward(self, x):
        return {name: F.avg_pool2d(x[:, :1], stride).expand(-1, stride // 4, -1, -1)
                for name, stride in self.strides.items()}


def fpn(**options):
    torch.manual_seed(0)
    return BilinearFPN(Bottom(), ["res3", "res4", "res5"], 4, **options)


def test_levels_of_the_published_input():
    model = fpn()
    shapes = {name: tuple(value.shape) for name, value in model(torch.randn(1, 3, 384, 640)).items()}
    assert shapes == {"p3": (1, 4, 48, 80), "p4": (1, 4, 24, 40), "p5": (1, 4, 12, 20), "p6": (1, 4, 6, 10),
                      "p7": (1, 4, 3, 5)}
    assert {name: (spec.channels, spec.stride) for name, spec in model.output_shape().items()} == {
        "p3": (4, 8), "p4": (4, 16), "p5": (4, 32), "p6": (4, 64), "p7": (4, 128)}
    assert model.size_divisibility == 32


def test_the_top_down_path_is_bilinear_and_only_lateral_levels_have_a_relu():
    model = fpn()
    image = torch.randn(2, 3, 64, 96)
    below = model.bottom_up(image)
    top = model.fpn_lateral5(below["res5"])
    middle = model.fpn_lateral4(below["res4"]) + F.interpolate(top, size=(4, 6), mode="bilinear", align_corners=False)
    levels = model(image)
    assert torch.allclose(levels["p4"], F.relu(model.fpn_output4(middle)), atol=1e-6)
    assert torch.allclose(levels["p6"], model.fpn_top6(levels["p5"]), atol=1e-6)
    assert all((levels[name] >= 0).all() for name in ("p3", "p4", "p5"))
    assert (levels["p6"] < 0).any() and (levels["p7"] < 0).any()


def test_a_norm_takes_the_place_of_the_bias():
    assert fpn().fpn_lateral3.bias is not None and fpn(norm="BN").fpn_lateral3.bias is None
    assert list(fpn(num_top=0).output_shape()) == ["p3", "p4", "p5"]


def test_strides_that_do_not_double_are_refused():
    with pytest.raises(ValueError, match=r"MODEL\.FPN\.IN_FEATURES.*\[8, 32\]; each has to double"):
        BilinearFPN(Bottom(), ["res3", "res5"], 4)
