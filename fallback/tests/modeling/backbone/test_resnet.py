"""Tests of `detectron2.modeling.backbone.resnet`."""

import pytest
import torch
from torch import nn

from detectron2.config import get_cfg
from detectron2.layers import FrozenBatchNorm2d, ShapeSpec
from detectron2.modeling import build_backbone, make_stage
from detectron2.modeling.backbone import BasicStem, BottleneckBlock, ResNet
from detectron2.modeling.backbone.resnet import BasicBlock, DeformBottleneckBlock


def tiny(**kwargs):
    stages = [make_stage(BasicBlock, 1, in_channels=4, out_channels=4, norm=""),
              make_stage(BasicBlock, 1, in_channels=4, out_channels=8, norm="", stride_per_block=[2])]
    return ResNet(BasicStem(3, 4, norm=""), stages, **kwargs)


def test_empty_batch():
    assert tiny()(torch.zeros(0, 3, 32, 32))["res3"].shape == (0, 8, 4, 4)


def test_shapes_and_names():
    net = tiny(out_features=["stem", "res3"])
    out = net(torch.zeros(2, 3, 64, 32))
    assert {name: tuple(f.shape) for name, f in out.items()} == {"stem": (2, 4, 16, 8), "res3": (2, 8, 8, 4)}
    assert net.output_shape() == {"stem": ShapeSpec(channels=4, stride=4), "res3": ShapeSpec(channels=8, stride=8)}


def test_stages_after_the_last_wanted_one_are_not_built():
    net = tiny(out_features=["res2"])
    assert [name for name, _ in net.named_children()] == ["stem", "res2"]


def test_classifier():
    net = tiny(num_classes=5)
    assert net(torch.zeros(2, 3, 32, 32))["linear"].shape == (2, 5)
    assert net.linear.weight.std().item() < 0.03


@pytest.mark.parametrize("call", [lambda: tiny(out_features=["res9"]), lambda: tiny()(torch.zeros(3, 32, 32)),
                                  lambda: ResNet(BasicStem(3, 4), [[]]),
                                  lambda: ResNet(BasicStem(3, 4), [[nn.Conv2d(4, 4, 1)]])])
def test_bad_calls_are_refused(call):
    with pytest.raises(AssertionError):
        call()


def test_freezing_goes_from_the_stem_up():
    net = ResNet(BasicStem(3, 4), [make_stage(BasicBlock, 1, in_channels=4, out_channels=4) for _ in range(3)])
    assert net.freeze(2) is net
    trainable = {name.split(".")[0] for name, p in net.named_parameters() if p.requires_grad}
    assert trainable == {"res3", "res4"}
    assert isinstance(net.stem.conv1.norm, FrozenBatchNorm2d) and isinstance(net.res2[0].conv2.norm, FrozenBatchNorm2d)
    assert isinstance(net.res3[0].conv1.norm, nn.BatchNorm2d)


def test_make_stage_spreads_values_over_blocks():
    blocks = make_stage(BottleneckBlock, 2, in_channels=8, out_channels=16, bottleneck_channels=4,
                        stride_per_block=[2, 1], dilation_per_block=[1, 2], norm="")
    assert [(b.in_channels, b.out_channels, b.stride, b.conv2.dilation) for b in blocks] == [
        (8, 16, 2, (1, 1)), (16, 16, 1, (2, 2))]
    with pytest.raises(AssertionError):
        make_stage(BasicBlock, 2, in_channels=8, out_channels=8, stride_per_block=[2])
    with pytest.raises(AssertionError):
        make_stage(BasicBlock, 1, in_channels=8, out_channels=8, stride_per_block=[2], stride=1)


