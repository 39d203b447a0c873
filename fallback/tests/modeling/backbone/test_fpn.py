"""Tests of `detectron2.modeling.backbone.fpn`."""

import pytest
import torch
from torch import nn

from detectron2.layers import ShapeSpec
from detectron2.modeling import FPN, Backbone, build_backbone
from detectron2.modeling.backbone.fpn import LastLevelMaxPool, LastLevelP6P7


class Pyramid(Backbone):
    """Constant features a (stride 4), b (8) and c (16), the last one skipping to 64 as d."""

    def __init__(self):
        super().__init__()
        self._out_features = ["a", "b", "c", "d"]
        self._out_feature_channels = {"a": 1, "b": 2, "c": 3, "d": 4}
        self._out_feature_strides = {"a": 4, "b": 8, "c": 16, "d": 64}

    def forward(self, x):
        height, width = x.shape[-2:]
        return {name: torch.ones(len(x), self._out_feature_channels[name], height // s, width // s)
                for name, s in self._out_feature_strides.items()}


def make_identity(conv):
    """All weights 0 except the middle, 1 from every input channel: sums channels."""
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[..., conv.kernel_size[0] // 2, conv.kernel_size[0] // 2] = 1
        conv.bias.zero_()


@pytest.mark.parametrize("fuse, expected", [("sum", {"p2": 1 + 2 + 3, "p3": 2 + 3, "p4": 3}),
                                            ("avg", {"p2": (1 + (2 + 3) / 2) / 2, "p3": (2 + 3) / 2, "p4": 3})])
def test_top_down_sums_by_hand(fuse, expected):
    fpn = FPN(Pyramid(), ["a", "b", "c"], 1, fuse_type=fuse)
    for conv in fpn.lateral_convs + fpn.output_convs:
        make_identity(conv)
    out = fpn(torch.zeros(2, 3, 32, 64))
    assert {name: level.unique().tolist() for name, level in out.items()} == {k: [v] for k, v in expected.items()}
    assert out["p2"].shape == (2, 1, 8, 16) and list(out) == ["p2", "p3", "p4"]


def test_names_of_the_state_and_shapes():
    fpn = FPN(Pyramid(), ["b", "c"], 5, top_block=LastLevelP6P7(3, 5, in_feature="c"))
    assert list(fpn.state_dict()) == [f"{name}.{kind}" for name in (
        "fpn_lateral3", "fpn_output3", "fpn_lateral4", "fpn_output4", "top_block.p6", "top_block.p7")
        for kind in ("weight", "bias")]
    assert {k: s.stride for k, s in fpn.output_shape().items()} == {"p3": 8, "p4": 16, "p5": 32, "p6": 64}
    assert fpn.output_shape()["p6"] == ShapeSpec(channels=5, stride=64)
    assert fpn.size_divisibility == 16 and fpn.padding_constraints == {"square_size": 0}


def test_norm_replaces_the_bias():
    fpn = FPN(Pyramid(), ["a"], 32, norm="GN", square_pad=512)
    assert list(fpn.state_dict())[:3] == ["fpn_lateral2.weight", "fpn_lateral2.norm.weight", "fpn_lateral2.norm.bias"]
    assert fpn.padding_constraints == {"square_size": 512}


def test_top_blocks_by_hand():
    pooled = LastLevelMaxPool()(torch.arange(16.0).reshape(1, 1, 4, 4))
    assert len(pooled) == 1 and pooled[0].tolist() == [[[[0.0, 2.0], [8.0, 10.0]]]]
    block = LastLevelP6P7(2, 3, in_feature="p5")
    p6, p7 = block(torch.rand(1, 2, 8, 8))
    assert p6.shape == (1, 3, 4, 4) and p7.shape == (1, 3, 2, 2)
    assert torch.equal(p7, block.p7(p6.relu())) and (block.num_levels, block.in_feature) == (2, "p5")


def test_top_block_may_read_a_level():
    fpn = FPN(Pyramid(), ["b", "c"], 5, top_block=LastLevelP6P7(5, 5, in_feature="p4"))
    out = fpn(torch.zeros(1, 3, 64, 64))
    assert torch.equal(out["p5"], fpn.top_block.p6(out["p4"]))


@pytest.mark.parametrize("change", [{"in_features": []}, {"in_features": ["b", "d"]}, {"fuse_type": "max"},
                                    {"bottom_up": nn.Identity()}])
def test_bad_arguments_are_refused(change):
    with pytest.raises(AssertionError):
        FPN(**{"bottom_up": Pyramid(), "in_features": ["a", "b"], "out_channels": 4, **change})


def test_builders(cfg):
    fpn = build_backbone(cfg)
    assert [(k, s.channels, s.stride) for k, s in fpn.output_shape().items()] == [
        (f"p{i}", 32, 2**i) for i in range(2, 7)]
    assert [name for name, _ in fpn.named_children()][-2:] == ["top_block", "bottom_up"]
    cfg.MODEL.BACKBONE.NAME = "build_retinanet_resnet_fpn_backbone"
    cfg.MODEL.FPN.IN_FEATURES = ["res3", "res4", "res5"]
    assert list(build_backbone(cfg).output_shape()) == ["p3", "p4", "p5", "p6", "p7"]
