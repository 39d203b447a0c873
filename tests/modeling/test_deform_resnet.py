"""Deformable blocks stand where the interval says, and everything else is Detectron2's ResNet."""

import pytest
import torch
from detectron2.layers import ShapeSpec
from detectron2.modeling.backbone import build_resnet_backbone

from vis_projects.config import get_vis_cfg
from vis_projects.modeling.deform_bottleneck import DeformBottleneck
from vis_projects.modeling.deform_resnet import deform_resnet

STAGES = ("res3", "res4", "res5")
RGB = ShapeSpec(channels=3)


def config(depth=50, width=4):
    cfg = get_vis_cfg()
    node = cfg.MODEL.RESNETS
    node.DEPTH, node.WIDTH_PER_GROUP, node.STEM_OUT_CHANNELS, node.RES2_OUT_CHANNELS = depth, width, 8, 4 * width
    node.OUT_FEATURES, node.STRIDE_IN_1X1, cfg.MODEL.BACKBONE.FREEZE_AT = list(STAGES), False, 0
    return cfg


def deformable(model):
    return {stage: [k for k, block in enumerate(getattr(model, stage)) if isinstance(block, DeformBottleneck)]
            for stage in ("res2", *STAGES)}


@pytest.mark.parametrize(
    ("depth", "interval", "expected"),
    [
        (101, 3, {"res2": [], "res3": [0, 3], "res4": [0, 3, 6, 9, 12, 15, 18, 21], "res5": [0]}),
        (50, 2, {"res2": [], "res3": [0, 2], "res4": [0, 2, 4], "res5": [0, 2]}),
        (50, 3, {"res2": [], "res3": [0, 3], "res4": [0, 3], "res5": [0]}),
        (50, 1, {"res2": [], "res3": [0, 1, 2, 3], "res4": [0, 1, 2, 3, 4, 5], "res5": [0, 1, 2]}),
        (50, 0, {"res2": [], "res3": [], "res4": [], "res5": []}),
    ],
)
def test_blocks(depth, interval, expected):
    assert deformable(deform_resnet(config(depth), RGB, interval, STAGES)) == expected


def test_with_whole_taps_it_equals_the_plain_resnet():
    cfg = config()
    ours, plain = deform_resnet(cfg, RGB, 2, STAGES).eval(), build_resnet_backbone(cfg, RGB).eval()
    missing = ours.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert missing and all(".conv2_offset." in name for name in missing)
    for name, parameter in ours.named_parameters():
        if name.endswith("conv2_offset.bias"):
            torch.nn.init.constant_(parameter[18:], 20.0)  # sigmoid of the last 9 is 1
    image = torch.randn(1, 3, 64, 96)
    expected = plain(image)
    for name, value in ours(image).items():
        assert torch.allclose(value, expected[name], rtol=1e-3, atol=1e-3)


def test_a_new_block_starts_without_offsets_and_learns_them():
    block = DeformBottleneck(8, 16, bottleneck_channels=4, stride=2, norm="")
    assert all((parameter == 0).all() for parameter in block.conv2_offset.parameters())
    out = block(torch.randn(2, 8, 6, 10))
    assert out.shape == (2, 16, 3, 5)
    out.sum().backward()
    assert (block.conv2_offset.weight.grad != 0).any()


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match=r"MODEL\.RESNETS\.DEPTH is 18.*choose from \(50, 101, 152\)"):
        deform_resnet(config(18), RGB, 3, STAGES)
    with pytest.raises(ValueError, match="res2 to res5"):
        deform_resnet(config(), RGB, 3, ("res6",))