def test_default_stages():
    stages = ResNet.make_default_stages(18, norm="")
    assert [len(stage) for stage in stages] == [2, 2, 2, 2]
    assert [(s[0].in_channels, s[0].out_channels, s[0].stride) for s in stages] == [
        (64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
    with pytest.raises(KeyError):
        ResNet.make_default_stages(51)


@pytest.mark.parametrize("in_1x1, strides", [(True, [2, 1]), (False, [1, 2])])
def test_where_a_bottleneck_strides(in_1x1, strides):
    block = BottleneckBlock(8, 16, bottleneck_channels=4, stride=2, stride_in_1x1=in_1x1, num_groups=2, norm="")
    assert [block.conv1.stride[0], block.conv2.stride[0]] == strides and block.shortcut.stride == (2, 2)
    assert block.conv2.groups == 2
    assert list(block.state_dict()) == [f"{name}.weight" for name in ("shortcut", "conv1", "conv2", "conv3")]
    assert block(torch.zeros(1, 8, 8, 8)).shape == (1, 16, 4, 4)


def test_bottleneck_by_plain_layers():
    block = BottleneckBlock(8, 8, bottleneck_channels=4, norm="")
    x = torch.rand(1, 8, 5, 5)
    y = nn.functional.conv2d(x, block.conv1.weight).relu()
    y = nn.functional.conv2d(y, block.conv2.weight, padding=1).relu()
    assert torch.allclose(block(x), (nn.functional.conv2d(y, block.conv3.weight) + x).relu())


def test_draw_order_of_a_bottleneck():
    torch.manual_seed(1)
    block = BottleneckBlock(8, 16, bottleneck_channels=4, norm="")
    torch.manual_seed(1)
    # All layers draw torch's own initial weights first, then the explicit ones follow.
    shapes = {"shortcut": (8, 16, 1), "conv1": (8, 4, 1), "conv2": (4, 4, 3), "conv3": (4, 16, 1)}
    layers = {name: nn.Conv2d(i, o, k, bias=False) for name, (i, o, k) in shapes.items()}
    for name in ("conv1", "conv2", "conv3", "shortcut"):
        nn.init.kaiming_normal_(layers[name].weight, mode="fan_out", nonlinearity="relu")
    for name, layer in layers.items():
        assert torch.equal(getattr(block, name).weight, layer.weight), name


@pytest.mark.parametrize("modulated, channels", [(False, 18), (True, 27)])
def test_deformable_block_starts_without_offsets(modulated, channels):
    block = DeformBottleneckBlock(8, 16, bottleneck_channels=4, norm="", deform_modulated=modulated,
                                  deform_num_groups=2, stride=2, dilation=2)
    assert block.conv2_offset.weight.shape == (2 * channels, 4, 3, 3)
    assert not block.conv2_offset.weight.any() and not block.conv2_offset.bias.any()
    assert list(block.state_dict()) == ["shortcut.weight", "conv1.weight", "conv2_offset.weight",
                                        "conv2_offset.bias", "conv2.weight", "conv3.weight"]


def test_builder_follows_the_config():
    cfg = get_cfg()
    cfg.MODEL.RESNETS.OUT_FEATURES = ["res3", "res5"]
    cfg.MODEL.RESNETS.RES5_DILATION = 2
    net = build_backbone(cfg)
    assert {k: (s.channels, s.stride) for k, s in net.output_shape().items()} == {"res3": (512, 8), "res5": (2048, 16)}
    assert net.res5[0].conv2.dilation == (2, 2) and net.res4[0].conv1.stride == (2, 2)
    assert not any(p.requires_grad for p in net.res2.parameters())
    assert all(p.requires_grad for name, p in net.res3.named_parameters() if "norm" not in name)


@pytest.mark.parametrize("key, value, error", [("DEPTH", 20, KeyError), ("RES5_DILATION", 3, AssertionError),
                                               ("DEPTH", 18, AssertionError), ("OUT_FEATURES", [], ValueError)])
def test_builder_refuses_bad_values(key, value, error):
    cfg = get_cfg()
    cfg.MODEL.RESNETS[key] = value
    with pytest.raises(error):
        build_backbone(cfg)
